// Asks for numbers: all questions over one range and filter in one request. What went wrong has a name.

import { shareToken } from "./boot.ts";

export interface Money {
  readonly value: number;
  readonly currency: string;
  readonly short: string;
  readonly long: string;
}

export interface Row {
  readonly metrics: readonly (number | Money | null)[];
  readonly dimensions: readonly string[];
  readonly comparison?: {
    readonly metrics: readonly (number | Money | null)[];
    readonly dimensions: readonly string[];
    readonly change: readonly (number | null)[];
  };
}

export interface ForeignMoney {
  readonly currency: string;
  readonly value: number;
}

export interface Meta {
  readonly as_of: string;
  readonly sources: { readonly from: string };
  readonly rules: number;
  readonly visitors?: { readonly exact: boolean; readonly standard_error?: number };
  readonly orders?: { readonly exact: boolean };
  readonly total_rows?: number;
  readonly time_labels?: readonly string[];
  readonly comparison_date_range?: readonly [string, string];
  /** Only where Days of the range are imported rollups: whether they are in it, and which. */
  readonly imports_included?: boolean;
  readonly imports?: {
    readonly days: readonly (readonly [string, string])[];
    readonly of: readonly { readonly source: string }[];
    readonly estimated: readonly string[];
    readonly without: readonly string[];
  };
  /** Of metrics that are money: what no exchange rate is known for, and so is not in them. */
  readonly metric_warnings?: Readonly<Record<string, { readonly unconverted: readonly ForeignMoney[] }>>;
}

export interface Answer {
  readonly results: readonly Row[];
  readonly meta: Meta;
  readonly query: { readonly date_range: readonly [string, string] };
}

export interface Question {
  readonly metrics: readonly string[];
  readonly dimensions?: readonly string[];
  readonly filters?: readonly unknown[];
  readonly include?: Readonly<Record<string, unknown>>;
  readonly pagination?: { readonly limit: number; readonly offset?: number };
}

/** What is no table of metrics. Its results are rows of its own. */
export interface Report {
  readonly kind: "retention" | "paths" | "funnel" | "orders";
  readonly steps?: readonly { readonly name: string; readonly filters: readonly unknown[] }[];
  /** Of a funnel: how long after its first step the others count. */
  readonly window_seconds?: number;
  readonly depth?: number;
  /** The page that paths begin with, or end with. */
  readonly from?: string;
  readonly to?: string;
  readonly limit?: number;
}

export type Asked = Question | Report;

export interface Shared {
  readonly site_id: string;
  readonly date_range: string | readonly [string, string];
  readonly filters: readonly unknown[];
}

/** Why there is no answer. "refused" has the API's words. */
export type Failure =
  | { readonly why: "offline" }
  | { readonly why: "signed out" }
  | { readonly why: "too often"; readonly retryAfterSeconds: number }
  | {
      readonly why: "refused" | "failed";
      readonly message: string;
      /** Of a request that changes something: what kind of refusal, and the field that is wrong. */
      readonly code?: string;
      readonly field?: string;
    };

/** A large question is a job: it goes on by itself, and is asked after. */
export interface Job {
  readonly id: string;
  readonly parts?: { readonly all: number; readonly done: number };
}

export type Told = { readonly answer: Answer } | { readonly failure: Failure } | { readonly job: Job };

/** Questions by name to what is told of each, in one request. */
export async function askTogether<Name extends string>(
  shared: Shared,
  questions: Readonly<Record<Name, Asked>>,
  signal?: AbortSignal,
): Promise<Record<Name, Told>> {
  const reply = await request("POST", "/api/v2/batch", { body: { ...shared, questions }, signal });
  const answers = "body" in reply ? (reply.body as { answers: Record<string, unknown> }).answers : undefined;
  const told = (Object.keys(questions) as Name[]).map((name) => {
    if (answers === undefined) return [name, toTold(reply)] as const;
    return [name, toTold({ status: 200, body: answers[name] })] as const;
  });
  return Object.fromEntries(told) as Record<Name, Told>;
}

/** Requests about jobs that are under way: a job of several questions is asked after once for all of them. */
const following = new Map<string, ReturnType<typeof request>>();

/** What has become of a job, for one of the questions that it is of. */
export async function followJob(site: string, { id }: Job, name: string): Promise<Told> {
  const path = `/api/v2/queries/${encodeURIComponent(id)}?site_id=${encodeURIComponent(site)}`;
  const asked = following.get(id) ?? request("GET", path);
  following.set(id, asked);
  const reply = await asked;
  following.delete(id);
  const answers = "body" in reply ? (reply.body as { answers?: Record<string, unknown> }).answers : undefined;
  return toTold(answers === undefined ? reply : { status: 200, body: answers[name] });
}

/** Where the API does not say when to ask again. */
const RETRY_SECONDS = 10;

type Reply = { readonly status: number; readonly body: unknown } | { readonly failure: Failure };

interface Sent {
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request to the API, by the session's cookie or the share link's token. Aborting rejects; nothing else does. */
export async function request(method: string, path: string, { body, signal, headers }: Sent = {}): Promise<Reply> {
  const init: RequestInit = {
    method,
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(shareToken !== undefined && { authorization: `Bearer ${shareToken}` }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal !== undefined && { signal }),
  };
  const response = await fetch(path, init).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    return undefined; // the network's own failures say no more than that there was none
  });
  if (response === undefined) return { failure: { why: "offline" } };
  const read = await response.json().catch(() => undefined);
  if (response.ok && read !== undefined) return { status: response.status, body: read };
  return { failure: failureOf(response, read) };
}

function failureOf({ status, headers }: Response, body: unknown): Failure {
  const message = messageOf(body);
  if (status === 401) return { why: "signed out" };
  if (status === 429)
    return { why: "too often", retryAfterSeconds: Number(headers.get("retry-after")) || RETRY_SECONDS };
  if (status >= 500) return { why: "failed", message };
  const { code, field } = (body as { error?: { code?: string; field?: string } } | undefined)?.error ?? {};
  return { why: "refused", message, ...(code !== undefined && { code }), ...(field !== undefined && { field }) };
}

/** The words of a refusal: a text of questions, an object of the admin API. */
export function messageOf(body: unknown): string {
  const error = (body as { error?: string | { message?: string } } | undefined)?.error;
  return typeof error === "string" ? error : (error?.message ?? "");
}

function toTold(reply: Reply): Told {
  if ("failure" in reply) return reply;
  const body = reply.body as (Partial<Answer & Job> & { readonly code?: string }) | undefined;
  if (body?.results !== undefined) return { answer: body as Answer };
  if (body?.id !== undefined) return { job: body as Job };
  // One of several questions, which were taken as one request.
  if (body?.code === "rate_limited") return { failure: { why: "too often", retryAfterSeconds: RETRY_SECONDS } };
  return { failure: { why: "refused", message: messageOf(body) } };
}
