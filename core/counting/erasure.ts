// What an erasure or a retention setting takes out of the archive, and out of a Day's state. A removal of kind
// "erasure" takes the numbers with it; retention keeps them: they name nobody.

import type { ArchivedEvent } from "../archive/file.ts";
import type { Settings } from "../merchant.ts";
import { type DayState, removeAll, removeVisitor } from "./day.ts";

/** Which events of a (Day, partition) an erasure means. */
export interface Removal {
  /** Id of the erasure. */
  readonly erasure: string;
  readonly merchant: number;
  /** As events have it; empty for all. */
  readonly visitor: string;
  /** Position of the partition's log: events at or above it stay. */
  readonly before: number;
}

/** What is to leave the state of Days that are not sealed. */
export interface EraseRequest {
  /** Number of the erasure: the same one is carried out once. */
  readonly erasure: number;
  readonly merchant: number;
  /** As events have it; empty for all visitors. */
  readonly visitor: string;
  /** Numbers of Days in [fromDay, toDay). */
  readonly fromDay: number;
  readonly toDay: number;
  /** The merchant itself is gone: not even zeros are left of it. */
  readonly forget: boolean;
  /** The position a partition has answered before; 0 when it is not known to have. */
  readonly told: number;
}

/** Where a partition carried it out. */
export interface EraseReply {
  /** Events below this position of the log are meant. */
  readonly position: number;
  /** Every event below this position lies in the archive. */
  readonly archivedPosition: number;
}

/** Stands for the id of an erasure where a retention setting is the reason. */
export const RETENTION = "retention";

/** Merchants of whom everything is to go, the numbers of the Day too. */
export function erasedWhole(removals: readonly Removal[]): ReadonlySet<number> {
  return new Set(removals.filter(({ visitor }) => visitor === "").map(({ merchant }) => merchant));
}

/** The removal that means an archived event, if any does. */
export function removalOf({ event, position }: ArchivedEvent, removals: readonly Removal[]): Removal | undefined {
  return removals.find(
    ({ merchant, visitor, before }) =>
      merchant === event.merchant && (visitor === "" || visitor === event.visitor) && position < before,
  );
}

/** Whether a merchant's retention is over for a Day: its events go, its numbers are as they are. `today` as in UTC. */
export function isExpired({ retentionDays }: Settings, day: number, today: number): boolean {
  return retentionDays !== undefined && day < today - retentionDays;
}

/**
 * Takes a visitor, or all of them, out of a Day; false where there was nothing. Its ids stay: a resend is no new event.
 */
export function eraseFrom(state: DayState, visitor: string, position: number): boolean {
  return visitor === "" ? removeAll(state, position) : removeVisitor(state, visitor, position);
}
