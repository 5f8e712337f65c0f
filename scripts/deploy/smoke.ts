// The proof that a deployment counts: both Workers answer, and a hit that is sent is in the next answer of the API. It
// has a merchant of its own, made once and found by its name.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, Problem } from "../problem.ts";

const MERCHANT = "Footfall smoke test";
/** A new address on workers.dev may take a minute until every location knows it. */
const PATIENCE_MS = 120_000;

export interface Addresses {
  readonly collector: string;
  readonly query: string;
}

/** Waits until both Workers say that they are well. */
export async function checkHealth({ collector, query }: Addresses): Promise<void> {
  for (const origin of [collector, query]) {
    await patiently(`${origin}/health`, async () => {
      const response = await fetch(`${origin}/health`);
      const text = await response.text();
      return response.ok && text.includes("true") ? true : `${response.status} ${text.slice(0, 200)}`;
    });
  }
}

/** Sends one hit and asks until it is counted. */
export async function countOne({ collector, query }: Addresses, adminToken: string): Promise<void> {
  const admin = <T>(method: string, path: string, body?: object) =>
    ask<T>(`${query}/api/v1${path}`, { method, token: adminToken, body });
  const { id, tracking_id } = await merchantOf(admin);
  const key = await admin<{ readonly id: string; readonly api_key: string }>("POST", `/merchants/${id}/keys`, {
    name: "smoke test",
    scope: "read",
  });
  try {
    const pageviews = async () => {
      const question = { site_id: id, metrics: ["pageviews"], date_range: "day" };
      const answer = await ask<Answer>(`${query}/api/v2/query`, { method: "POST", token: key.api_key, body: question });
      return answer.results[0]?.metrics[0] ?? 0;
    };
    const before = await pageviews();
    const event = { tracking_id, name: "pageview", url: "https://smoke.example/", event_id: randomUUID() };
    await patiently(`${collector}/v1/events`, async () => {
      const response = await fetch(`${collector}/v1/events`, {
        method: "POST",
        body: JSON.stringify(event),
        headers: BROWSER,
      });
      return response.status === 202 ? true : `${response.status} ${(await response.text()).slice(0, 300)}`;
    });
    await patiently("the hit's count", async () => {
      const now = await pageviews();
      return now === before + 1 ? true : `${before} page views before the hit, ${now} after it`;
    });
  } finally {
    await admin("DELETE", `/merchants/${id}/keys/${key.id}`);
  }
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
  readonly tracking_id: string;
}

type Admin = <T>(method: string, path: string, body?: object) => Promise<T>;

async function merchantOf(admin: Admin): Promise<Merchant> {
  let after = "";
  for (;;) {
    const page = await admin<{ readonly merchants: readonly Merchant[]; readonly next?: string | null }>(
      "GET",
      `/merchants${after}`,
    );
    const found = page.merchants.find(({ name }) => name === MERCHANT);
    if (found !== undefined) return found;
    if (page.next === null || page.next === undefined) break;
    after = `?after=${encodeURIComponent(page.next)}`;
  }
  return admin<Merchant>("POST", "/merchants", { name: MERCHANT, time_zone: "UTC", currency: "EUR" });
}

async function ask<T>(
  url: string,
  { method, token, body }: { method: string; token: string; body?: object | undefined },
): Promise<T> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Problem(`smoke test: ${method} ${url} answers ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}

/** Tries until it is true, and fails with what it said last. */
async function patiently(what: string, attempt: () => Promise<true | string>): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (let wait = 200; ; wait = Math.min(wait * 2, 5_000)) {
    const outcome = await attempt().catch(messageOf);
    if (outcome === true) return;
    if (Date.now() + wait > end) throw new Problem(`smoke test: ${what}: ${outcome}`);
    await sleep(wait);
  }
}
