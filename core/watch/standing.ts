// Where a deployment stands as a whole at one instant. The cron adds it up from all databases every five minutes.
// Alerts (alert.ts) and metrics (metrics.ts) are made of it and of nothing else, so everybody who asks gets the same.
// It contains no number of a single isolate, because the next request meets another isolate.

import { type Metered, sumMeters } from "../meter.ts";

/** Stands among the failing duties of a partition that has to be recovered (`footfall recover partition`). */
export const STORAGE_LOST = "storage";

/** Instants are UTC ms; null where nothing waits. */
export interface Standing {
  /** When it was added up. */
  readonly at: number;
  /** Partitions that have reported: those that hold, or have held, something. */
  readonly partitions: number;
  /** Events that they ever made durable, and how many of those are known to be in the archive. */
  readonly events: number;
  readonly archivedEvents: number;
  /** When the oldest event was received that may not be in the archive. */
  readonly unarchivedSince: number | null;
  readonly unconfirmedBundles: number;
  /** Since when a publish is due that no partition has reported. */
  readonly publishDueSince: number | null;
  /** The bytes that the fullest partition holds in memory. */
  readonly heldBytesMax: number;
  /** Partitions with a duty that failed and was not done since. */
  readonly failingPartitions: number;
  /** When a merchant was last slowed, and when one was last too large for its partitions; null where none ever was. */
  readonly slowedAt: number | null;
  readonly hotAt: number | null;
  /** Days that could not be sealed three times. */
  readonly daysInDoubt: number;
  /** When the oldest Day without a seal was closed. Days in doubt are left out. */
  readonly unsealedSince: number | null;
  /** Since when late events of a sealed Day wait to be counted. */
  readonly lateSince: number | null;
  /** Parts of replays that have failed and are not tried any more. */
  readonly failedReplayParts: number;
  /** Since when the oldest unfinished erasure runs. */
  readonly erasureSince: number | null;
  /** Acknowledged messages that wait in the overflow queues, and since when the oldest does. */
  readonly overflowed: number;
  readonly overflowSince: number | null;
  /** Messages that no consumer could handle; a hundred may be more. */
  readonly deadLetters: number;
  readonly directoryBytes: number;
  /** How far the directory's epoch is below its highest value: 0 unless it was restored to an earlier instant. */
  readonly directoryBehind: number;
  /** When the newest backup of the directory was made. Without a backup, when its absence was first seen. */
  readonly backedUpAt: number;
  /** Of the largest ledger. */
  readonly ledgerBytesMax: number;
  /** Of all ledgers. */
  readonly ledgerBytes: number;
  /** Of the files of sealed Days, as they were in the last hour. */
  readonly archiveBytes: number;
  /** Billable operations of the month so far (cost.ts). */
  readonly metered: Metered;
  /** Ledgers that did not answer, so that their numbers are missing. */
  readonly silentLedgers: number;
}

/** The instants whose age matters, mostly because something waits since then. */
export type Since =
  | "backedUpAt"
  | "unarchivedSince"
  | "publishDueSince"
  | "overflowSince"
  | "unsealedSince"
  | "lateSince"
  | "erasureSince";

/** Where one ledger stands. */
export type LedgerStanding = Omit<
  Standing,
  | "at"
  | "deadLetters"
  | "directoryBytes"
  | "directoryBehind"
  | "backedUpAt"
  | "ledgerBytesMax"
  | "ledgerBytes"
  | "archiveBytes"
  | "silentLedgers"
> & { readonly bytes: number };

/** Adds up what ledgers say; undefined stands for one that did not answer. */
export function sumLedgers(
  ledgers: readonly (LedgerStanding | undefined)[],
  rest: Pick<Standing, "at" | "deadLetters" | "directoryBytes" | "directoryBehind" | "backedUpAt" | "archiveBytes">,
): Standing {
  const known = ledgers.filter((one) => one !== undefined);
  const sum = (of: (one: LedgerStanding) => number) => known.reduce((total, one) => total + of(one), 0);
  const max = (of: (one: LedgerStanding) => number) => Math.max(0, ...known.map(of));
  const newest = (of: (one: LedgerStanding) => number | null) =>
    known.reduce<number | null>((at, one) => later(at, of(one)), null);
  const oldest = (of: (one: LedgerStanding) => number | null) => {
    const all = known.map(of).filter((at) => at !== null);
    return all.length === 0 ? null : Math.min(...all);
  };
  return {
    ...rest,
    partitions: sum((one) => one.partitions),
    events: sum((one) => one.events),
    archivedEvents: sum((one) => one.archivedEvents),
    unarchivedSince: oldest((one) => one.unarchivedSince),
    unconfirmedBundles: sum((one) => one.unconfirmedBundles),
    publishDueSince: oldest((one) => one.publishDueSince),
    heldBytesMax: max((one) => one.heldBytesMax),
    failingPartitions: sum((one) => one.failingPartitions),
    slowedAt: newest((one) => one.slowedAt),
    hotAt: newest((one) => one.hotAt),
    daysInDoubt: sum((one) => one.daysInDoubt),
    unsealedSince: oldest((one) => one.unsealedSince),
    lateSince: oldest((one) => one.lateSince),
    failedReplayParts: sum((one) => one.failedReplayParts),
    erasureSince: oldest((one) => one.erasureSince),
    overflowed: sum((one) => one.overflowed),
    overflowSince: oldest((one) => one.overflowSince),
    ledgerBytesMax: max((one) => one.bytes),
    ledgerBytes: sum((one) => one.bytes),
    metered: sumMeters(known.map(({ metered }) => metered)),
    silentLedgers: ledgers.length - known.length,
  };
}

function later(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}
