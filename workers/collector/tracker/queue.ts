// Keeps every event until the collector has answered for it. An event is stored before it is sent, and deleted after
// the answer. An event without an answer is sent again with the next request, also by a later page. That is harmless:
// an event keeps its id and its time, and the collector counts an id once for each Day. Each event has its own entry in
// localStorage, because two tabs that rewrite one list would lose each other's events. Where storage is blocked or
// full, an object replaces it.

import { attempt, on } from "./guard.ts";
import { settings } from "./settings.ts";

const PREFIX = "_ff:";
/** How many events wait at most. Beyond it the oldest ones are given up. */
const KEPT_COUNT_MAX = 100;
/** How many events a request has at most: 20 of the largest events fill the largest body that the collector takes. */
const SENT_COUNT_MAX = 20;
/**
 * The length of a body, in UTF-16 units, that is surely below 64 KiB. That is the most that browsers allow a request
 * that outlives its page.
 */
const KEEPALIVE_LENGTH_MAX = 2e4;
/**
 * Events that were not taken are sent again after this time. They are also sent with the next event, and when the
 * network is back.
 */
const RETRY_AFTER_MS = 2e4;

/** The events that wait, by key, and whether this browser must not be counted (visitor.ts). */
export let store: Record<string, string> = {};
let isSending: unknown;
let timer: ReturnType<typeof setTimeout> | undefined;
let clock = 0;

export function openQueue(): void {
  store = attempt(() => localStorage) || store;
  on("online", send);
}

/** Makes an id: the time, which never repeats on a page, and 52 random bits that differ from page to page. */
export function makeId(): string {
  clock = Math.max(Date.now(), clock + 1);
  return clock.toString(36) + Math.random().toString(36).slice(2);
}

/** Stores an event. A page's events are ordered by their times, also within a millisecond. */
export function keep(event: object): void {
  const id = PREFIX + makeId();
  const text = JSON.stringify({ id, ...event, timestamp: clock });
  const keys = kept();
  if (keys[KEPT_COUNT_MAX - 1]) delete store[keys[0] as string];
  try {
    store[id] = text;
  } catch {
    store = { [id]: text }; // full: this page continues in memory, what was stored waits for the next page
  }
  sendAfter(0); // later, so that the events of one moment share a request
}

/** The keys of the events that wait, oldest first. */
export function kept(): string[] {
  return Object.keys(store)
    .filter((key) => key.startsWith(PREFIX))
    .sort();
}

/**
 * Sends the events that wait, and deletes those that the collector has answered for. Any other answer, such as a
 * hotel's log-in page, deletes nothing. There is one request at a time, except when the page is left (`isLast`). Then
 * events that are being sent are sent once more, since their request may be lost.
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
        // This browser's clock is wrong. The event's time becomes the collector's, and stays so in every later copy.
        store[key] = (store[key] as string).replace(/\d+}$/, `"${now}"}`);
        keys[index] = "";
      }
    }
    for (const key of keys) delete store[key];
    waitMs = 0;
  } catch {
    // There was no network, or the server wants us to wait (429), or it has failed (5xx). All events stay.
  }
  isSending = 0;
  sendAfter(waitMs);
}

function sendAfter(waitMs: number): void {
  clearTimeout(timer);
  timer = setTimeout(send, waitMs);
}
