// Every event is written down before it is sent, and crossed out when the collector has answered; what has no answer is
// sent again with the next request, also by a later page. That is harmless: an event keeps its id and its time, and the
// collector counts an id of one Day once. Each event has an entry of its own in localStorage, because two tabs that
// rewrite one list would lose each other's. Where storage is blocked or full, an object stands in for it.

import { attempt, on } from "./guard.ts";
import { settings } from "./settings.ts";

const PREFIX = "_ff:";
/** Events that wait at most: beyond it the oldest are given up. */
const KEPT_COUNT_MAX = 100;
/** Events of one request: 20 of the largest that the collector takes fill its largest body. */
const SENT_COUNT_MAX = 20;
/** UTF-16 units of a body that is sure to be below the 64 KiB that browsers allow a request that outlives its page. */
const KEEPALIVE_LENGTH_MAX = 2e4;
/** What was not taken is tried again after this; also with the next event, and when the network is back. */
const RETRY_AFTER_MS = 2e4;

/** What waits, by key; and whether this browser is not to be counted (visitor.ts). */
export let store: Record<string, string> = {};
let isSending: unknown;
let timer: ReturnType<typeof setTimeout> | undefined;
let clock = 0;

export function openQueue(): void {
  store = attempt(() => localStorage) || store;
  on("online", send);
}

/** An id of its own: the time, which never repeats on a page, and 52 random bits against other pages. */
export function makeId(): string {
  clock = Math.max(Date.now(), clock + 1);
  return clock.toString(36) + Math.random().toString(36).slice(2);
}

/** Writes an event down. The order of a page's events is the order of their times, also within a millisecond. */
export function keep(event: object): void {
  const id = PREFIX + makeId();
  const text = JSON.stringify({ id, ...event, timestamp: clock });
  const keys = kept();
  if (keys[KEPT_COUNT_MAX - 1]) delete store[keys[0] as string];
  try {
    store[id] = text;
  } catch {
    store = { [id]: text }; // full: this page goes on in memory, what was written waits for the next one
  }
  sendAfter(0); // so that the events of one moment share a request
}

/** Keys of what waits, oldest first. */
export function kept(): string[] {
  return Object.keys(store)
    .filter((key) => key.startsWith(PREFIX))
    .sort();
}

/**
 * Sends what waits and crosses out what the collector answered for; any other answer, as of a hotel's
 * log-in, is none. One request at a time, but when the page goes (`isLast`): then what is under way is
 * sent once more rather than not at all.
 */
export async function send(isLast?: unknown): Promise<void> {
  const keys = kept().slice(0, SENT_COUNT_MAX);
  if (!keys[0] || (isSending && !isLast)) return;
  isSending = 1;
  let waitMs = RETRY_AFTER_MS;
  try {
    const body = `[${keys.map((key) => store[key])}]`;
    const response = await fetch(settings.endpoint, {
      method: "POST",
      body,
      keepalive: body.length < KEEPALIVE_LENGTH_MAX,
    });
    const { rejected = [] } = await response.json();
    if (response.status > 428) throw 0;
    for (const { index, code, message } of rejected) {
      if (code === "unavailable") throw 0;
      const key = keys[index] as string;
      const [, now] = message.split(" ahead of ");
      if (now) {
        // The clock here is wrong: the event's time is the collector's from now on, the same however often it is sent.
        store[key] = (store[key] as string).replace(/\d+}$/, `"${now}"}`);
        keys[index] = "";
      }
    }
    for (const key of keys) delete store[key];
    waitMs = 0;
  } catch {
    // No network, a server that wants us to wait (429) or is in trouble (5xx): all of it stays.
  }
  isSending = 0;
  sendAfter(waitMs);
}

function sendAfter(waitMs: number): void {
  clearTimeout(timer);
  timer = setTimeout(send, waitMs);
}
