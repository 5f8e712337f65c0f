// One subscription: what was sent to it and what became of that, and a form to change it or pause it.

import { useEffect, useState } from "preact/hooks";
import { useGet } from "../../get.ts";
import { Trouble } from "../../state.tsx";
import { zoneOfShop } from "../../store.ts";
import { t as common, speak } from "../../text.ts";
import { endOf, Field, Maker, ofShop, useAct, when } from "../settings/act.tsx";
import { WishFields } from "./form.tsx";
import { aboutOf, type Delivery, fromDraft, inSentence, type Subscription, toDraft } from "./subscription.ts";
import texts from "./text.ts";

const { t, tn, named } = speak(texts);

interface ChosenProps {
  readonly one: Subscription;
  readonly goals: readonly string[];
  /** Another number after each thing that was done: then its log is asked for again. */
  readonly turn: number;
  readonly changed: () => void;
}

export function Chosen({ one, goals, turn, changed }: ChosenProps) {
  return (
    <>
      <Log one={one} turn={turn} />
      <Change one={one} goals={goals} changed={changed} />
    </>
  );
}

function Log({ one: { id, target }, turn }: Pick<ChosenProps, "one" | "turn">) {
  const got = useGet<{ readonly deliveries: readonly Delivery[] }>(ofShop(`/subscriptions/${encodeURIComponent(id)}`));
  useEffect(() => {
    if (turn > 0) got.reload();
  }, [turn]);
  const sent = got.body?.deliveries;
  const title = t("logOf", { target: inSentence(target) });
  return (
    <section class="panel log" aria-label={title} aria-busy={sent === undefined && got.failure === undefined}>
      <h2>{title}</h2>
      <Trouble part={got} />
      {sent === undefined && got.failure === undefined && <p class="mute">{common("loading")}</p>}
      {sent?.length === 0 && <p>{t("logNone")}</p>}
      {sent !== undefined && sent.length > 0 && (
        <ol class="sent">
          {sent.map((delivery) => (
            <Sent key={delivery.id} delivery={delivery} />
          ))}
        </ol>
      )}
      <button type="button" onClick={got.reload}>
        {t("look")}
      </button>
    </section>
  );
}

function Sent({ delivery: { id, state, created_at, next_at, ended_at, attempts, error } }: { delivery: Delivery }) {
  const { kind, isOver } = aboutOf(id);
  const what = named(`did_${kind}`);
  const at = state === "waiting" ? next_at : ended_at;
  return (
    <li class={state}>
      <b>{isOver ? t("isOver", { what }) : what}</b> <span class="mute">{when(created_at)}</span>
      <span>
        {t(`sent_${state as "sent"}`, { when: when(at) })} {attempts > 0 && tn("attempts", attempts)}
      </span>
      {error !== "" && <bdi class="mute">{error}</bdi>}
    </li>
  );
}

function Change({ one, goals, changed }: Omit<ChosenProps, "turn">) {
  const before = one.paused_until === null ? "" : dateOf(one.paused_until);
  const [draft, setDraft] = useState(() => toDraft(one.language, one));
  const [until, setUntil] = useState(before);
  const [wrong, setWrong] = useState("");
  const act = useAct();
  const save = async () => {
    const wishes = fromDraft(draft);
    setWrong(typeof wishes === "string" ? t(wishes) : "");
    if (typeof wishes === "string") return false;
    const pause = until === before ? {} : { paused_until: until === "" ? null : endOf(until) };
    const path = ofShop(`/subscriptions/${encodeURIComponent(one.id)}`);
    if ((await act.send("PATCH", path, { ...wishes, ...pause })) === undefined) return false;
    document.getElementById("section-title")?.focus(); // the form is drawn anew from what was saved
    changed();
    return false;
  };
  return (
    <Maker
      title={t("changeOf", { target: inSentence(one.target) })}
      does={t("save")}
      act={act}
      submit={save}
      fields={["paused_until"]}
    >
      <WishFields
        draft={draft}
        change={(changes) => setDraft((known) => ({ ...known, ...changes }))}
        goals={goals}
        act={act}
      />
      <Field
        name="paused_until"
        type="date"
        label={t("pause")}
        help={t("pauseHelp")}
        value={until}
        onInput={(event) => setUntil(event.currentTarget.value)}
        failure={act.failure}
      />
      <p class="problem" role="alert">
        {wrong}
      </p>
    </Maker>
  );
}

/** The date of an instant by the shop's clocks, as a date box has it. */
function dateOf(instant: string): string {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zoneOfShop() }).format(new Date(instant));
}
