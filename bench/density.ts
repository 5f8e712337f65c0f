// One partition at the density of a real day, on a clock that jumps from event to event: every hit an append of its
// own, at random instants, commits shared by whoever came within the window, alarms at their time. The partition is the
// production code on node:sqlite, so that row writes, bundles, objects and rollups are what they would be.

import { PARTITION_GB } from "../core/watch/cost.ts";
import { append } from "../durable-objects/append.ts";
import { tick } from "../durable-objects/duties.ts";
import { ensureSettings } from "../durable-objects/settings.ts";
import { TUESDAY } from "../test/support/events.ts";
import { seededRandom } from "../test/support/random.ts";
import { BenchPartition } from "./bench-partition.ts";
import type { Bill } from "./price.ts";
import { makeTraffic } from "./traffic.ts";

const HOUR_MS = 3_600_000;
const PUBLISHED_AFTER_MS = 120_000;

export interface Density {
  /** Of this partition. */
  readonly merchants: number;
  readonly eventsPerSecond: number;
  readonly hours: number;
}

export interface Dense {
  readonly events: number;
  /** Mean size of a rollup of an Hour in D1, bytes. */
  readonly rollupBytes: number;
  /** Log rows, which are commits. */
  readonly commits: number;
  /** What `events` cost; rollups of Days are in it as if each merchant had one, of `hours` / 24 of a Day. */
  readonly bill: Bill;
}

export async function runDensity(plan: Density): Promise<Dense> {
  const { merchants, eventsPerSecond, hours } = plan;
  const it = new BenchPartition(TUESDAY);
  const random = seededRandom(3);
  const traffic = makeTraffic({ merchants, eventsPerSecond });
  const agenda = new Agenda();
  it.pause = (ms) => new Promise((resolve) => agenda.at(it.now + ms, resolve));
  // A merchant's settings are written once, when it is first seen: that is no part of a day's bill.
  await ensureSettings(it.partition, new Set(Array.from({ length: merchants + 1 }, (_, merchant) => merchant)));
  const rowsBefore = it.rowsWritten();
  let events = 0;
  let wrong = 0;
  const closing = TUESDAY + hours * HOUR_MS;
  const hit = () => {
    if (it.now >= closing) return;
    events += 1;
    it.meter.worker_requests += 1;
    it.meter.partition_requests += 1;
    void append(it.partition, [traffic.next(Math.floor(it.now))]).then((reply) => {
      if (reply === "overloaded" || reply[0] !== "accepted") wrong += 1;
    });
    agenda.at(it.now - (Math.log(1 - random.next()) / eventsPerSecond) * 1_000, hit);
  };
  agenda.at(TUESDAY, hit);
  // The last Hour is published after its end.
  while (it.now < closing + PUBLISHED_AFTER_MS) {
    const next = agenda.next();
    const alarmAt = it.alarmAt ?? Number.POSITIVE_INFINITY;
    if (alarmAt <= (next?.at ?? Number.POSITIVE_INFINITY)) {
      it.now = Math.max(it.now, alarmAt);
      it.alarmAt = undefined;
      it.meter.partition_requests += 1;
      await tick(it.partition);
      it.confirmSent();
    } else if (next !== undefined) {
      it.now = Math.max(it.now, next.at);
      agenda.take()();
    } else break;
    await settled();
  }
  if (wrong > 0) throw new Error(`${wrong} events were not accepted`);
  return {
    events,
    commits: it.commits(),
    rollupBytes: it.rollupBytes / Math.max(1, it.meter.d1_rows_written),
    bill: {
      ...it.meter,
      partition_rows_written: it.meter.partition_rows_written + it.rowsWritten() - rowsBefore,
      d1_rows_written: it.meter.d1_rows_written + (merchants * hours) / 24,
      worker_cpu_ms: 0,
      partition_gb_s: PARTITION_GB * hours * 3_600,
      r2_gb_months: it.archivedBytes / 1e9,
      d1_gb_months: it.rollupBytes / 1e9,
      partition_gb_months: 0, // an open Day at a time: bench/capacity
    },
  };
}

/** Every promise that can be kept without time going by. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

interface Entry {
  readonly at: number;
  readonly work: () => void;
}

/** What happens when: a handful of entries at a time, in order. */
class Agenda {
  readonly #entries: Entry[] = [];

  at(at: number, work: () => void): void {
    let index = this.#entries.length;
    while (index > 0 && (this.#entries[index - 1] as Entry).at > at) index -= 1;
    this.#entries.splice(index, 0, { at, work });
  }

  next(): Entry | undefined {
    return this.#entries[0];
  }

  take(): () => void {
    const entry = this.#entries.shift();
    if (entry === undefined) throw new Error("nothing is on the agenda");
    return entry.work;
  }
}
