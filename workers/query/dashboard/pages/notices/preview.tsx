// What somebody would be told: a report of the last whole week or month exactly as it is sent, and the alarms of the
// last 30 days with the numbers that explain them. Nothing is sent by looking.

import { useState } from "preact/hooks";
import { boot } from "../../boot.ts";
import { useGet } from "../../get.ts";
import { Trouble } from "../../state.tsx";
import { t as common, dates, speak } from "../../text.ts";
import { Choice, ofShop, Problem, useAct, when } from "../settings/act.tsx";
import { CHANNELS } from "./subscription.ts";
import texts from "./text.ts";

const { t, named } = speak(texts);

interface Shown {
  readonly subject?: string;
  readonly text?: string;
  readonly body?: object;
}

export function ReportPreview() {
  const [asked, ask] = useState({ topic: "weekly", channel: "email", language: boot.language });
  const [shown, show] = useState<Shown>();
  const act = useAct();
  // Of the message, which may be in another language than the page, and may begin with a name in a third.
  const direction = asked.language === "ar" ? "rtl" : "ltr";
  const change = (changes: Partial<typeof asked>) => {
    show(undefined);
    ask((before) => ({ ...before, ...changes }));
  };
  const look = async (event: SubmitEvent) => {
    event.preventDefault();
    show(await act.send<Shown>("POST", ofShop("/subscriptions/preview"), asked));
  };
  return (
    <form class="panel maker" aria-label={t("preview")} onSubmit={look}>
      <h2>{t("preview")}</h2>
      <p class="mute">{t("previewLead")}</p>
      <Choice
        name="topic"
        label={t("about")}
        value={asked.topic}
        options={["weekly", "monthly"].map((one) => [one, named(`topic_${one}`)])}
        onChange={(topic) => change({ topic })}
      />
      <Choice
        name="form"
        label={t("channel")}
        value={asked.channel}
        options={CHANNELS.map((one) => [one, named(`channel_${one}`)])}
        onChange={(channel) => change({ channel })}
      />
      <Choice
        name="in"
        label={t("language")}
        value={asked.language}
        options={boot.languages}
        onChange={(language) => change({ language })}
      />
      <Problem failure={act.failure} conflict={t("previewWaits")} />
      <button type="submit" class="first" aria-disabled={act.isBusy}>
        {t("show")}
      </button>
      <div aria-live="polite">
        {shown !== undefined && (
          <>
            {shown.subject !== undefined && (
              <h3 lang={asked.language} dir={direction}>
                {shown.subject}
              </h3>
            )}
            <pre lang={asked.language} dir={shown.text === undefined ? "ltr" : direction}>
              {shown.text ?? JSON.stringify(shown.body, undefined, 2)}
            </pre>
          </>
        )}
      </div>
    </form>
  );
}

interface Alarm {
  readonly kind: string;
  readonly since: string;
  readonly until: string | null;
  readonly says: string;
}

interface Alarms {
  readonly from: string;
  readonly to: string;
  readonly as_of: string;
  readonly alarms: readonly Alarm[];
}

export function AlarmPreview() {
  const [isAsked, ask] = useState(false);
  const got = useGet<Alarms>(isAsked ? ofShop(`/alarms?language=${boot.language}`) : undefined);
  const { body } = got;
  return (
    <section class="panel log" aria-labelledby="alarms-title">
      <h2 id="alarms-title">{t("alarms")}</h2>
      <p class="mute">{t("alarmsLead")}</p>
      <button type="button" class="first" onClick={() => (isAsked ? got.reload() : ask(true))}>
        {t(isAsked ? "look" : "show")}
      </button>
      <Trouble part={got} />
      <div aria-live="polite">
        {isAsked && body === undefined && got.failure === undefined && <p class="mute">{common("loading")}</p>}
        {body !== undefined && (
          <>
            <p class="mute">{t("alarmsOf", { dates: dates(body.from, body.to), when: when(body.as_of) })}</p>
            {body.alarms.length === 0 && <p>{t("alarmsNone")}</p>}
          </>
        )}
        {body !== undefined && body.alarms.length > 0 && (
          <ol class="sent">
            {body.alarms.map((alarm) => (
              <Past key={`${alarm.kind} ${alarm.since}`} alarm={alarm} />
            ))}
          </ol>
        )}
      </div>
    </section>
  );
}

function Past({ alarm: { kind, since, until, says } }: { readonly alarm: Alarm }) {
  return (
    <li>
      <b>{named(`did_${kind}`)}</b>{" "}
      <span class="mute">
        {until === null ? t("lasts", { when: when(since) }) : t("lasted", { from: when(since), to: when(until) })}
      </span>
      <span>{says}</span>
    </li>
  );
}
