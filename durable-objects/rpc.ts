// What may be asked of a partition from outside, and what it answers: the RPC surface of the Durable Object. Types
// only; `partition.ts` implements it, the Workers and queue consumers call it through their PARTITION binding.

import type { RecentReply, RecentRequest } from "../core/archive/recent.ts";
import type { EraseReply, EraseRequest } from "../core/counting/erasure.ts";
import type { LiveReply, LiveRequest } from "../core/counting/live.ts";
import type { Moved } from "../core/counting/placement.ts";
import type { Present, PresentRequest } from "../core/counting/present.ts";
import type {
  Confirmation,
  MissedRows,
  RecoveryBegin,
  RecoveryBegun,
  RecoveryEnd,
  RecoveryEnded,
  RecoveryRows,
  Superseded,
} from "../core/counting/recovered.ts";
import type { DropReason } from "../core/outcome.ts";

/**
 * What became of one arrival. "unknown": the merchant is not (or no longer) there. "unread": it is new here and its
 * settings cannot be read at the moment; the arrival was not taken. "late": its Day is closed, and who has no key sends
 * of too many such (late-budget.ts). Full: its merchant holds too much memory (held.ts).
 */
export type Fate =
  | "accepted"
  | "duplicate"
  | "unknown"
  | "unread"
  | "late"
  | { readonly dropped: DropReason }
  | Full
  | Moved;

/** It was not taken, and there may be room after so many seconds. */
export interface Full {
  readonly fullForSeconds: number;
}

/** Ids that another partition may have counted on these Days. */
export interface CountedRequest {
  readonly merchant: number;
  readonly ids: readonly string[];
  /** Numbers of Days. */
  readonly days: readonly number[];
}

/** In the order of the ids. "asking": it is finding out itself, whoever asks tries again. */
export type CountedReply = readonly ("counted" | "unknown" | "asking")[];

/** The fates in the order of the arrivals; or "overloaded", and nothing of the request was taken. */
export type AppendReply = readonly Fate[] | "overloaded";

export interface AppendRequest {
  /** The partition's own name, which the object cannot learn otherwise on every platform version. */
  readonly partition: string;
  /** As `encodeArrivals` writes them. */
  readonly arrivals: string;
  /**
   * Whether senders without a key have a budget of closed Days. What was acknowledged before (the
   * overflow queue's) has none.
   */
  readonly isLateLimited?: boolean;
  /**
   * Whether an event may be refused for want of memory. What was acknowledged before may not: it is
   * "overloaded" until there is room.
   */
  readonly isRefusable?: boolean;
}

/** Where a partition stands; for operators and tests. */
export interface PartitionStatus {
  readonly partition: string;
  /** Position the next event will get. */
  readonly nextPosition: number;
  /** Events that it ever made durable. */
  readonly durableEvents: number;
  /** What its storage is known by, where a recovery has made it and has ended; null of any other. */
  readonly recoveredClaim: string | null;
  readonly checkpointPosition: number;
  /** First position that is not in a bundle yet. */
  readonly bundledPosition: number;
  readonly unconfirmedBundles: number;
  /** Every event below this position lies in the archive. */
  readonly archivedPosition: number;
  /** UTC ms at which the oldest event at or above it was received; null where there is none. */
  readonly unarchivedSince: number | null;
  /** UTC ms at which it means to publish next; null where it has nothing to publish. */
  readonly publishDue: number | null;
  /** Duties that have failed and were not done since. */
  readonly failing: readonly string[];
  /** Rollups changed since they were published, open ones included. */
  readonly unpublishedRollups: number;
  /** What the Days in memory take, as it is estimated (HLD-1). */
  readonly heldBytes: number;
  readonly merchants: number;
  /** UTC ms at which it last slowed a merchant (HLD-2), and found one too hot (SPR-5); null since its start. */
  readonly slowedAt: number | null;
  readonly hotAt: number | null;
}

/** Whether everything that was counted of a Day lies in the archive and in D1. */
export type Completeness =
  | { readonly complete: false; readonly why: string }
  | {
      readonly complete: true;
      /** Everything of the Day lies below this position. */
      readonly position: number;
      /** Merchants of whom the partition has counted something that Day, and how many events, dropped ones included. */
      readonly counted: readonly (readonly [merchant: number, events: number])[];
    };

/** The merchants of whom a partition holds anything of a Day. */
export interface HeldDay {
  readonly day: number;
  readonly merchants: readonly number[];
}

export interface PartitionRpc {
  /** Counts events and answers once they are durable. Throws when it could not. */
  append(request: AppendRequest): Promise<AppendReply>;
  /** Whether ids were counted here; asked by a partition that counts the merchant's events before or after. */
  counted(request: CountedRequest): Promise<CountedReply>;
  live(request: LiveRequest): Promise<LiveReply>;
  /** Numbers of these merchants in the ledger are about to change; 0 stands for all. Saying it twice is harmless. */
  noteChange(merchants: readonly number[]): Promise<void>;
  /** Who of a merchant's visitors is there, and what was bought last. */
  present(request: PresentRequest): Promise<Present>;
  /** A merchant's events that may not lie in the archive yet. */
  recentEvents(request: RecentRequest): Promise<RecentReply>;
  /** Reads a merchant's settings again, because they changed. */
  refreshSettings(merchant: number): Promise<void>;
  /** The bundle that starts at `first` lies in R2. Saying it twice is harmless. */
  confirm(first: number): Promise<Confirmation>;
  /** Takes the events of closed Days of a missed bundle as late ones. Doing it again counts none twice. */
  takeMissed(missed: MissedRows): Promise<void>;
  status(): Promise<PartitionStatus>;
  /** Whether a closed Day is complete in archive and D1. */
  completeness(day: number): Promise<Completeness>;
  /** Takes visitors out of Days that are not sealed. */
  erase(request: EraseRequest): Promise<EraseReply>;
  /** Forgets the state of a sealed Day; false where that is not possible yet. */
  dropDay(day: number): Promise<boolean>;
  /** Its ledger was lost: all rollups of Days that are not sealed are published once more. Gives whose they are. */
  republish(): Promise<readonly HeldDay[]>;
  /** Begins a recovery: forgets all but what may lie in its log alone, and takes nothing until the end. */
  beginRecovery(request: RecoveryBegin): Promise<RecoveryBegun>;
  /** Counts events that the archive has. Doing it again counts none twice. */
  countRecovered(request: RecoveryRows): Promise<"counted" | Superseded>;
  endRecovery(request: RecoveryEnd): Promise<RecoveryEnded | Superseded>;
  /** The merchants of whom a Day has rollups that are not published; `live` gives them. */
  unpublished(day: number): Promise<readonly number[]>;
}
