// The collector when partitions do not take what it brings: what it asks of whom, how often, and what it answers. The
// app is the production one; partitions and queue are a few lines that fail as the test tells them to.

import { beforeEach, expect, test, vi } from "vitest";
import { partitionsOf } from "../../../core/counting/placement.ts";
import type { Arrival } from "../../../core/event.ts";
import { BUNDLE_MESSAGE_BYTES_MAX } from "../../../core/limits.ts";
import { decodeArrivals } from "../../../core/overflow.ts";
import { encodeTrackingId } from "../../../core/tracking-id.ts";
import type { AppendReply, AppendRequest } from "../../../durable-objects/rpc.ts";
import { readOverflowSince } from "../../../storage/ledger/overflow-note.ts";
import { unpackOverflow } from "../../../storage/overflow-message.ts";
import { signsOf } from "../../../storage/signing.ts";
import { app } from "../../../workers/collector/app.ts";
import { makeDatabases } from "../../support/databases.ts";
import { seededRandom } from "../../support/random.ts";
import type { Report } from "../../support/services.ts";
import { sqliteD1 } from "../../support/sqlite.ts";

/** Work for after the answer is done at once. */
const CONTEXT = {
  waitUntil: () => undefined,
  passThroughOnException: () => undefined,
  props: {},
} as unknown as ExecutionContext;

const SECRETS = { TRACKING_SECRET: "secret", ADMIN_TOKEN: "admin" };
const SETTINGS = { POOL_SIZE: "4", DEVELOPMENT: "true" };

type PartitionMood = "takes" | "throws" | "throws once" | "overloaded" | "reads no settings of odd ids";

/** How each partition behaves; those not named take everything. */
let moods: Map<string, PartitionMood>;
/** Both queues. */
let queueFails: boolean;
/** The second of them. */
let otherFails: boolean;
/** Where it is noted that something waits. */
let db: D1Database | undefined;
/** Partitions in the order in which they were asked, and messages as the queue got them. */
let asked: string[];
let messages: Uint8Array[];

beforeEach(() => {
  moods = new Map();
  queueFails = false;
  otherFails = false;
  db = namedLedger();
  asked = [];
  messages = [];
});

const [here, there] = merchantsApart();
/** Its number. */
const HERE = 1;

test("[OVF-1] a partition that fails once is asked once more, and nothing overflows", async () => {
  moods.set(here.partition, "throws once");
  expect(await send([eventOf(here, 1)])).toMatchObject({ status: 202, body: { accepted: 1, rejected: [] } });
  expect(asked).toEqual([here.partition, here.partition]);
  expect(messages).toEqual([]);
});

test("[OVF-1] one that keeps failing is asked twice; its events overflow, sealed, and the answer is 202", async () => {
  moods.set(here.partition, "throws");
  const events = [eventOf(here, 1), eventOf(here, 2)];
  expect(await send(events)).toMatchObject({ status: 202, body: { accepted: 2, rejected: [] } });
  expect(asked).toEqual([here.partition, here.partition]);
  expect(overflowed()).toEqual([{ partition: here.partition, ids: ["event 1", "event 2"] }]);
  expect(Buffer.concat(messages).includes("203.0.113.5")).toBe(false);
});

test("[OVF-3] an overloaded partition is not asked again: its events overflow at once", async () => {
  moods.set(here.partition, "overloaded");
  expect(await send([eventOf(here, 1)])).toMatchObject({ status: 202, body: { accepted: 1 } });
  expect(asked).toEqual([here.partition]);
  expect(overflowed()).toEqual([{ partition: here.partition, ids: ["event 1"] }]);
});

test("[PAR-23] of what a partition has taken nothing overflows, of what it could not read the settings for everything", async () => {
  moods.set(here.partition, "reads no settings of odd ids");
  const events = [eventOf(here, 1), eventOf(here, 2), eventOf(here, 3)];
  expect(await send(events)).toMatchObject({ status: 202, body: { accepted: 3, rejected: [] } });
  expect(asked).toEqual([here.partition]);
  expect(overflowed()).toEqual([{ partition: here.partition, ids: ["event 1", "event 3"] }]);
});

test("[OVF-1] what overflows is only what belongs to the partition that failed", async () => {
  moods.set(here.partition, "throws");
  const events = [eventOf(here, 1), eventOf(there, 2), eventOf(here, 3)];
  expect(await send(events)).toMatchObject({ status: 202, body: { accepted: 3 } });
  expect(overflowed()).toEqual([{ partition: here.partition, ids: ["event 1", "event 3"] }]);
});

test.each(["throws", "overloaded"] as const)(
  "[OVF-4] partition %s and queue down: 503 with Retry-After, and every event says that it was not stored",
  async (mood) => {
    moods.set(here.partition, mood);
    queueFails = true;
    const answer = await send([eventOf(here, 1), eventOf(here, 2)]);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    const unavailable = { code: "unavailable", message: expect.stringContaining("same id") };
    expect(answer.body).toEqual({
      accepted: 0,
      duplicates: 0,
      dropped: [],
      rejected: [0, 1].map((index) => ({ index, ...unavailable })),
    });
  },
);

test("[OVF-4] when only some partitions of a batch cannot store, only their events are to be sent again", async () => {
  moods.set(here.partition, "throws");
  queueFails = true;
  const answer = await send([eventOf(here, 1), eventOf(there, 2), eventOf(here, 3), eventOf(there, 4)]);
  expect(answer).toMatchObject({ status: 202, body: { accepted: 2 } });
  expect(answer.body.rejected.map(({ index, code }) => [index, code])).toEqual([
    [0, "unavailable"],
    [2, "unavailable"],
  ]);
});

test("[OVF-4] a refused event beside one that could not be stored does not hide that the client must come again", async () => {
  moods.set(here.partition, "throws");
  queueFails = true;
  const answer = await send([eventOf(here, 1), { ...eventOf(here, 2), tracking_id: "nonsense" }]);
  expect(answer.status).toBe(503);
  expect(answer.body.rejected.map(({ code }) => code).sort()).toEqual(["unavailable", "unknown_tracking_id"]);
});

test("[OVF-4] the pixel answers 503 too, not an image", async () => {
  moods.set(here.partition, "throws");
  queueFails = true;
  const answer = await ask(`/v1/pixel.gif?tracking_id=${here.trackingId}`, { method: "GET" });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([503, "application/json"]);
});

test("[OVF-5] a request too large for one message overflows in several, each event once", async () => {
  moods.set(here.partition, "overloaded");
  const random = seededRandom(7);
  const events = Array.from({ length: 800 }, (_, index) => ({ ...eventOf(here, index), title: random.hex(250) }));
  expect(await send(events)).toMatchObject({ status: 202, body: { accepted: 800 } });
  expect(messages.length).toBeGreaterThan(1);
  for (const message of messages) expect(message.length).toBeLessThanOrEqual(BUNDLE_MESSAGE_BYTES_MAX);
  expect(overflowed().flatMap(({ ids }) => ids)).toEqual(events.map(({ id }) => id));
});

test("[OVF-9] hits that overflow in a moment are one message, for all their partitions", async () => {
  moods.set(here.partition, "overloaded").set(there.partition, "throws");
  const answers = await Promise.all([send([eventOf(here, 1)]), send([eventOf(there, 2)]), send([eventOf(here, 3)])]);
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
  expect(messages).toHaveLength(1);
  expect(overflowed()).toEqual([
    { partition: here.partition, ids: ["event 1", "event 3"] },
    { partition: there.partition, ids: ["event 2"] },
  ]);
});

test("[OVF-9] what one queue does not take another does", async () => {
  moods.set(here.partition, "overloaded");
  otherFails = true;
  for (let number = 1; number <= 8; number++) expect((await send([eventOf(here, number)])).status).toBe(202);
  expect(overflowed().flatMap(({ ids }) => ids)).toHaveLength(8);
});

test("[OVF-8] what overflows is noted before it is sent, and no more once the queue has refused it", async () => {
  moods.set(here.partition, "throws");
  const sinceNow = () => readOverflowSince(db as D1Database, HERE);
  const before = Date.now();
  await send([eventOf(here, 1)]);
  expect(await sinceNow()).toBeGreaterThanOrEqual(before);
  expect(await sinceNow()).toBeLessThanOrEqual(Date.now());
  db = namedLedger();
  queueFails = true;
  expect((await send([eventOf(here, 2)])).status).toBe(503);
  await vi.waitFor(async () => expect(await sinceNow()).toBeUndefined());
  queueFails = false;
  db = undefined; // D1 does not answer
  expect(await send([eventOf(here, 3)])).toMatchObject({ status: 202, body: { accepted: 1 } });
  db = namedLedger();
  expect((await send([eventOf(here, 4)])).status).toBe(202);
  expect(await sinceNow()).toBeUndefined(); // D1 is left alone for a while
  expect(messages).toHaveLength(3);
});

interface Shop {
  readonly trackingId: string;
  readonly partition: string;
}

/** A ledger that was opened before: it knows its name, and needs no directory to be one. */
function namedLedger(): D1Database {
  const ledger = makeDatabases();
  ledger.database.exec("INSERT INTO identity (id, position, ledgers, name) VALUES (1, 0, 1, 'a ledger')");
  return sqliteD1(ledger.database);
}

/** Two merchants whose events are counted in different partitions. */
function merchantsApart(): readonly [Shop, Shop] {
  const shops = Array.from({ length: 20 }, (_, index): Shop => {
    const merchant = index + 1;
    const trackingId = encodeTrackingId({ merchant, stream: 1 }, signsOf(SECRETS)[0]);
    return { trackingId, partition: partitionsOf({ merchant }, { poolSize: 4, regions: [] })[0] as string };
  });
  const first = shops[0] as Shop;
  return [first, shops.find(({ partition }) => partition !== first.partition) as Shop];
}

function eventOf({ trackingId }: Shop, number: number) {
  return { tracking_id: trackingId, id: `event ${number}`, url: "https://shop.example/" };
}

function overflowed(): readonly { partition: string; ids: readonly string[] }[] {
  return messages.flatMap((message) => {
    const { parts } = unpackOverflow(message, [SECRETS.TRACKING_SECRET]);
    return parts.map(({ partition, arrivals }) => ({ partition, ids: arrivals.map(({ event }) => event.id) }));
  });
}

async function send(events: readonly object[]) {
  return ask("/v1/events", { method: "POST", body: JSON.stringify(events) });
}

async function ask(path: string, init: RequestInit) {
  const headers = { "x-footfall-address": "203.0.113.5" };
  const response = await app.request(path, { ...init, headers }, envOf(), CONTEXT);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Report };
}

function envOf() {
  const queue = {
    send: async (message: Uint8Array) => {
      if (queueFails) throw new Error("the queue is down");
      messages.push(message);
    },
  };
  const otherQueue = {
    send: async (message: Uint8Array) => {
      if (queueFails || otherFails) throw new Error("the other queue is down");
      messages.push(message);
    },
  };
  const partition = (name: string) => ({
    append: async ({ arrivals }: AppendRequest): Promise<AppendReply> => {
      asked.push(name);
      return replyOf(name, decodeArrivals(arrivals));
    },
  });
  return {
    ...SECRETS,
    ...SETTINGS,
    DIRECTORY: {},
    LEDGER_0: db ?? {},
    PARTITION: { getByName: partition },
    OVERFLOW_QUEUE_0: queue,
    OVERFLOW_QUEUE_1: otherQueue,
  };
}

function replyOf(name: string, arrivals: readonly Arrival[]): AppendReply {
  const mood = moods.get(name) ?? "takes";
  if (mood === "throws once") moods.delete(name);
  if (mood === "throws" || mood === "throws once") throw new Error(`${name} was reset`);
  if (mood === "overloaded") return "overloaded";
  const isUnread = ({ event }: Arrival) => mood === "reads no settings of odd ids" && /[13579]$/.test(event.id);
  return arrivals.map((arrival) => (isUnread(arrival) ? ("unread" as const) : ("accepted" as const)));
}
