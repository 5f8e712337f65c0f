// The proof that a deployment counts, which gates every version of it: both Workers answer as the version that was
// deployed; a hit is taken once, and known the second time; the API counts it once; a key opens no other merchant. It
// has two merchants of its own, made once and found by their names.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, Problem } from "../problem.ts";

const MERCHANT = "Footfall smoke test";
const OTHER = "Footfall smoke test, another merchant";
/** A new address on workers.dev may take a minute until every location knows it. */
export const PATIENCE_MS = 120_000;

export interface Addresses {
  readonly collector: string;
  readonly query: string;
}

export interface HealthOptions {
  /** What each must say its version is; undefined where any will do. */
  readonly tags?: Readonly<Record<"collector" | "query", string>> | undefined;
  readonly patienceMs: number;
}

/** Waits until both Workers say that they are well. */
export async function checkHealth(addresses: Addresses, { tags, patienceMs }: HealthOptions): Promise<void> {
  for (const worker of ["collector", "query"] as const) {
    const url = `${addresses[worker]}/health`;
    await patiently(url, patienceMs, async () => {
      const response = await fetch(url);
      const text = await response.text();
      const isRight = tags === undefined || text.includes(`"${tags[worker]}"`);
      if (response.ok && text.includes("true")) return isRight || `answers as another version: ${text.slice(0, 200)}`;
      return `${response.status} ${text.slice(0, 200)}`;
    });
  }
}

/** Whether the query Worker knows the token, and refuses it. One that does not answer refuses nothing. */
export async function isRefusedToken({ query }: Addresses, adminToken: string): Promise<boolean> {
  const response = await fetch(`${query}/api/v1/merchants`, { headers: headersOf(adminToken) }).catch(() => undefined);
  await response?.body?.cancel();
  return response?.status === 401;
}

export interface CountOptions {
  readonly adminToken: string;
  readonly patienceMs: number;
}

/** Sends one hit twice, asks until it is counted, and asks for what is another merchant's. */
export async function countOne(
  { collector, query }: Addresses,
  { adminToken, patienceMs }: CountOptions,
): Promise<void> {
  const admin = <T>(method: string, path: string, body?: object) =>
    ask<T>(`${query}/api/v1${path}`, { method, token: adminToken, body });
  const { id } = await merchantOf(admin, MERCHANT);
  const other = await merchantOf(admin, OTHER);
  const { streams } = await admin<Streams>("GET", `/merchants/${id}/streams`);
  const [stream] = streams;
  if (stream === undefined) throw new Problem(`smoke test: the merchant "${MERCHANT}" has no stream: make one`);
  const { tracking_id } = stream;
  const key = await admin<{ readonly id: string; readonly api_key: string }>("POST", `/merchants/${id}/keys`, {
    name: "smoke test",
    scope: "read",
  });
  try {
    const question = { metrics: ["pageviews"], date_range: "day" };
    const pageviews = async () => {
      const body = { site_id: id, ...question };
      const answer = await ask<Answer>(`${query}/api/v2/query`, { method: "POST", token: key.api_key, body });
      return answer.results[0]?.metrics[0] ?? 0;
    };
    const before = await pageviews();
    const event = { tracking_id, name: "pageview", url: "https://smoke.example/", id: randomUUID() };
    // An answer may be lost, so the first one that is heard may be of the second hit.
    await patiently(`${collector}/v1/events`, patienceMs, () => send(collector, event, /"(accepted|duplicates)":1/));
    await patiently("the same hit again", patienceMs, () => send(collector, event, /"duplicates":1/));
    await patiently("the hit's count", patienceMs, async () => {
      const now = await pageviews();
      return now === before + 1 || `${before} page views before the hit, ${now} after it`;
    });
    const body = JSON.stringify({ site_id: other.id, ...question });
    const foreign = await fetch(`${query}/api/v2/query`, { method: "POST", body, headers: headersOf(key.api_key) });
    if (foreign.ok) throw new Problem("smoke test: a key of one merchant was answered with the numbers of another");
  } finally {
    await admin("DELETE", `/merchants/${id}/keys/${key.id}`);
  }
}

async function send(collector: string, event: object, wanted: RegExp): Promise<true | string> {
  const body = JSON.stringify(event);
  const response = await fetch(`${collector}/v1/events`, { method: "POST", body, headers: BROWSER });
  const text = await response.text();
  return (response.status === 202 && wanted.test(text)) || `${response.status} ${text.slice(0, 300)}`;
}

/** As a visitor's browser: a program would be taken for a bot, and be dropped. */
const BROWSER = {
  "content-type": "application/json",
  "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
};

interface Answer {
  readonly results: readonly { readonly metrics: readonly number[] }[];
}

interface Merchant {
  readonly id: string;
  readonly name: string;
}

interface Streams {
  readonly streams: readonly { readonly tracking_id: string }[];
}

type Admin = <T>(method: string, path: string, body?: object) => Promise<T>;

async function merchantOf(admin: Admin, name: string): Promise<Merchant> {
  let after = "";
  for (;;) {
    const page = await admin<{ readonly merchants: readonly Merchant[]; readonly next?: string | null }>(
      "GET",
      `/merchants${after}`,
    );
    const found = page.merchants.find((one) => one.name === name);
    if (found !== undefined) return found;
    if (page.next === null || page.next === undefined) break;
    after = `?after=${encodeURIComponent(page.next)}`;
  }
  return admin<Merchant>("POST", "/merchants", { name, time_zone: "UTC", currency: "EUR" });
}

async function ask<T>(
  url: string,
  { method, token, body }: { method: string; token: string; body?: object | undefined },
): Promise<T> {
  const response = await fetch(url, {
    method,
    headers: headersOf(token),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Problem(`smoke test: ${method} ${url} answers ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}

function headersOf(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, "content-type": "application/json" };
}

/** Tries until it is true, and fails with what it said last. */
async function patiently(what: string, patienceMs: number, attempt: () => Promise<true | string>): Promise<void> {
  const end = Date.now() + patienceMs;
  for (let wait = 200; ; wait = Math.min(wait * 2, 5_000)) {
    const outcome = await attempt().catch(messageOf);
    if (outcome === true) return;
    if (Date.now() + wait > end) throw new Problem(`smoke test: ${what}: ${outcome}`);
    await sleep(wait);
  }
}
