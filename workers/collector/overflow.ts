// The overflow road: what no partition takes now goes to a queue, and a note in D1 says since when it waits, so that answers do not
// claim to be complete beyond it (`meta.as_of`). The note comes first, as long as D1 takes it in time: a hit is not refused for
// the sake of a note, and what could not be noted is by the queue's consumer when it fails to deliver it. Free of the platform,
// so that the simulation runs it as it is.

import { OVERFLOW_NOTE_MS, OVERFLOW_NOTE_PAUSE_MS } from "../../core/limits.ts";
import { causeOf } from "../../core/outcome.ts";
import { noteOf, type Overflow, type OverflowNote } from "../../core/overflow.ts";

export interface OverflowRoad {
  readonly note: (note: OverflowNote) => Promise<void>;
  /** Takes a note back. */
  readonly settle: (note: OverflowNote) => Promise<void>;
  readonly send: (overflow: Overflow) => Promise<void>;
  readonly wait: (ms: number) => Promise<unknown>;
  /** UTC ms. */
  readonly now: () => number;
  /** Lets work go on after the answer was sent. */
  readonly later: (work: Promise<void>) => void;
  readonly log: (entry: Readonly<Record<string, string | number>>) => void;
  /** Of the isolate: until when (UTC ms) it does not try to note anything, because D1 was too slow. */
  readonly patience: { silentUntil: number };
}

/** Resolves once the events are durable in the queue; throws where it does not take them. */
export async function sendNoted(overflow: Overflow, road: OverflowRoad): Promise<void> {
  const note = noteOf(overflow);
  await noteInTime(note, road);
  try {
    await road.send(overflow);
  } catch (error) {
    // Nobody will deliver it. Whether it was noted or is yet to be, nothing waits.
    road.later(road.settle(note).catch((cause: unknown) => logUnnoted(road, overflow, cause)));
    throw error;
  }
}

async function noteInTime(note: OverflowNote, road: OverflowRoad): Promise<void> {
  if (road.now() < road.patience.silentUntil) return;
  let problem: unknown;
  const noted = road.note(note).then(
    () => true,
    (error: unknown) => {
      problem = error;
      return false;
    },
  );
  if (await Promise.race([noted, road.wait(OVERFLOW_NOTE_MS).then(() => false)])) return;
  road.patience.silentUntil = road.now() + OVERFLOW_NOTE_PAUSE_MS;
  road.later(noted.then(() => undefined)); // it may come yet, and is of use as long as the message waits
  road.log({ event: "overflow_unnoted", error: problem === undefined ? "D1 is slow" : causeOf(problem) });
}

function logUnnoted({ log }: OverflowRoad, { partition }: Overflow, error: unknown): void {
  log({ event: "overflow_unnoted", partition, error: causeOf(error) });
}
