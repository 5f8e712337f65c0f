// `npm run bench:spread`: one merchant sends more than a partition takes of anybody. Its partition turns the rest away,
// which overflows and is counted later, and asks for the merchant to be spread; from its next midnight on the same load
// goes to four partitions and nothing overflows. Production code of collector and partitions on node:sqlite and a clock
// that jumps; the collector is told nothing. At the end every event is counted once, also where all are sent again.

import { partitionsOf } from "../core/counting/placement.ts";
import type { Arrival } from "../core/event.ts";
import { ADMISSION_WINDOW_MS, MERCHANT_EVENTS_PER_WINDOW_MAX } from "../core/limits.ts";
import type { Settings } from "../core/merchant.ts";
import { zeroMeter } from "../core/meter.ts";
import type { OverflowPart } from "../core/overflow.ts";
import { DAY_MS } from "../core/time.ts";
import { append } from "../durable-objects/append.ts";
import { counted } from "../durable-objects/spread.ts";
import { deliverBody } from "../queues/overflow.ts";
import { settingsOf, TUESDAY } from "../test/support/events.ts";
import { TestPartition } from "../test/support/partition.ts";
import { place, SpreadMemory } from "../workers/collector/place.ts";
import { print, rounded } from "./measure.ts";
import { makeTraffic } from "./traffic.ts";

const PER_SECOND = Number(process.env["PER_SECOND"] ?? 1.5 * MERCHANT_EVENTS_PER_WINDOW_MAX);
const SECONDS = Number(process.env["SECONDS"] ?? 12);
const BATCH = 500;
const POOL_SIZE = 1;
const MERCHANT = 1;
const MIDNIGHT = Math.ceil(TUESDAY / DAY_MS) * DAY_MS;

const settings = new Map<number, Settings>([[MERCHANT, settingsOf("UTC", { merchant: MERCHANT })]]);
const partitions = new Map<string, TestPartition>();
const spreads = new SpreadMemory();
const overflowed: OverflowPart[] = [];
let calls = 0;
let now = TUESDAY;

function partitionNamed(name: string): TestPartition {
  const known = partitions.get(name);
  if (known !== undefined) return known;
  const made = new TestPartition(name, POOL_SIZE);
  // The one database of all of them.
  made.settings.set(MERCHANT, settings.get(MERCHANT) as Settings);
  made.counted = async (other, request) => counted(partitionNamed(other).partition, request);
  partitions.set(name, made);
  return made;
}

async function appendTo(name: string, arrivals: readonly Arrival[]) {
  calls += 1;
  const it = partitionNamed(name);
  it.now = now;
  const reply = await append(it.partition, arrivals);
  const asked = it.settings.get(MERCHANT) as Settings;
  if (asked.version > (settings.get(MERCHANT)?.version ?? 0)) settings.set(MERCHANT, asked);
  for (const one of partitions.values()) one.settings.set(MERCHANT, settings.get(MERCHANT) as Settings);
  return reply;
}

interface Load {
  readonly day: string;
  readonly partitions: number;
  readonly overflowed: number;
  readonly busiest: number;
}

/** A second after the other, `SECONDS` long; then what overflowed is delivered. */
async function send(events: readonly Arrival[], day: string): Promise<Load> {
  const before = new Map([...partitions].map(([name, it]) => [name, it.partition.next]));
  for (let start = 0; start < events.length; start += BATCH) {
    const second = Math.floor(start / PER_SECOND);
    now = (events[0] as Arrival).event.timestamp + second * ADMISSION_WINDOW_MS;
    const delivery = {
      append: appendTo,
      overflow: async (one: OverflowPart) => void overflowed.push(one),
      log: () => {},
    };
    const fates = await place(events.slice(start, start + BATCH), {
      spreads,
      poolSize: POOL_SIZE,
      nearby: undefined,
      delivery,
    });
    const lost = fates.filter((fate) => fate === "unavailable" || fate === "unknown").length;
    if (lost > 0) throw new Error(`${lost} events were not taken`);
  }
  const grown = [...partitions].map(([name, it]) => it.partition.next - (before.get(name) ?? 1));
  const late = overflowed.reduce((sum, { arrivals }) => sum + arrivals.length, 0);
  now += ADMISSION_WINDOW_MS;
  for (const one of overflowed.splice(0)) {
    now += ADMISSION_WINDOW_MS / 4;
    const notes = { note: async () => {}, settle: async () => {} };
    const deps = {
      ...notes,
      unpack: () => ({ id: "", parts: [one] }),
      append: appendTo,
      poolSize: POOL_SIZE,
      now: () => Date.now(),
      meter: zeroMeter(),
      log: () => {},
    };
    await deliverBody(new Uint8Array(), deps);
  }
  return {
    day,
    partitions: grown.filter((count) => count > 0).length,
    overflowed: late,
    busiest: Math.max(...grown) / SECONDS,
  };
}

function eventsAt(start: number): readonly Arrival[] {
  const traffic = makeTraffic({ merchants: 1, eventsPerSecond: PER_SECOND });
  return Array.from({ length: PER_SECOND * SECONDS }, (_, index) => {
    const arrival = traffic.next(start + Math.floor((index / PER_SECOND) * 1_000));
    return { ...arrival, event: { ...arrival.event, id: `${start}-${index}` } };
  });
}

const loads: Load[] = [];
const days = [MIDNIGHT - 3_600_000, MIDNIGHT + 3_600_000].map(eventsAt) as [readonly Arrival[], readonly Arrival[]];
loads.push(await send(days[0], "the Day it becomes hot"));
const callsBefore = calls;
loads.push(await send(days[1], "the next Day"));
const newCalls = calls - callsBefore;
const sent = days[0].length + days[1].length;
const countedEvents = () =>
  partitionsOf(settings.get(MERCHANT) as Settings, { poolSize: POOL_SIZE, regions: [] }).reduce(
    (sum, name) => sum + (partitions.get(name)?.partition.next ?? 1) - 1,
    0,
  );
if (countedEvents() !== sent) throw new Error(`${countedEvents()} of ${sent} events were counted`);
now += DAY_MS / 24;
await send(days[0].slice(0, PER_SECOND), "again");
await send(days[1].slice(0, PER_SECOND), "again");
if (countedEvents() !== sent) throw new Error("events that were sent again were counted again");

print(
  "spread",
  loads.map(({ day, partitions: used, overflowed: late, busiest }) => ({
    "": day,
    "events/s sent": PER_SECOND,
    partitions: used,
    "busiest partition, events/s": rounded(busiest),
    "overflowed, counted later": `${rounded((100 * late) / (PER_SECOND * SECONDS))} %`,
  })),
  { sent, counted: countedEvents(), callsOnNextDay: newCalls },
);
