// The page Notices: who is told what of the shop, where and how. Each subscription can be tried, switched off and on,
// paused, changed and removed; of each it says what was sent and what failed. Beside them, what a report says and what
// alarms would have told, before anybody is told anything.

import { useState } from "preact/hooks";
import { boot } from "../../boot.ts";
import { useGet } from "../../get.ts";
import { go, view } from "../../store.ts";
import { t as common, speak } from "../../text.ts";
import {
  Cell,
  Choice,
  Confirm,
  Field,
  List,
  Maker,
  Once,
  ofShop,
  Problem,
  type Question,
  type Told,
  useAct,
  useList,
  when,
} from "../settings/act.tsx";
import { Layout } from "../settings/layout.tsx";
import { isAllowed } from "../settings/role.ts";
import { Chosen } from "./chosen.tsx";
import { WishFields } from "./form.tsx";
import { AlarmPreview, ReportPreview } from "./preview.tsx";
import { CHANNELS, fromDraft, inSentence, type Subscription, shortly, toDraft } from "./subscription.ts";
import texts from "./text.ts";

const { t, named } = speak(texts);
type WithSecret = Subscription & { readonly secret?: string };

interface Rules {
  readonly rules: { readonly goals: readonly { readonly name: string }[] };
}

/** Who is told what of the shop. */
export default function Notices() {
  return (
    <Layout name="notices" title={common("pageNotices")}>
      {isAllowed("admin") ? <All /> : <p>{t("adminsOnly")}</p>}
    </Layout>
  );
}

function All() {
  const list = useList<Subscription>(ofShop("/subscriptions"), "subscriptions");
  const goals = useGet<Rules>(ofShop("/rules")).body?.rules.goals.map(({ name }) => name) ?? [];
  const [question, ask] = useState<Question>();
  const [told, tell] = useState<Told>();
  const [said, say] = useState("");
  const act = useAct();
  /** Counts what was done, so that the log of the one that is open is asked for again. */
  const [turn, setTurn] = useState(0);
  const changed = () => {
    setTurn((n) => n + 1);
    list.reload();
  };
  const show = ({ target, secret }: WithSecret) => {
    if (secret !== undefined)
      tell({ title: t("secretOf", { target: inSentence(target) }), lead: t("secretLead"), text: secret });
    changed();
  };
  const send = async (method: string, path: string, body?: object) => {
    say("");
    const answer = await act.send<unknown>(method, path, body);
    if (answer !== undefined) changed();
    return answer !== undefined;
  };
  const chosen = list.rows?.find(({ id }) => id === view.value.at);
  return (
    <>
      <p class="mute lead">{t("lead")}</p>
      {told !== undefined && <Once told={told} done={() => tell(undefined)} />}
      <Problem failure={act.failure} />
      <p class="said" role="status">
        {said}
      </p>
      <List title={t("told")} none={t("none")} list={list} columns={[t("where"), t("about"), t("state"), t("actions")]}>
        {list.rows?.map((one) => (
          <Row key={one.id} one={one} ask={ask} send={send} say={say} show={show} changed={changed} />
        ))}
      </List>
      {chosen !== undefined && (
        <Chosen key={JSON.stringify(chosen)} one={chosen} goals={goals} turn={turn} changed={changed} />
      )}
      <Make goals={goals} show={show} />
      <ReportPreview />
      <AlarmPreview />
      {question !== undefined && <Confirm question={question} close={() => ask(undefined)} />}
    </>
  );
}

interface RowProps {
  readonly one: Subscription;
  readonly ask: (question: Question) => void;
  readonly send: (method: string, path: string, body?: object) => Promise<boolean>;
  readonly say: (text: string) => void;
  readonly show: (made: WithSecret) => void;
  readonly changed: () => void;
}

function Row({ one, ask, send, say, show, changed }: RowProps) {
  const { id, channel, topics, state } = one;
  const target = shortly(one.target);
  const path = ofShop(`/subscriptions/${encodeURIComponent(id)}`);
  const isChosen = view.value.at === id;
  const test = async () => {
    if (await send("POST", `${path}/test`)) say(t("tested", { target: inSentence(one.target) }));
  };
  return (
    <tr>
      <th scope="row">
        <bdi dir="ltr" title={one.target}>
          {target}
        </bdi>{" "}
        <span class="mute">{named(`channel_${channel}`)}</span>
      </th>
      <Cell of={t("about")}>{topics.map((topic) => named(`topic_${topic}`)).join(", ")}</Cell>
      <Cell of={t("state")}>
        <State one={one} />
      </Cell>
      <td>
        <span class="choices many">
          <button
            type="button"
            aria-expanded={isChosen}
            aria-label={`${t("details")}: ${target}`}
            onClick={() => go({ at: isChosen ? undefined : id }, true)}
          >
            {t("details")}
          </button>
          {state === "on" && !isPaused(one) && (
            <button type="button" aria-label={`${t("test")}: ${target}`} onClick={test}>
              {t("test")}
            </button>
          )}
          {state !== "unconfirmed" && (
            <button
              type="button"
              aria-label={`${t(state === "on" ? "switchOff" : "switchOn")}: ${target}`}
              onClick={() => send("PATCH", path, { state: state === "on" ? "off" : "on" })}
            >
              {t(state === "on" ? "switchOff" : "switchOn")}
            </button>
          )}
          {channel === "webhook" && (
            <button
              type="button"
              aria-label={`${t("rotate")}: ${target}`}
              onClick={() =>
                ask({
                  title: t("rotateTitle", { target: inSentence(one.target) }),
                  lost: t("rotateLost"),
                  does: t("rotate"),
                  method: "POST",
                  path: `${path}/rotate`,
                  done: (answer) => show(answer as WithSecret),
                })
              }
            >
              {t("rotate")}
            </button>
          )}
          <button
            type="button"
            aria-label={`${t("remove")}: ${target}`}
            onClick={() =>
              ask({
                title: t("removeTitle", { target: inSentence(one.target) }),
                lost: t("removeLost"),
                does: t("remove"),
                method: "DELETE",
                path,
                done: changed,
              })
            }
          >
            {t("remove")}
          </button>
        </span>
      </td>
    </tr>
  );
}

function isPaused({ paused_until }: Subscription): boolean {
  return paused_until !== null && Date.parse(paused_until) > Date.now();
}

/** Whether it is on, and since it is not, why. */
function State({ one }: { readonly one: Subscription }) {
  const { state, reason, paused_until, next_report_at } = one;
  if (state === "off") {
    const why = named(`why_${reason}`);
    return (
      <>
        {t("is_off")} <bdi class="mute">{why === `why_${reason}` ? reason : why}</bdi>
      </>
    );
  }
  if (state === "unconfirmed") return <>{t("is_unconfirmed")}</>;
  const rest = isPaused(one)
    ? t("pausedUntil", { when: when(paused_until) })
    : next_report_at !== null && t("nextReport", { when: when(next_report_at) });
  return (
    <>
      {t("is_on")} <span class="mute">{rest}</span>
    </>
  );
}

function Make({ goals, show }: { readonly goals: readonly string[]; readonly show: (made: WithSecret) => void }) {
  const [channel, choose] = useState<string>("email");
  const [target, setTarget] = useState("");
  const [draft, setDraft] = useState(() => toDraft(boot.language));
  const [wrong, setWrong] = useState("");
  const act = useAct();
  const make = async () => {
    const wishes = fromDraft(draft);
    setWrong(typeof wishes === "string" ? t(wishes) : "");
    if (typeof wishes === "string") return false;
    const body = { channel, target: target.trim(), ...wishes };
    const made = await act.send<WithSecret>("POST", ofShop("/subscriptions"), body);
    if (made === undefined) return false;
    setTarget("");
    setDraft(toDraft(boot.language));
    if (made.secret === undefined) document.getElementById("section-title")?.focus();
    show(made);
    return false; // the fields are emptied above
  };
  const isChat = channel !== "email" && channel !== "webhook";
  return (
    <Maker title={t("make")} does={t("makeDoes")} act={act} submit={make} fields={["target"]}>
      <Choice
        name="channel"
        label={t("channel")}
        value={channel}
        options={CHANNELS.map((one) => [one, named(`channel_${one}`)])}
        onChange={choose}
      />
      <Field
        name="target"
        type={channel === "email" ? "email" : "url"}
        label={t(channel === "email" ? "toEmail" : "toUrl")}
        help={t(isChat ? "toChatHelp" : channel === "email" ? "toEmailHelp" : "toHookHelp")}
        value={target}
        onInput={(event) => setTarget(event.currentTarget.value)}
        failure={act.failure}
        required
        maxLength={1_000}
      />
      <WishFields
        draft={draft}
        change={(changes) => setDraft((before) => ({ ...before, ...changes }))}
        goals={goals}
        act={act}
      />
      <p class="problem" role="alert">
        {wrong}
      </p>
    </Maker>
  );
}
