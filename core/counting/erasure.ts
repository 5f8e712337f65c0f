// What an erasure or a retention setting removes from the archive and from a Day's state. A removal of kind "erasure"
// removes the numbers too. Retention keeps them, because they name nobody.

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
  /** Position of the partition's log. Events at or above it stay. */
  readonly before: number;
}

/** What is to leave the state of Days that are not sealed. */
export interface EraseRequest {
  /** Number of the erasure. Each number is carried out once. */
  readonly erasure: number;
  readonly merchant: number;
  /** As events have it; empty for all visitors. */
  readonly visitor: string;
  /** Numbers of Days in [fromDay, toDay). */
  readonly fromDay: number;
  readonly toDay: number;
  /** The merchant itself is gone, and not even zeros stay. */
  readonly forget: boolean;
  /** The position that the partition answered before; 0 if it is not known to have answered. */
  readonly told: number;
}

/** Up to where a partition has carried it out. */
export interface EraseReply {
  /** The erasure is about events below this position of the log. */
  readonly position: number;
  /** Every event below this position lies in the archive. */
  readonly archivedPosition: number;
}

/** Stands for the id of an erasure where a retention setting is the reason. */
export const RETENTION = "retention";
/** Stands there where events were lost with the bucket: numbers stay, and what is left of the events stays too. */
export const LOST = "lost";

/** Merchants of whom everything is removed, the numbers of the Day too. */
export function erasedWhole(removals: readonly Removal[]): ReadonlySet<number> {
  return new Set(removals.filter(({ visitor }) => visitor === "").map(({ merchant }) => merchant));
}

/** The removal that an archived event falls under, if there is one. */
export function removalOf({ event, position }: ArchivedEvent, removals: readonly Removal[]): Removal | undefined {
  return removals.find(
    ({ merchant, visitor, before }) =>
      merchant === event.merchant && (visitor === "" || visitor === event.visitor) && position < before,
  );
}

/**
 * Whether a merchant's retention has ended for a Day. Then its events go and its numbers stay. `today` is a Day in UTC.
 */
export function isExpired({ retentionDays }: Settings, day: number, today: number): boolean {
  return retentionDays !== undefined && day < today - retentionDays;
}

/**
 * Removes one visitor or all visitors from a Day. False where there was nothing. Ids stay, so a resend is no new event.
 */
export function eraseFrom(state: DayState, visitor: string, position: number): boolean {
  return visitor === "" ? removeAll(state, position) : removeVisitor(state, visitor, position);
}
