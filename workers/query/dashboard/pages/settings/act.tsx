// What every section of the settings does alike: it sends a change and says what became of it, asks before something is
// lost, shows a secret once, and reads a list page by page.

import type { ComponentChildren, TargetedInputEvent } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Copy } from "../../copy.tsx";
import { type Got, ofShop as headersOfShop, useGet } from "../../get.ts";
import { type Failure, request } from "../../numbers.ts";
import { Trouble } from "../../state.tsx";
import { noteSignedOut, shop, zoneOfShop } from "../../store.ts";
import { t as common, duration, moment, speak } from "../../text.ts";
import { endOfDay } from "./end-of-day.ts";
import texts from "./text.ts";

const { t, named } = speak(texts);

/** Where the API keeps what is of this shop. */
export function ofShop(rest = ""): string {
  return `/api/v1/merchants/${encodeURIComponent(shop.value?.id ?? "")}${rest}`;
}

/** An instant as date and time of the shop; nothing of none. */
export function when(instant: string | null, otherwise = "–"): string {
  return instant === null ? otherwise : moment(instant, zoneOfShop());
}

/** The last instant of a date of the shop, as the API takes it. */
export function endOf(date: string): string {
  return new Date(endOfDay(date, zoneOfShop())).toISOString();
}

export interface Act {
  /** Sends a change: what was answered, or undefined where it was refused. */
  readonly send: <Body>(method: string, path: string, body?: object) => Promise<Body | undefined>;
  readonly isBusy: boolean;
  readonly failure: Failure | undefined;
}

/**
 * Sends changes one at a time, and knows why the last was refused. A button is never disabled meanwhile, which would
 * take the focus from whoever pressed it: what is pressed again is not sent again.
 */
export function useAct(): Act {
  const [isBusy, setBusy] = useState(false);
  const isSending = useRef(false);
  const [failure, setFailure] = useState<Failure>();
  const send = async <Body,>(method: string, path: string, body?: object) => {
    if (isSending.current) return undefined;
    isSending.current = true;
    setBusy(true);
    const reply = await request(method, path, { headers: headersOfShop(), ...(body !== undefined && { body }) });
    isSending.current = false;
    setBusy(false);
    const failed = "failure" in reply ? reply.failure : undefined;
    setFailure(failed);
    if (failed !== undefined) noteSignedOut(failed);
    return "body" in reply ? (reply.body as Body) : undefined;
  };
  return { send, isBusy, failure };
}

/** Why a change was refused, in words of this page where it has some, else in the API's. */
function wordsOf(failure: Failure, conflict?: string): string {
  if (failure.why === "offline") return t("offlineAct");
  if (failure.why === "signed out") return common("signedOutTitle");
  if (failure.why === "too often") return common("signInWait", { time: duration(failure.retryAfterSeconds) });
  const { code, field, message } = failure;
  if (code === "conflict" && conflict !== undefined) return conflict;
  const key = `bad_${code === "conflict" ? "conflict_" : ""}${field}`;
  const own = named(key);
  return own === key ? message || common("failed") : own;
}

interface ProblemProps {
  readonly failure: Failure | undefined;
  /** The fields that say it themselves, where they are what is wrong. */
  readonly fields?: readonly string[];
  /** What the one conflict that there can be is called here. */
  readonly conflict?: string | undefined;
}

/** Why it was refused, unless a field says so. */
export function Problem({ failure, fields = [], conflict }: ProblemProps) {
  const isOfField = failure !== undefined && "field" in failure && fields.includes(failure.field ?? "");
  return (
    <p class="problem" role="alert">
      {failure !== undefined && !isOfField && wordsOf(failure, conflict)}
    </p>
  );
}

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly help?: string;
  readonly type?: "text" | "email" | "url" | "date" | "time";
  readonly value?: string;
  readonly placeholder?: string;
  readonly required?: boolean;
  readonly maxLength?: number;
  /** The id of a list of suggestions. */
  readonly list?: string;
  readonly onInput?: (event: TargetedInputEvent<HTMLInputElement>) => void;
  readonly failure: Failure | undefined;
}

/** A field to type into, with what was wrong with it. */
export function Field({ name, label, help, failure, ...input }: FieldProps) {
  const id = useId();
  const box = useRef<HTMLInputElement>(null);
  const isWrong = failure !== undefined && "field" in failure && failure.field === name;
  useEffect(() => {
    if (isWrong) box.current?.focus();
  }, [failure]);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...(input as object)}
        ref={box}
        id={id}
        name={name}
        autocomplete="off"
        aria-invalid={isWrong}
        aria-describedby={`${id}-help`}
      />
      <span id={`${id}-help`}>
        {help !== undefined && <span class="mute">{help}</span>}
        {isWrong && (
          <span class="problem" role="alert">
            {wordsOf(failure)}
          </span>
        )}
      </span>
    </div>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly help?: string;
  readonly value?: string;
  readonly options: readonly (readonly [value: string, says: string])[];
  readonly onChange?: (value: string) => void;
}

/** One of a list. */
export function Choice({ name, label, help, value, options, onChange }: ChoiceProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        name={name}
        value={value}
        aria-describedby={help && `${id}-help`}
        onChange={(event) => onChange?.(event.currentTarget.value)}
      >
        {options.map(([one, says]) => (
          <option key={one} value={one}>
            {says}
          </option>
        ))}
      </select>
      {help !== undefined && (
        <span id={`${id}-help`} class="mute">
          {help}
        </span>
      )}
    </div>
  );
}

interface MakerProps {
  readonly title: string;
  readonly does: string;
  readonly act: Act;
  /** Whether it was done; then the fields are emptied. */
  readonly submit: (given: (name: string) => string) => Promise<boolean>;
  readonly fields: readonly string[];
  /** Whether there is nothing to send. */
  readonly isIdle?: boolean;
  readonly children: ComponentChildren;
}

/** A form that makes something. */
export function Maker({ title, does, act, submit, fields, isIdle = false, children }: MakerProps) {
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const given = new FormData(form);
    if (!act.isBusy && !isIdle && (await submit((name) => String(given.get(name) ?? "").trim()))) form.reset();
  };
  return (
    <form class="panel maker" aria-label={title} onSubmit={send}>
      <h2>{title}</h2>
      {children}
      <Problem failure={act.failure} fields={fields} />
      <button type="submit" class="first" aria-disabled={act.isBusy || isIdle}>
        {does}
      </button>
    </form>
  );
}

/** What is asked before something is lost. */
export interface Question {
  readonly title: string;
  readonly lost: string;
  readonly does: string;
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  readonly conflict?: string;
  readonly done: (answer: unknown) => void;
}

/** Asks before something is lost; whoever only presses Enter keeps it. */
export function Confirm({ question, close }: { readonly question: Question; readonly close: () => void }) {
  const { title, lost, does, method, path, body, conflict, done } = question;
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const act = useAct();
  useEffect(() => dialog.current?.showModal(), []);
  const go = async () => {
    const answer = await act.send<unknown>(method, path, body);
    if (answer === undefined) return;
    dialog.current?.close();
    document.getElementById("section-title")?.focus(); // the button that asked may be gone with what it was for
    done(answer);
  };
  return (
    <dialog ref={dialog} class="sheet confirm" aria-labelledby={id} aria-describedby={`${id}-lost`} onClose={close}>
      <h2 id={id}>{title}</h2>
      <p id={`${id}-lost`}>{lost}</p>
      <Problem failure={act.failure} conflict={conflict} />
      <div class="choices">
        <form method="dialog">
          <button type="submit">{t("cancel")}</button>
        </form>
        <button type="button" class="danger" aria-disabled={act.isBusy} onClick={go}>
          {does}
        </button>
      </div>
    </dialog>
  );
}

/** What is told once. */
export interface Told {
  readonly title: string;
  readonly lead: string;
  readonly text: string;
}

/** A secret, or an address that holds one: shown until it is put away, and then by nobody any more. */
export function Once({ told, done }: { readonly told: Told; readonly done: () => void }) {
  const box = useRef<HTMLElement>(null);
  useEffect(() => box.current?.focus(), [told.text]);
  return (
    <section ref={box} class="panel once" tabIndex={-1} aria-label={told.title}>
      <h2>{told.title}</h2>
      <p>{told.lead}</p>
      <code dir="ltr">{told.text}</code>
      <div class="choices">
        <Copy text={told.text} class="first" />
        <button
          type="button"
          onClick={() => {
            document.getElementById("section-title")?.focus();
            done();
          }}
        >
          {t("kept")}
        </button>
      </div>
    </section>
  );
}

/** A list that the API tells page by page, such as {"keys":[…],"next":…}. */
export function useList<Row>(path: string, name: string) {
  const [after, setAfter] = useState("");
  const got = useGet<Readonly<Record<string, unknown>>>(path + (after && `?after=${encodeURIComponent(after)}`));
  const rows = got.body?.[name] as readonly Row[] | undefined;
  const next = (got.body?.["next"] ?? null) as string | null;
  return { ...got, rows, next, after, setAfter };
}

interface ListProps {
  readonly title: string;
  readonly none: string;
  readonly list: ReturnType<typeof useList>;
  readonly columns: readonly string[];
  readonly children: ComponentChildren;
}

/** A list as a table, with its further pages. */
export function List({ title, none, list, columns, children }: ListProps) {
  const { rows, next, after, setAfter } = list;
  return (
    <section class="panel list" aria-label={title} aria-busy={rows === undefined && list.failure === undefined}>
      <h2>{title}</h2>
      <Trouble part={list as Got<unknown>} />
      {rows?.length === 0 && <p class="nothing">{none}</p>}
      {rows !== undefined && rows.length > 0 && (
        <table class="facts">
          <thead>
            <tr>
              {columns.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      )}
      {(after !== "" || next !== null) && (
        <div class="choices">
          {after !== "" && (
            <button type="button" onClick={() => setAfter("")}>
              {t("firstPage")}
            </button>
          )}
          {next !== null && (
            <button type="button" onClick={() => setAfter(next)}>
              {t("nextPage")}
            </button>
          )}
        </div>
      )}
    </section>
  );
}

/** A cell under the name of its column, which a phone shows beside it. */
export function Cell({ of, children }: { readonly of: string; readonly children: ComponentChildren }) {
  return <td data-of={of}>{children}</td>;
}
