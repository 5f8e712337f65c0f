// A partition in memory: what it is made of, what it needs from its host, and how it comes back from disk. The state is
// the last checkpoint plus the log after it; nothing in it is ahead of the disk except what `pending` holds, which
// nobody has been answered for. The verbs (append, drain, publish, checkpoint, live) are in files of their own.

import { decodeLogged } from "../core/archive/bundle.ts";
import { ByteReader } from "../core/bytes.ts";
import { type CountedEvent, countEvent, type DayState, decodeDay, emptyDay, heldBytes } from "../core/counting/day.ts";
import type { RollupRow } from "../core/counting/rollup-row.ts";
import { opine } from "../core/enrichment/opinion.ts";
import type { Event } from "../core/event.ts";
import { type HashKey, toHashKey } from "../core/keyed-hash.ts";
import { LOG_SEGMENT_ROWS, SHELVES_PER_DAY } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import type { Settings, SettingsChanges } from "../core/merchant.ts";
import { assert } from "../core/outcome.ts";
import { GLOBAL_MERCHANT, type RuledMoment, type RulesInForce, rulesInForce } from "../core/rules.ts";
import { Turns } from "../core/turns.ts";
import type { KnownClaim, NameClaim } from "../storage/ledger/partition-claim.ts";
import type { ToldStatus } from "../storage/ledger/partition-status.ts";
import type { Standing } from "./claim.ts";
import type { Gathering, Patience } from "./commit.ts";
import type { LateDays } from "./late.ts";
import { type LateBudget, newLateBudget } from "./late-budget.ts";
import { type Layer, lookUpIn, type Recalled } from "./layers.ts";
import type { CountedReply, CountedRequest } from "./rpc.ts";
import type { SettingsLease } from "./settings.ts";
import type { Busy } from "./spread.ts";
import { type BundleCut, FIRST_POSITION, type Salt, type ShelfKey, type Store } from "./store.ts";

/** What the host gives a partition. Everything that is not pure comes in here. */
export interface Deps {
  readonly store: Store;
  readonly now: () => number;
  /** Random bytes as lower-case hex. */
  readonly randomHex: (bytes: number) => string;
  /** 32 random hex digits, for a partition that is new. */
  readonly newIdKey: () => string;
  /** HMAC-SHA-256 as lower-case hex. */
  readonly hmacHex: (key: string, message: string) => string;
  readonly pause: (ms: number) => Promise<void>;
  /** A commit waits no longer for company, in ms; absent where nothing but limits.ts says how long. */
  readonly commitWaitMsMax?: number;
  /** Resolves when everything written so far is durable. */
  readonly durable: () => Promise<void>;
  readonly setAlarm: (at: number) => Promise<void>;
  /** Throws the object away, so that memory never runs ahead of disk. The next request starts from disk. */
  readonly reset: (why: string) => void;
  readonly sendBundle: (bundle: BundleMessage) => Promise<void>;
  /** A bundle's message, compressed, for its text. */
  readonly packBundle: (text: string) => Uint8Array<ArrayBuffer>;
  readonly publishRollups: (rows: readonly RollupRow[]) => Promise<void>;
  /** 16 hex digits that no other storage is known by. */
  readonly newClaim: () => string;
  /** Claims the partition's name in its ledger where nobody has, and gives what the ledger knows of it. */
  readonly claimName: (claim: NameClaim) => Promise<KnownClaim>;
  /** Notes for whoever watches that the partition has to be recovered. */
  readonly noteLost: (partition: string) => Promise<void>;
  /** Leaves where the partition stands for whoever watches. */
  readonly tellStatus: (status: ToldStatus) => Promise<void>;
  /** Settings of some merchants from the database; those that do not exist are left out. */
  readonly readSettings: (merchants: readonly number[]) => Promise<readonly Settings[]>;
  /** Whose settings were changed after a change, or none of them where no change is named; and which was the last. */
  readonly readChanges: (since: number | undefined) => Promise<SettingsChanges>;
  /** Stores how a merchant is spread; false when its settings are not the ones it was read with any more. */
  readonly writeSpread: (settings: Settings) => Promise<boolean>;
  /** Asks another partition whether it has counted something. */
  readonly counted: (partition: string, request: CountedRequest) => Promise<CountedReply>;
  /** Pool partitions of the deployment. */
  readonly poolSize: number;
  /** Lets work go on after the answer was sent. */
  readonly background: (work: Promise<void>) => void;
  /** One structured line for the operator. */
  readonly log: Log;
  readonly timing: Timing;
}

/** Pace of the background work; limits.ts has the defaults, tests go faster. */
export interface Timing {
  readonly drainAfterMs: number;
  readonly publishEveryMs: number;
  readonly publishGraceMs: number;
  readonly resendAfterMs: number;
  /** How long after its midnight in UTC a Day is closed. */
  readonly sealAfterMs: number;
  /** When a part of a Day leaves memory, and how much is written at once; as in limits.ts where it is not said. */
  readonly layers?: LayerPace;
}

export interface LayerPace {
  /** Nothing leaves while no more events than this are in memory, ... */
  readonly loadedEvents: number;
  /** ... nor of a shelf that has fewer. */
  readonly eventsMin: number;
  /** Who was last seen so long ago leaves. */
  readonly afterMs: number;
  /** Shelves with so many events are written in one turn. */
  readonly turnEvents: number;
  /** Visits and orders of so many bytes leave in one turn. */
  readonly turnBytes: number;
}

export interface BundleMessage extends BundleCut {
  readonly message: Uint8Array<ArrayBuffer>;
}

/** The Days of several merchants, loaded and checkpointed together. */
export interface Shelf extends ShelfKey {
  readonly days: Map<number, DayState>;
  /** Since when it differs from its stored form; undefined while it does not. */
  dirty: Dirty | undefined;
  /** Whether not all could leave memory who had gone (layers.ts). */
  isLeaving: boolean;
  /** UTC ms of the last checkpoint that has written it; 0 where none has since it is in memory. */
  writtenAt: number;
  touchedAt: number;
}

export interface Dirty {
  /** Position of the first event that the stored form may lack. */
  readonly from: number;
  /** UTC ms. */
  readonly at: number;
}

export interface KnownSettings {
  readonly settings: Settings;
  /** The database no longer has the merchant. */
  gone: boolean;
}

export interface SentBundle extends BundleCut {
  /** When it was cut, or the partition opened since then, UTC ms. */
  readonly cutAt: number;
  /** UTC ms; 0 when it must be sent at once. */
  sentAt: number;
  /** How often it was sent. */
  sends: number;
  /** As the cut has made it, until it was sent once: then it is made of the log again. */
  message: Uint8Array<ArrayBuffer> | undefined;
}

export type Duty = "claim" | "drain" | "publish" | "tell" | "checkpoint" | "forget";

export interface Partition {
  readonly deps: Deps;
  name: string;
  /** Whether the name is stored. */
  named: boolean;
  /**
   * What ids are hashed with: the partition's own for good, since its shelves hold hashes made with it. 32 hex digits.
   */
  readonly idKeyHex: string;
  readonly idKey: HashKey;
  /** What this storage is known by in its ledger, and whether it is the one that the ledger knows (claim.ts). */
  claim: string;
  standing: Standing;
  /** Whether the ledger was asked since the object started; until then nothing leaves it. */
  isChecked: boolean;
  claiming: Promise<void> | undefined;
  /** Position the next event would have got when the object started. */
  readonly opened: number;
  /** Positions that a recovery has left out, and the first one that it gave; 0 where there was none (recover.ts). */
  skipped: number;
  recoveredFrom: number;
  /** Whether events from before a recovery have come into the archive after it. */
  missed: boolean;
  /** Position the next event gets. */
  next: number;
  checkpointed: number;
  /** Events that the Days in memory held after the last checkpoint. */
  loadedAtCheckpoint: number;
  /** UTC ms of the last checkpoint. */
  checkpointedAt: number;
  bundled: number;
  bundles: SentBundle[];
  /** Bytes in the log that are in no bundle yet, and since when the oldest of them waits. */
  unbundledBytes: number;
  unbundledSince: number | undefined;
  /** Accepted and not yet committed: JSON of one LoggedRow each. */
  pending: string[];
  pendingBytes: number;
  pendingSalts: Salt[];
  commit: Gathering | undefined;
  /** When parts of large requests come. */
  readonly turns: Turns;
  readonly patience: Patience;
  readonly shelves: Map<string, Shelf>;
  /** What the Days in memory hold (held.ts). */
  heldBytes: number;
  /** Merchants that were slowed for it since the last checkpoint. */
  readonly slowed: Set<number>;
  /** UTC ms at which it last slowed a merchant, and found one too hot; null since its start. */
  slowedAt: number | null;
  hotAt: number | null;
  /** What has left the memory of a shelf, by key, as far as it was asked for. */
  readonly layers: Map<string, Layer[]>;
  /** What was taken back of it since the last checkpoint. */
  recalled: Recalled[];
  /** Stored shelves, by key; true where rollups were not published when it was written. */
  readonly stored: Map<string, boolean>;
  readonly settings: Map<number, KnownSettings>;
  /** How far settings are known; undefined where nobody ever asked. */
  lease: SettingsLease | undefined;
  /** UTC ms at which it was last tried to renew the lease, and that attempt while it goes on. */
  leaseAskedAt: number;
  leaseRenewal: Promise<void> | undefined;
  /** Merchants that could not be asked for → UTC ms until which that is not tried again. */
  readonly unread: Map<number, number>;
  /** Merchants the database does not know → UTC ms until which that is believed. */
  readonly unknown: Map<number, number>;
  readonly salts: Map<number, Salt>;
  /** Events taken of each merchant in the current window (admission.ts). */
  readonly admission: { window: number; readonly taken: Map<number, number> };
  /** Closed Days that senders without a key have sent of (late-budget.ts). */
  readonly lateBudget: LateBudget;
  /** Merchants that have sent much (spread.ts). */
  readonly busy: Map<number, Busy>;
  /** `<merchant> <id>` of events that another partition is being asked for, a set for each append that waits. */
  readonly asking: Set<ReadonlySet<string>>;
  publishedAt: number;
  /** UTC ms of the publish after which it told where it stands. */
  toldAt: number;
  /** Whether it told then that events wait for the archive. */
  toldWaiting: boolean;
  /** The first Day whose events are counted (seal.ts). */
  openFrom: number;
  /** Erasures that were carried out → position at which. */
  readonly erased: Map<number, number>;
  /** Late events that may not lie in the archive (late.ts); undefined until somebody asks. */
  late: LateDays | undefined;
  /**
   * "merchant day" of late events that may not lie in the archive → position of the first that was noted (change.ts).
   */
  readonly lateNoted: Map<string, number>;
  /** When the ledger's numbers of merchants were changed last (change.ts). */
  readonly changed: Map<number, number>;
  /** UTC ms of the last look for salts to delete. */
  forgotAt: number;
  /** Closed rollups changed by late events since the last publish; many of them publish early. */
  lateChanges: number;
  alarmAt: number | undefined;
  /** Failed duties → when to try again and how often they failed in a row. */
  readonly retries: Map<Duty, { at: number; failures: number }>;
}

/** Opens a partition from disk: positions, settings, salts, and the log after the last checkpoint counted again. */
export function openPartition(deps: Deps, name: string | undefined): Partition {
  const { store } = deps;
  const now = deps.now();
  const positions = store.readPositions();
  const idKeyHex = positions?.idKey ?? deps.newIdKey();
  const checkpointed = positions?.checkpointed ?? FIRST_POSITION;
  const bundled = positions?.bundled ?? FIRST_POSITION;
  const next = Math.max(checkpointed, bundled, store.logEnd() ?? FIRST_POSITION);
  const partition: Partition = {
    deps,
    name: positions?.partition ?? name ?? "",
    named: positions !== undefined,
    idKeyHex,
    idKey: toHashKey(idKeyHex),
    claim: positions?.claim ?? deps.newClaim(),
    standing: positions?.standing ?? "unclaimed",
    isChecked: false,
    claiming: undefined,
    opened: next,
    skipped: positions?.skipped ?? 0,
    recoveredFrom: positions?.recoveredFrom ?? 0,
    missed: positions?.missed ?? false,
    next,
    checkpointed,
    loadedAtCheckpoint: 0,
    checkpointedAt: positions?.checkpointedAt ?? now,
    bundled,
    // A bundle on disk was sent once at least, or is about to be; whether its message survived nobody knows.
    bundles: (positions?.bundles ?? []).map((bundle) => ({
      ...{ cutAt: now, sentAt: 0, sends: 1, message: undefined },
      ...bundle,
    })),
    unbundledBytes: bundled < next ? store.logBytes(bundled) : 0,
    unbundledSince: oldestOf(store, { first: bundled, end: next }, now),
    pending: [],
    pendingBytes: 0,
    pendingSalts: [],
    commit: undefined,
    turns: new Turns(),
    patience: { misses: 0, shortUntil: 0 },
    shelves: new Map(),
    heldBytes: 0,
    slowed: new Set(),
    slowedAt: null,
    hotAt: null,
    layers: new Map(),
    recalled: [],
    stored: new Map(store.listShelves().map((key) => [keyOf(key), key.unpublished])),
    settings: new Map(store.readAllSettings().map((s) => [s.merchant, { settings: s, gone: false }])),
    lease: positions?.lease,
    leaseAskedAt: 0,
    leaseRenewal: undefined,
    unread: new Map(),
    unknown: new Map(),
    salts: new Map(store.readSalts().map((salt) => [salt.day, salt])),
    admission: { window: 0, taken: new Map() },
    lateBudget: newLateBudget(),
    busy: new Map(),
    asking: new Set(),
    publishedAt: positions?.publishedAt ?? now,
    toldAt: positions?.publishedAt ?? now,
    toldWaiting: bundled < next || (positions?.bundles ?? []).length > 0,
    openFrom: positions?.openFrom ?? 0,
    erased: new Map(positions?.erased ?? []),
    late: undefined,
    lateNoted: new Map(),
    changed: new Map(store.readChanges()),
    forgotAt: 0,
    lateChanges: 0,
    alarmAt: undefined,
    retries: new Map(),
  };
  recount(partition);
  return partition;
}

/** Everything before this position lies in R2. */
export function unarchivedFrom(partition: Partition): number {
  return Math.min(partition.bundled, ...partition.bundles.map((bundle) => bundle.first));
}

/** When the first event of a part of the log was received, UTC ms; undefined where that part is empty. It is read from
 *  the log, because an idle object loses its memory. Imported events are skipped: an import says itself when its events
 *  were, perhaps years ago, and whoever has a key may import. Where all the first ones are imported, `otherwise`. */
export function oldestOf(store: Store, { first, end }: BundleCut, otherwise: number): number | undefined {
  const rows = store.readLog({ first, end: Math.min(first + LOG_SEGMENT_ROWS, end) });
  if (rows.length === 0) return undefined;
  for (const row of rows) {
    const { importNumber, receivedAt } = decodeLogged(row).event;
    if (importNumber === 0) return receivedAt;
  }
  return otherwise;
}

/** The shelf of a merchant's Day, from memory or disk; undefined when nothing was ever counted there. */
export function findShelf(partition: Partition, key: ShelfKey): Shelf | undefined {
  const name = keyOf(key);
  const loaded = partition.shelves.get(name);
  if (loaded !== undefined) return loaded;
  if (!partition.stored.has(name)) return undefined;
  const shelf: Shelf = {
    ...key,
    days: new Map(),
    dirty: undefined,
    isLeaving: false,
    writtenAt: 0,
    touchedAt: partition.deps.now(),
  };
  const reader = new ByteReader(partition.deps.store.readShelf(key));
  while (!reader.done) {
    const state = decodeDay(reader, partition.idKey, (merchant) => lookUpIn(partition, key, merchant));
    shelf.days.set(state.merchant, state);
    partition.heldBytes += heldBytes(state);
  }
  partition.shelves.set(name, shelf);
  return shelf;
}

/** The state of a merchant's Day, if anything was counted there. */
export function findDay(partition: Partition, merchant: number, day: number): DayState | undefined {
  return findShelf(partition, shelfOf(merchant, day))?.days.get(merchant);
}

/** Counts an event into its merchant's Day, and what that takes. */
export function countInto(partition: Partition, day: number, counted: CountedEvent): DayState {
  const state = dayToChange(partition, counted, day);
  const before = heldBytes(state);
  countEvent(state, counted);
  partition.heldBytes += heldBytes(state) - before;
  return state;
}

/** The state of a merchant's Day to count into, made when new; its shelf will be written at the next checkpoint. */
export function dayToChange(
  partition: Partition,
  { event, position }: Pick<CountedEvent, "event" | "position">,
  day: number,
): DayState {
  const { merchant } = event;
  const key = shelfOf(merchant, day);
  let shelf = findShelf(partition, key);
  if (shelf === undefined) {
    shelf = { ...key, days: new Map(), dirty: undefined, isLeaving: false, writtenAt: 0, touchedAt: 0 };
    partition.shelves.set(keyOf(key), shelf);
  }
  touch(partition, shelf, position);
  shelf.touchedAt = partition.deps.now();
  const known = shelf.days.get(merchant);
  if (known !== undefined) return known;
  const state = emptyDay(merchant, day, partition.idKey, lookUpIn(partition, key, merchant));
  partition.heldBytes += heldBytes(state);
  shelf.days.set(merchant, state);
  return state;
}

/** Notes that a shelf differs from its stored form, from a position on: the next event's where none changed it. */
export function touch(partition: Partition, shelf: Shelf, position = partition.next): void {
  shelf.dirty ??= { from: position, at: partition.deps.now() };
}

export function shelfOf(merchant: number, day: number): ShelfKey {
  return { day, shelf: merchant % SHELVES_PER_DAY };
}

export function keyOf({ day, shelf }: ShelfKey): string {
  return `${day}:${shelf}`;
}

/** Where an event of a Day stands on timelines of rules. */
export function ruledMoment(event: Pick<Event, "timestamp" | "importNumber">, day: number): RuledMoment {
  return { instant: event.timestamp, day, importNumber: event.importNumber };
}

/** The rules that hold for an event: its merchant's, and the deployment's, which lie under a number of their own. */
export function rulesFor(partition: Partition, settings: Settings, moment: RuledMoment): RulesInForce {
  const global = partition.settings.get(GLOBAL_MERCHANT)?.settings.rules ?? [];
  return rulesInForce({ own: settings.rules, global }, moment);
}

/**
 * Counts the log after the checkpoint again, but for what a shelf has that was written later. Duplicates and verdicts
 * were settled before it was written.
 */
function recount(partition: Partition): void {
  const rows = partition.deps.store.readLog({ first: partition.checkpointed, end: partition.next });
  const upTo = new Map(partition.deps.store.listShelves().map((shelf) => [keyOf(shelf), shelf.upTo]));
  let position = partition.checkpointed;
  for (const row of rows) {
    const { day, late, event } = decodeLogged(row);
    const isCounted = late || position < (upTo.get(keyOf(shelfOf(event.merchant, day))) ?? 0);
    position += 1;
    if (isCounted) continue;
    const settings = partition.settings.get(event.merchant)?.settings;
    assert(settings !== undefined, "settings are stored before the first event of a merchant");
    const opinion = opine(event, rulesFor(partition, settings, ruledMoment(event, day)));
    countInto(partition, day, { event, opinion, settings, position: position - 1 });
  }
}
