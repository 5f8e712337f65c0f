// The page Imports: the files that were brought in, how far each is, and what it came to. One that goes on can be
// paused; one that is there can be undone whole, and redone. A file is sent by the command line, which reads and checks
// it there.

import { useEffect, useState } from "preact/hooks";
import { useGet } from "../../get.ts";
import { go, view } from "../../store.ts";
import { bucket, t as common, count, dates, speak } from "../../text.ts";
import { Cell, Confirm, List, ofShop, Problem, type Question, useAct, useList, when } from "../settings/act.tsx";
import { Layout } from "../settings/layout.tsx";
import { isAllowed } from "../settings/role.ts";
import texts from "./text.ts";

const { t, named } = speak(texts);

interface Import {
  readonly number: number;
  readonly name: string;
  readonly source: string;
  /** Of rollups `events` are rows. */
  readonly kind: "events" | "rollups";
  readonly state: string;
  readonly from: string;
  readonly to: string;
  readonly events: number;
  readonly tally: Readonly<Record<string, number>>;
  readonly replays: readonly string[];
  readonly created_at: string;
  readonly finished_at: string | null;
  readonly days?: readonly { readonly date: string; readonly events: number }[];
}

/** States that change by themselves. */
const MOVING = ["running", "undoing", "redoing"];
const ASKED_EVERY_MS = 3_000;

/** The imports of the shop. */
export default function Imports() {
  return (
    <Layout name="imports" title={common("pageImports")}>
      {isAllowed("admin") ? <All /> : <p>{t("adminsOnly")}</p>}
    </Layout>
  );
}

function All() {
  const imports = useList<Import>(ofShop("/imports"), "imports");
  const [question, ask] = useState<Question>();
  const act = useAct();
  const isMoving = imports.rows?.some(({ state }) => MOVING.includes(state)) ?? false;
  useEffect(() => {
    if (!isMoving) return undefined;
    const timer = setInterval(() => document.hidden || imports.reload(), ASKED_EVERY_MS);
    return () => clearInterval(timer);
  }, [isMoving]);
  const send = async (method: string, path: string, body?: object) => {
    if ((await act.send(method, path, body)) === undefined) return;
    document.getElementById("section-title")?.focus(); // the button that was pressed goes with the state
    imports.reload();
  };
  const chosen = imports.rows?.find(({ number }) => String(number) === view.value.at);
  return (
    <>
      <p class="mute lead">{t("lead")}</p>
      <pre class="command" dir="ltr">
        npm run footfall -- import orders.csv
      </pre>
      <p class="mute">{t("sources")}</p>
      <Problem failure={act.failure} />
      <List
        title={t("imports")}
        none={t("none")}
        list={imports}
        columns={[t("file"), t("days"), t("events"), t("state"), t("actions")]}
      >
        {imports.rows?.map((one) => (
          <Row key={one.number} one={one} ask={ask} send={send} changed={imports.reload} isBusy={act.isBusy} />
        ))}
      </List>
      {chosen !== undefined && <Details key={`${chosen.number} ${chosen.state}`} number={chosen.number} />}
      {question !== undefined && <Confirm question={question} close={() => ask(undefined)} />}
    </>
  );
}

interface RowProps {
  readonly one: Import;
  readonly ask: (question: Question) => void;
  readonly send: (method: string, path: string, body?: object) => Promise<void>;
  readonly changed: () => void;
  readonly isBusy: boolean;
}

function Row({ one, ask, send, changed, isBusy }: RowProps) {
  const { number, name, source, kind, state, from, to, events, tally } = one;
  const path = ofShop(`/imports/${number}`);
  const stored = tally["accepted"] ?? 0;
  const isChosen = view.value.at === String(number);
  return (
    <tr>
      <th scope="row">
        <bdi>{name}</bdi>{" "}
        <span class="mute">
          {count(number)} · {source}
          {kind === "rollups" && ` · ${t("rollups")}`}
        </span>
      </th>
      <Cell of={t("days")}>{dates(from, to)}</Cell>
      <Cell of={t("events")}>{count(events)}</Cell>
      <Cell of={t("state")}>
        {named(`is_${state}`)}
        {state === "running" && (
          <progress
            max={events || 1}
            value={stored}
            aria-label={t("stored", { n: count(stored), all: count(events) })}
          />
        )}
      </Cell>
      <td>
        <span class="choices">
          <button
            type="button"
            aria-expanded={isChosen}
            aria-label={`${t("details")}: ${name}`}
            onClick={() => go({ at: isChosen ? undefined : String(number) }, true)}
          >
            {t("details")}
          </button>
          {state === "running" && (
            <button
              type="button"
              aria-disabled={isBusy}
              aria-label={`${t("pause")}: ${name}`}
              onClick={() => send("PATCH", path, { state: "paused" })}
            >
              {t("pause")}
            </button>
          )}
          {(state === "done" || state === "paused") && (
            <button
              type="button"
              aria-label={`${t("undo")}: ${name}`}
              onClick={() =>
                ask({
                  title: t("undoTitle", { name }),
                  lost: t(kind === "rollups" ? "undoLostRollups" : "undoLost", {
                    events: count(events),
                    days: dates(from, to),
                  }),
                  does: t("undo"),
                  method: "POST",
                  path: `${path}/undo`,
                  done: changed,
                })
              }
            >
              {t("undo")}
            </button>
          )}
          {(state === "undone" || state === "undoing") && (
            <button
              type="button"
              aria-disabled={isBusy}
              aria-label={`${t("redo")}: ${name}`}
              onClick={() => send("POST", `${path}/redo`)}
            >
              {t("redo")}
            </button>
          )}
        </span>
      </td>
    </tr>
  );
}

/** What an import came to, and how many events it has of each day. */
function Details({ number }: { readonly number: number }) {
  const got = useGet<Import>(ofShop(`/imports/${number}`));
  const own = got.body;
  if (own === undefined) return <p class="mute">{common("loading")}</p>;
  const tally = Object.entries(own.tally);
  return (
    <section class="panel" aria-label={t("detailsOf", { name: own.name })}>
      <h2>
        <bdi>{own.name}</bdi>
      </h2>
      <p class="mute">
        {t("begun", { when: when(own.created_at) })}{" "}
        {own.finished_at !== null && t("ended", { when: when(own.finished_at) })}
      </p>
      {own.state === "paused" && <p>{t("goOn")}</p>}
      <dl class="news">
        {tally.map(([name, n]) => (
          <div key={name}>
            <dt>
              <bdi>{named(`of_${name}`) === `of_${name}` ? name : named(`of_${name}`)}</bdi>
            </dt>
            <dd>{count(n)}</dd>
          </div>
        ))}
      </dl>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keys have to reach it */}
      <section class="table-box" tabIndex={0} aria-label={t("byDay")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("day")}</th>
              <th scope="col">{t("events")}</th>
            </tr>
          </thead>
          <tbody>
            {own.days?.map(({ date, events }) => (
              <tr key={date}>
                <th scope="row">{bucket(date, "day", "full")}</th>
                <td>{count(events)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}
