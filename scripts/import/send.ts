// One batch to the collector, for as long as it takes: what the network or the service did wrong is tried again with a
// growing pause, what the request did wrong is not. A repeat is harmless because the events carry their ids.

import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, Problem } from "../problem.ts";
import type { BatchAnswer } from "./tally.ts";

export interface Destination {
  readonly collectorUrl: string;
  readonly trackingId: string;
  /** Such as `x-footfall-place` in the demo. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The import that the events are of. */
  readonly importNumber?: number | undefined;
}

const ATTEMPTS_MAX = 9;
const TIMEOUT_MS = 60_000;
const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 30_000;

/**
 * Sends events until the collector has answered for each of them. Throws a `Problem` when that is hopeless. `say` hears
 * of every attempt that failed and is made again: all of them may take a minute and a half.
 */
export async function sendEvents(
  destination: Destination,
  events: readonly object[],
  say: (text: string) => void,
): Promise<BatchAnswer> {
  const { trackingId, importNumber } = destination;
  const body = JSON.stringify({ tracking_id: trackingId, ...(importNumber && { import: importNumber }), events });
  let trouble = "";
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    let answered: Answered;
    try {
      answered = await post(destination, body);
    } catch (error) {
      if (error instanceof Problem) throw error;
      answered = { kind: "again", trouble: messageOf(error), afterMs: 0 };
    }
    if (answered.kind === "answer") return answered.answer;
    if (answered.kind === "too large") return await sendHalves(destination, events, say);
    trouble = answered.trouble;
    if (attempt === ATTEMPTS_MAX - 1) break;
    say(`${destination.collectorUrl} does not take events (${trouble}); trying again, ${leftText(attempt)}`);
    await sleep(Math.max(pauseMs(attempt), answered.afterMs));
  }
  throw new Problem(`${destination.collectorUrl} does not take events (${trouble}); run the same command again later`);
}

/** The pause after a failed attempt: doubling, between half a second and half a minute. */
export function pauseMs(attempt: number): number {
  return Math.min(PAUSE_MIN_MS * 2 ** attempt, PAUSE_MAX_MS);
}

/** How long it goes on after a failed attempt, by the pauses alone. */
function leftText(attempt: number): string {
  let leftMs = 0;
  for (let next = attempt; next < ATTEMPTS_MAX - 1; next++) leftMs += pauseMs(next);
  return `for ${Math.ceil(leftMs / 1000)} s at least`;
}

/** What "Retry-After" asks for, in seconds or as a date; 0 when it says nothing. Bounded, whoever wrote it. */
export function retryAfterMs(header: string | null, now: number): number {
  if (header === null) return 0;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(wait) ? 0 : Math.min(Math.max(wait, 0), PAUSE_MAX_MS);
}

type Answered =
  | { readonly kind: "answer"; readonly answer: BatchAnswer }
  | { readonly kind: "too large" }
  | { readonly kind: "again"; readonly trouble: string; readonly afterMs: number };

async function post({ collectorUrl, headers }: Destination, body: string): Promise<Answered> {
  const response = await fetch(`${collectorUrl}/v1/events`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  if (response.status === 413) return { kind: "too large" };
  if (response.status === 429 || response.status >= 500) {
    const afterMs = retryAfterMs(response.headers.get("retry-after"), Date.now());
    return { kind: "again", trouble: `${response.status} ${text.slice(0, 200)}`, afterMs };
  }
  const answer = parseAnswer(text);
  if (answer === undefined) throw new Problem(`${collectorUrl} answers ${response.status}: ${text.slice(0, 300)}`);
  const [first] = answer.rejected;
  if (response.status === 400 && first !== undefined && first.code.endsWith("tracking_id")) {
    throw new Problem(`${first.message} (--tracking-id)`);
  }
  return { kind: "answer", answer };
}

async function sendHalves(
  destination: Destination,
  events: readonly object[],
  say: (text: string) => void,
): Promise<BatchAnswer> {
  if (events.length === 1) {
    const rejected = [{ index: 0, code: "event_too_large", message: "the collector does not take so large an event" }];
    return { accepted: 0, duplicates: 0, dropped: [], rejected };
  }
  const half = events.length >> 1;
  const first = await sendEvents(destination, events.slice(0, half), say);
  const second = await sendEvents(destination, events.slice(half), say);
  const shift = <T extends { readonly index: number }>(list: readonly T[]) =>
    list.map((entry) => ({ ...entry, index: entry.index + half }));
  return {
    accepted: first.accepted + second.accepted,
    duplicates: first.duplicates + second.duplicates,
    dropped: [...first.dropped, ...shift(second.dropped)],
    rejected: [...first.rejected, ...shift(second.rejected)],
  };
}

function parseAnswer(text: string): BatchAnswer | undefined {
  try {
    const value = JSON.parse(text) as Partial<BatchAnswer>;
    return Array.isArray(value.rejected) && typeof value.accepted === "number" ? (value as BatchAnswer) : undefined;
  } catch {
    return undefined;
  }
}
