// What a partition hears while it is recovered: the events of its open Days, as the archive has them, a few at a time.

import type { LoggedRow } from "../archive/bundle.ts";

/** Where a partition begins anew. */
export interface RecoveryBegin {
  readonly partition: string;
  /** The first position that it gives from now on: above all that anybody knows. */
  readonly first: number;
  /** Events that it ever told its ledger of. */
  readonly events: number;
}

export interface RecoveryBegun {
  /** As asked for, or higher. */
  readonly first: number;
  /** Events of this Day and later ones are counted again; those of earlier Days by their seals. */
  readonly openFrom: number;
  /** What the storage is known by from now on. */
  readonly claim: string;
}

/** An event of the archive. */
export interface RecoveredRow {
  readonly position: number;
  readonly row: LoggedRow;
  /** Whether an erasure that the partition has carried out means it: a visitor's, or all of its merchant's. */
  readonly erased?: "visitor" | "all";
}

export interface RecoveryRows {
  /** That of the begin. */
  readonly first: number;
  /** JSON of RecoveredRow[], in the order of positions. */
  readonly rows: string;
}

/** What an erasure means: of a recovery, one that the partition has carried out and whose Days are not all sealed. */
export interface CarriedOut {
  readonly merchant: number;
  /** As events have it; empty for all visitors. */
  readonly visitor: string;
  /** Days in [fromDay, toDay). */
  readonly fromDay: number;
  readonly toDay: number;
  /** UTC ms. */
  readonly createdAt: number;
}

export interface RecoveryEnd {
  /** That of the begin. */
  readonly first: number;
  readonly removals: readonly CarriedOut[];
}

/**
 * What became of a bundle that came into the archive. "missed": the storage that cut it was lost or put back, and the
 * recovery had begun before it came.
 */
export type Confirmation = "confirmed" | "missed";

/** Events of a missed bundle. */
export interface MissedRows {
  /** JSON of LoggedRow[]. */
  readonly rows: string;
  /** Erasures of their merchants, those that are done too. */
  readonly removals: readonly CarriedOut[];
}

/** Another recovery has begun since, or this one has ended. */
export type Superseded = "superseded";

export interface RecoveryEnded {
  /** Events that its own log had and the archive has not, which are counted under new positions. */
  readonly kept: number;
  /** Position the next event gets. */
  readonly next: number;
}
