// The page Rules, one of the settings: what is left out, tried on days that are over before it is decided,
// put on them, and taken back.

import { useEffect, useId, useState } from "preact/hooks";
import { addDays } from "../../address.ts";
import { useGet } from "../../get.ts";
import { dropText, keepText, parseKept, recallText } from "../../keep.ts";
import { today } from "../../range.tsx";
import { Trouble } from "../../state.tsx";
import { go, shop, view } from "../../store.ts";
import { t as common, count, dates, speak, named as word } from "../../text.ts";
import { type Act, Confirm, Field, ofShop, Problem, type Question, useAct, when } from "../settings/act.tsx";
import { Layout } from "../settings/layout.tsx";
import { isAllowed } from "../settings/role.ts";
import trustTexts from "../trust/text.ts";
import { takeLine } from "./kept-line.ts";
import {
  fieldOf,
  RULE_FIELDS,
  type Rules as RuleData,
  type RuleField,
  type RuleTexts,
  toTexts,
  withLine,
  withTexts,
} from "./rule-text.ts";
import texts from "./text.ts";

const { t, tn, named } = speak(texts);
const { named: reason } = speak(trustTexts);

interface Timeline {
  readonly version: number;
  readonly applies_from: string | null;
  readonly rules: RuleData;
  readonly warnings?: readonly string[];
}
interface Job {
  readonly id: string;
  readonly kind: string;
  readonly rules: string;
  readonly state: string;
  readonly from: string;
  readonly to: string;
  readonly created_at: string;
}
interface Progress extends Job {
  readonly parts: { readonly all: number; readonly done: number; readonly failed: number };
  readonly events: number;
  readonly totals: readonly {
    readonly numbers: readonly { readonly what: string; readonly before: number; readonly after: number }[];
  }[];
}

const ASKED_EVERY_MS = 1_000;
const UNDER_WAY: readonly string[] = ["running", "undoing"];
const DRAFT = "footfall-rules-draft";
/**
 * A day is closed, and takes other rules, 48 hours after its midnight in UTC; in any zone that is so for the fourth
 * before today.
 */
const CLOSED_DAYS_AGO = 4;

/** What is left out, and since when. */
export default function Rules() {
  const rules = useGet<Timeline>(ofShop("/rules"));
  const { body } = rules;
  const [warnings, setWarnings] = useState<readonly string[]>([]);
  const changed = (told: readonly string[]) => {
    setWarnings(told);
    rules.reload();
  };
  return (
    <Layout name="rules" title={common("pageRules")}>
      <p class="mute lead">{t("lead")}</p>
      <div aria-busy={body === undefined && rules.failure === undefined}>
        <Trouble part={rules} />
        {body !== undefined && <Editor key={body.version} timeline={body} changed={changed} />}
      </div>
      {warnings.map((warning) => (
        <p key={warning} class="coming" role="status">
          {warning}
        </p>
      ))}
      {isAllowed("admin") && <Applied key={view.value.at} />}
    </Layout>
  );
}

interface EditorProps {
  readonly timeline: Timeline;
  readonly changed: (warnings: readonly string[]) => void;
}

/** The form; what was typed and tried is kept for the tab, because a trial goes on while its person is elsewhere. */
function Editor({ timeline, changed }: EditorProps) {
  const { rules, version, applies_from } = timeline;
  const key = `${DRAFT} ${shop.value?.id} ${version}`;
  const [added] = useState(() => takeLine(shop.value?.id ?? ""));
  const [draft, setDraft] = useState<RuleTexts>(() => {
    const kept = parseKept<RuleTexts>(recallText(key, "tab")) ?? toTexts(rules);
    return added === undefined ? kept : withLine(kept, ...added);
  });
  const act = useAct();
  const trying = useAct();
  const mayChange = isAllowed("admin");
  const isChanged = RULE_FIELDS.some((field) => draft[field] !== toTexts(rules)[field]);
  const change = (field: RuleField, text: string) => {
    const next = { ...draft, [field]: text };
    setDraft(next);
    keepText(key, JSON.stringify(next), "tab"); // where it is refused, a reload begins anew
  };
  useEffect(() => {
    if (added !== undefined) keepText(key, JSON.stringify(draft), "tab");
  }, []);
  const decide = async (note: string) => {
    const sent = { rules: withTexts(rules, draft), note, if_version: version };
    const decided = await act.send<Timeline>("PUT", ofShop("/rules"), sent);
    if (decided === undefined) return false;
    dropText(key, "tab");
    changed(decided.warnings ?? []);
    return true;
  };
  const failure = act.failure ?? trying.failure;
  const message = failure !== undefined && "message" in failure ? failure.message : "";
  const failed = fieldOf(message);
  return (
    <>
      <section class="panel maker rules" aria-labelledby="rules-title">
        <h2 id="rules-title">{version === 0 ? t("titleNone") : t("title", { n: version })}</h2>
        {applies_from !== null && Date.parse(applies_from) > Date.now() && (
          <p class="coming">{t("appliesFrom", { when: when(applies_from) })}</p>
        )}
        {added !== undefined && (
          <p class="coming" role="status">
            {t("added", { line: added[1], list: named(added[0].replace("/", "_")) })}
          </p>
        )}
        {RULE_FIELDS.map((field) => (
          <Lines
            key={field}
            field={field}
            text={draft[field]}
            isFixed={!mayChange}
            problem={failed === field ? message : ""}
            change={(text) => change(field, text)}
          />
        ))}
      </section>
      {mayChange && (
        <Trial
          rules={withTexts(rules, draft)}
          isChanged={isChanged}
          act={act}
          trying={trying}
          hasField={failed !== undefined}
          decide={decide}
        />
      )}
    </>
  );
}

interface LinesProps {
  readonly field: RuleField;
  readonly text: string;
  readonly isFixed: boolean;
  readonly problem: string;
  readonly change: (text: string) => void;
}

function Lines({ field, text, isFixed, problem, change }: LinesProps) {
  const id = useId();
  const name = field.replace("/", "_");
  return (
    <div class="field">
      <label for={id}>{named(name)}</label>
      <textarea
        id={id}
        dir="auto"
        rows={Math.min(8, Math.max(2, text.split("\n").length))}
        value={text}
        readOnly={isFixed}
        spellcheck={false}
        aria-invalid={problem !== ""}
        aria-describedby={`${id}-help`}
        onInput={(event) => change(event.currentTarget.value)}
      />
      <span id={`${id}-help`}>
        <span class="mute">{named(`${name}_help`)}</span>
        {problem !== "" && (
          <span class="problem" role="alert">
            {problem}
          </span>
        )}
      </span>
    </div>
  );
}

interface TrialProps {
  readonly rules: RuleData;
  readonly isChanged: boolean;
  readonly act: Act;
  readonly trying: Act;
  /** Whether a field of the rules says what was wrong. */
  readonly hasField: boolean;
  readonly decide: (note: string) => Promise<boolean>;
}

/**
 * What the draft would change on days that are over; then it is decided, for those days as well or from now on alone.
 */
function Trial({ rules, isChanged, act, trying, hasField, decide }: TrialProps) {
  const last = addDays(today(), -CLOSED_DAYS_AGO);
  const [from, setFrom] = useState(addDays(last, -6));
  const [to, setTo] = useState(last);
  const [note, setNote] = useState("");
  const [isForPast, setForPast] = useState(false);
  const tried = view.value.at;
  const range = { from, to, merchants: [shop.value?.id] };
  const tryOut = async () => {
    if (!isChanged) return;
    const job = await trying.send<Job>("POST", "/api/v1/replays", { kind: "verify", ...range, rules });
    if (job !== undefined) go({ at: job.id });
  };
  const apply = async () => {
    if (!isChanged || !(await decide(note))) return;
    document.getElementById("section-title")?.focus(); // the form begins anew under the rules that hold now
    if (!isForPast) return;
    const job = await trying.send<Job>("POST", "/api/v1/replays", { kind: "rebuild", ...range, rules: "current" });
    if (job !== undefined) go({ at: job.id });
  };
  return (
    <section class="panel maker" aria-labelledby="trial-title">
      <h2 id="trial-title">{t("trial")}</h2>
      <p>{t("trialLead")}</p>
      <div class="choices dates">
        <Field
          name="from"
          type="date"
          label={t("from")}
          value={from}
          failure={trying.failure}
          onInput={(event) => setFrom(event.currentTarget.value)}
        />
        <Field
          name="to"
          type="date"
          label={t("to")}
          value={to}
          failure={trying.failure}
          onInput={(event) => setTo(event.currentTarget.value)}
        />
      </div>
      {!hasField && <Problem failure={trying.failure ?? act.failure} fields={["from", "to", "note"]} />}
      {!isChanged && <p class="mute">{t("changeFirst")}</p>}
      <button type="button" aria-disabled={!isChanged || trying.isBusy} onClick={tryOut}>
        {t("try")}
      </button>
      {tried !== undefined && <Followed key={tried} id={tried} />}
      <Field
        name="note"
        label={t("note")}
        help={t("noteHelp")}
        value={note}
        maxLength={500}
        failure={act.failure}
        onInput={(event) => setNote(event.currentTarget.value)}
      />
      <label class="check">
        <input type="checkbox" checked={isForPast} onChange={(event) => setForPast(event.currentTarget.checked)} />
        {t("forPast", { dates: from <= to ? dates(from, to) : "–" })}
      </label>
      <button type="button" class="first" aria-disabled={!isChanged || act.isBusy} onClick={apply}>
        {t("decide")}
      </button>
    </section>
  );
}

/** A job, asked after until it has ended. It goes on by itself. */
function useJob(id: string) {
  const job = useGet<Progress>(`/api/v1/replays/${encodeURIComponent(id)}`);
  const { body, reload } = job;
  const isUnderWay = body !== undefined && UNDER_WAY.includes(body.state);
  useEffect(() => {
    if (!isUnderWay) return undefined;
    const timer = setTimeout(reload, ASKED_EVERY_MS);
    return () => clearTimeout(timer);
  }, [body]);
  return { ...job, isUnderWay };
}

/** How far a job is, and of a trial what it would change. */
function Followed({ id }: { readonly id: string }) {
  const job = useJob(id);
  const { body, isUnderWay } = job;
  if (body === undefined) return <Trouble part={job} />;
  const { parts, kind, state, from, to, events, totals } = body;
  const numbers = (totals[0]?.numbers ?? []).filter(({ before, after }) => before !== after);
  return (
    <div role="status" aria-busy={isUnderWay}>
      <p>
        <b>{dates(from, to)}</b> {named(`state_${state}`)}{" "}
        {isUnderWay && <progress max={parts.all || 1} value={parts.done} aria-label={t("progress")} />}
      </p>
      {parts.failed > 0 && <p class="problem">{tn("failed", parts.failed)}</p>}
      {kind === "verify" && !isUnderWay && (
        <>
          <p class="mute">{tn("counted", events)}</p>
          {numbers.length === 0 ? (
            <p>{t("changesNothing")}</p>
          ) : (
            <table class="facts compared">
              <thead>
                <tr>
                  <th scope="col">{t("number")}</th>
                  <th scope="col">{t("before")}</th>
                  <th scope="col">{t("after")}</th>
                </tr>
              </thead>
              <tbody>
                {numbers.map(({ what, before, after }) => (
                  <tr key={what}>
                    <th scope="row">{numberName(what)}</th>
                    <td>{count(before)}</td>
                    <td>{count(after)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </>
      )}
    </div>
  );
}

/** "visitors", "dropped bot" or "revenue EUR", in words. */
function numberName(what: string): string {
  const [first = "", second = ""] = what.split(" ");
  if (first === "dropped") return t("droppedAs", { reason: reason(`d_${second}`) });
  if (first === "revenue") return `${common("total_revenue")} ${second}`.trim();
  return first === "events" ? t("events") : word(first);
}

/** What was put on days that are over; each can be taken back for 90 days. */
function Applied() {
  const jobs = useGet<{ readonly replays: readonly Job[] }>("/api/v1/replays");
  const [question, ask] = useState<Question>();
  const { body, reload } = jobs;
  const isUnderWay = body?.replays.some(({ state }) => UNDER_WAY.includes(state)) ?? false;
  useEffect(() => {
    if (!isUnderWay) return undefined;
    const timer = setTimeout(reload, ASKED_EVERY_MS);
    return () => clearTimeout(timer);
  }, [body]);
  const shown = body?.replays.filter(({ kind, rules }) => kind === "rebuild" && rules === "current") ?? [];
  return (
    <section
      class="panel"
      aria-labelledby="applied-title"
      aria-busy={jobs.body === undefined && jobs.failure === undefined}
    >
      <h2 id="applied-title">{t("applied")}</h2>
      <Trouble part={jobs} />
      {jobs.body !== undefined && shown.length === 0 && <p class="mute">{t("appliedNone")}</p>}
      <ul class="applied">
        {shown.map(({ id, state, from, to }) => (
          <li key={id} class="choices">
            <b>{dates(from, to)}</b> <span>{named(`state_${state}`)}</span>
            {["done", "cancelled", "paused"].includes(state) && (
              <button
                type="button"
                aria-label={`${t("undo")}: ${dates(from, to)}`}
                onClick={() =>
                  ask({
                    title: t("undoAsk", { dates: dates(from, to) }),
                    lost: t("undoLost"),
                    does: t("undo"),
                    method: "POST",
                    path: `/api/v1/replays/${encodeURIComponent(id)}/undo`,
                    body: {},
                    done: jobs.reload,
                  })
                }
              >
                {t("undo")}
              </button>
            )}
          </li>
        ))}
      </ul>
      {question !== undefined && <Confirm question={question} close={() => ask(undefined)} />}
    </section>
  );
}
