// The page of whoever runs the deployment, at /operator: what is wrong, merchants, partitions, the archive, dead
// letters, replays and the audit log, as plain tables. It takes ADMIN_TOKEN or an operator's token, which stays in the
// memory of this tab: a reload asks for it again. Where Cloudflare Access signs operators in, it takes neither. Columns
// are called as the API calls them. Nothing else is asked by itself.

import { useEffect, useState } from "preact/hooks";
import { addDays } from "../../address.ts";
import { boot } from "../../boot.ts";
import { Frame } from "../../frame.tsx";
import { type Failure, request } from "../../numbers.ts";
import { go, view } from "../../store.ts";
import { t as common, duration, speak } from "../../text.ts";
import texts from "./text.ts";

const { t, named } = speak(texts);

type Fields = Readonly<Record<string, unknown>>;

interface Section {
  readonly name: "state" | "merchants" | "partitions" | "archive" | "letters" | "jobs" | "audit";
  readonly path: string;
  /** The list in the answer. */
  readonly list: string;
  readonly columns: readonly string[];
}

/** Days of the archive that are shown. */
const DAYS = 14;

const utcToday = () => new Date().toISOString().slice(0, 10);

const SECTIONS: readonly Section[] = [
  { name: "state", path: "/api/v1/alerts", list: "alerts", columns: ["severity", "name", "says", "since", "until"] },
  {
    name: "merchants",
    path: "/api/v1/merchants",
    list: "merchants",
    columns: ["id", "name", "time_zone", "currency", "retention_days"],
  },
  {
    name: "partitions",
    path: "/api/v1/partitions",
    list: "partitions",
    columns: [
      "partition",
      "merchants",
      "next_position",
      "archived_position",
      "unarchived_since",
      "unconfirmed_bundles",
      "unpublished_rollups",
      "held_bytes",
      "failing",
    ],
  },
  {
    name: "archive",
    path: `/api/v1/archive/days?from=${addDays(utcToday(), -DAYS)}&to=${utcToday()}`,
    list: "days",
    columns: ["date", "partition", "state", "rows", "merchants", "bytes", "differences", "attempts", "error"],
  },
  {
    name: "letters",
    path: "/api/v1/dead-letters",
    list: "dead_letters",
    columns: ["stored_at", "queue", "message", "bytes", "key"],
  },
  {
    name: "jobs",
    path: "/api/v1/replays",
    list: "replays",
    columns: ["id", "kind", "rules", "state", "from", "to", "merchants", "created_at", "finished_at"],
  },
  {
    name: "audit",
    path: "/api/v1/audit",
    list: "audit",
    columns: ["at", "actor", "act", "target", "merchant", "outcome", "details"],
  },
];

/** The tables, once a token is given, or where Cloudflare Access says who is there. */
export default function Operator() {
  const [token, setToken] = useState<string>();
  useEffect(() => {
    if (boot.operatorAccess === true) void isVouched().then((is) => is && setToken(BY_ACCESS));
  }, []);
  return (
    <Frame title={t("title")}>
      {token === undefined ? (
        <Credential give={setToken} />
      ) : (
        <Tables token={token} leave={() => setToken(undefined)} />
      )}
    </Frame>
  );
}

/** Stands for a token where none is needed. */
const BY_ACCESS = "";

async function isVouched(): Promise<boolean> {
  return "body" in (await request("GET", "/api/v1/alerts"));
}

/** Asks the API by the token; undefined where it was refused, which is told. */
function useOperator(token: string) {
  const [failure, setFailure] = useState<Failure>();
  const ask = async (method: string, path: string, body?: object): Promise<Fields | undefined> => {
    const headers: Record<string, string> = token === BY_ACCESS ? {} : { authorization: `Bearer ${token}` };
    const reply = await request(method, path, { headers, ...(body !== undefined && { body }) });
    setFailure("failure" in reply ? reply.failure : undefined);
    return "body" in reply ? (reply.body as Fields) : undefined;
  };
  return { ask, failure };
}

function wordsOf(failure: Failure): string {
  if (failure.why === "signed out") return t("wrong");
  if (failure.why === "too often") return common("signInWait", { time: duration(failure.retryAfterSeconds) });
  if (failure.why === "offline") return common("offlineNone");
  return failure.message || common("failed");
}

function Credential({ give }: { readonly give: (token: string) => void }) {
  const [typed, setTyped] = useState("");
  const { ask, failure } = useOperator(typed.trim());
  const [isBusy, setBusy] = useState(false);
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    const answer = await ask("GET", "/api/v1/alerts");
    setBusy(false);
    if (answer !== undefined) give(typed.trim());
  };
  return (
    <section class="sheet alone" aria-labelledby="credential-title">
      <h2 id="credential-title">{t("title")}</h2>
      <p class="mute">{t("lead")}</p>
      <form class="form" onSubmit={send}>
        <label>
          {t("token")}
          <input
            type="password"
            autocomplete="off"
            spellcheck={false}
            required
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        <p class="problem" role="alert">
          {failure !== undefined && wordsOf(failure)}
        </p>
        <button type="submit" class="first" aria-disabled={isBusy}>
          {t("open")}
        </button>
      </form>
    </section>
  );
}

/** Shows a section. With a modifier key it opens a tab, as any link; that asks for the token again. */
function open(event: MouseEvent, name: Section["name"]): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go({ at: name });
}

interface TablesProps {
  readonly token: string;
  readonly leave: () => void;
}

function Tables({ token, leave }: TablesProps) {
  const section = SECTIONS.find(({ name }) => name === view.value.at) ?? (SECTIONS[0] as Section);
  return (
    <div class="settings">
      <nav aria-label={t("title")}>
        {SECTIONS.map(({ name }) => (
          <a
            key={name}
            href={`/operator?at=${name}`}
            aria-current={name === section.name ? "page" : undefined}
            onClick={(event) => open(event, name)}
          >
            {named(`s_${name}`)}
          </a>
        ))}
        <button type="button" class="link" onClick={leave}>
          {t("forget")}
        </button>
      </nav>
      <Listed key={section.name} section={section} token={token} />
    </div>
  );
}

interface Known {
  readonly rows: readonly Fields[];
  readonly next: string | null;
}

/** One list, with what can be done to its rows. */
function Listed({ section: { name, path, list, columns }, token }: { section: Section; token: string }) {
  const { ask, failure } = useOperator(token);
  const [known, setKnown] = useState<Known>();
  const [isBusy, setBusy] = useState(true);
  const [wanted, setWanted] = useState("");
  const [told, tell] = useState("");
  const read = async (after: string | null) => {
    setBusy(true);
    const more = after === null ? "" : `${path.includes("?") ? "&" : "?"}after=${encodeURIComponent(after)}`;
    const answer = await ask("GET", path + more);
    setBusy(false);
    if (answer === undefined) return;
    const rows = answer[list] as readonly Fields[];
    const earlier = after === null ? [] : (known?.rows ?? []);
    setKnown({ rows: [...earlier, ...rows], next: (answer["next"] ?? null) as string | null });
  };
  useEffect(() => {
    read(null);
  }, []);
  const act = async (method: string, where: string, body?: object) => {
    const answer = await ask(method, where, body);
    if (answer === undefined) return;
    tell(name === "letters" ? toText(answer["redriven"]) : "");
    await read(null);
  };
  const rows = known?.rows.filter((row) => toText(row).toLowerCase().includes(wanted.toLowerCase())) ?? [];
  const hasActs = name === "letters" || name === "jobs";
  return (
    <div>
      <section class="panel operator" aria-busy={isBusy}>
        <header>
          <h2>{named(`s_${name}`)}</h2>
          <input
            type="search"
            aria-label={common("searchIn")}
            placeholder={common("searchIn")}
            value={wanted}
            onInput={(event) => setWanted(event.currentTarget.value)}
          />
          <button type="button" onClick={() => read(null)}>
            {t("again")}
          </button>
          {name === "letters" && rows.length > 0 && (
            <Sure says={t("redriveAll")} act={() => act("POST", "/api/v1/dead-letters/redrive", {})} />
          )}
        </header>
        {failure !== undefined && (
          <p class="trouble" role="alert">
            {wordsOf(failure)}
          </p>
        )}
        <p role="status" class="mute">
          {told}
        </p>
        {known !== undefined && rows.length === 0 && (
          <p class="nothing">{name === "state" ? t("noAlerts") : common("empty")}</p>
        )}
        {rows.length > 0 && (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keys have to reach it
          <section class="table-box" tabIndex={0} aria-label={named(`s_${name}`)}>
            <table>
              <thead>
                <tr>
                  {columns.map((column) => (
                    <th key={column} scope="col">
                      <code>{column}</code>
                    </th>
                  ))}
                  {hasActs && <th scope="col">{t("actions")}</th>}
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={toText(row)}>
                    {columns.map((column) => (
                      <td key={column}>
                        <bdi>{toText(row[column])}</bdi>
                      </td>
                    ))}
                    {hasActs && (
                      <td>
                        <Acts name={name} row={row} act={act} />
                      </td>
                    )}
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        )}
        {known?.next != null && (
          <button type="button" aria-disabled={isBusy} onClick={() => !isBusy && read(known.next)}>
            {common("showMore")}
          </button>
        )}
      </section>
      {name === "state" && <Doctor token={token} />}
    </div>
  );
}

interface ActsProps {
  readonly name: string;
  readonly row: Fields;
  readonly act: (method: string, path: string, body?: object) => Promise<void>;
}

/** The verbs that each state of a replay takes. */
const VERBS: Readonly<Record<string, readonly string[]>> = {
  running: ["pause", "cancel"],
  paused: ["resume", "cancel"],
  done: ["undo"],
};

function Acts({ name, row, act }: ActsProps) {
  if (name === "letters")
    return (
      <Sure says={t("redrive")} act={() => act("POST", "/api/v1/dead-letters/redrive", { key: String(row["key"]) })} />
    );
  const verbs = VERBS[String(row["state"])] ?? [];
  return (
    <span class="choices">
      {verbs.map((verb) => (
        <Sure
          key={verb}
          says={named(`do_${verb}`)}
          act={() => act("POST", `/api/v1/replays/${encodeURIComponent(String(row["id"]))}/${verb}`)}
        />
      ))}
    </span>
  );
}

/** A button that asks once more before it does anything. */
function Sure({ says, act }: { readonly says: string; readonly act: () => Promise<void> }) {
  const [isAsked, setAsked] = useState(false);
  if (!isAsked)
    return (
      <button type="button" onClick={() => setAsked(true)}>
        {says}
      </button>
    );
  return (
    <span class="choices">
      <button
        type="button"
        class="danger"
        onClick={async () => {
          await act();
          setAsked(false);
        }}
      >
        {t("really", { says })}
      </button>
      <button type="button" onClick={() => setAsked(false)}>
        {t("no")}
      </button>
    </span>
  );
}

interface Finding {
  readonly state: string;
  readonly whole: boolean;
  readonly says: string;
  readonly command: string | null;
}

/** Whether each kind of state is whole. It reads much, so it is asked for alone. */
function Doctor({ token }: { readonly token: string }) {
  const { ask, failure } = useOperator(token);
  const [findings, setFindings] = useState<readonly Finding[]>();
  const [isBusy, setBusy] = useState(false);
  const read = async () => {
    setBusy(true);
    const answer = await ask("GET", "/api/v1/doctor");
    setBusy(false);
    if (answer !== undefined) setFindings(answer["findings"] as readonly Finding[]);
  };
  return (
    <section class="panel operator" aria-label={t("doctor")} aria-busy={isBusy}>
      <header>
        <h2>{t("doctor")}</h2>
        <button type="button" aria-disabled={isBusy} onClick={() => !isBusy && read()}>
          {t("look")}
        </button>
      </header>
      <p class="mute">{t("doctorLead")}</p>
      {failure !== undefined && (
        <p class="trouble" role="alert">
          {wordsOf(failure)}
        </p>
      )}
      <ul class="moved">
        {findings?.map(({ state, whole, says, command }) => (
          <li key={state}>
            <span aria-hidden="true" class={whole ? "gain" : "loss"}>
              {whole ? "✓" : "✗"}
            </span>
            <span>
              <b>{state}</b> <bdi>{says}</bdi>
              {command !== null && (
                <>
                  <br />
                  <code>{command}</code>
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A value of an answer as text. */
function toText(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (Array.isArray(value) && value.every((one) => typeof one !== "object")) return value.join(", ") || "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
