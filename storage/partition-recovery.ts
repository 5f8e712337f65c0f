// Brings a partition back whose storage was lost or put back to an earlier instant, from what stands outside of it: the
// archive's bundles of its open Days, and what its ledger knows (docs/decisions/0028-lost-partition.md). It goes in
// steps, each a request of some seconds: look for the highest position that anybody knows, date by date; begin; count
// the open Days, bundle by bundle; end. Whoever dies in between begins anew: the partition takes nothing until the end,
// so nothing that a recovery reads can change meanwhile but for bundles that still come.

import { encodeLogged } from "../core/archive/bundle.ts";
import type { ArchivedEvent } from "../core/archive/file.ts";
import { dayPrefix, parseBundleKey, sealedPrefix } from "../core/archive/object-key.ts";
import { removalOf } from "../core/counting/erasure.ts";
import type {
  RecoveredRow,
  RecoveryBegin,
  RecoveryBegun,
  RecoveryEnd,
  RecoveryEnded,
  RecoveryRows,
  Superseded,
} from "../core/counting/recovered.ts";
import { RECOVERED_BUNDLES, RECOVERED_DAYS, RECOVERED_POSITIONS } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import { causeOf } from "../core/outcome.ts";
import { parseDate } from "../core/time.ts";
import { listDates, listPartitions } from "./archive/archive-day.ts";
import { type Archive, listKeys, readObjectOf } from "./archive/bucket.ts";
import { readParquet } from "./archive/parquet.ts";
import type { Ledger, Ledgers } from "./ledger/ledgers.ts";
import { deleteOpen, lastVersion, listTold, readClaim, type ToldErasure, takeOver } from "./ledger/partition-claim.ts";

/** What a recovery asks of the partition. */
export interface RecoveringPartition {
  beginRecovery(request: RecoveryBegin): Promise<RecoveryBegun>;
  countRecovered(request: RecoveryRows): Promise<"counted" | Superseded>;
  endRecovery(request: RecoveryEnd): Promise<RecoveryEnded | Superseded>;
}

export interface PartitionRecoveryDeps extends Archive {
  readonly ledgers: Ledgers;
  readonly partition: (name: string) => RecoveringPartition;
  /** UTC ms. */
  readonly now: () => number;
}

/** How far a recovery is. Its JSON goes to whoever asks for the next step, and comes back. */
export type RecoveryStep = LookStep | CountStep;

interface LookStep {
  readonly phase: "look";
  /** The date to go on with. */
  readonly from: string;
  /** The highest position that was found so far. */
  readonly highest: number;
}

interface CountStep {
  readonly phase: "count";
  readonly first: number;
  readonly openFrom: number;
  readonly claim: string;
  /** The highest position that the ledger knows. */
  readonly known: number;
  /** The key of the last bundle that was counted; "" for none. */
  readonly after: string;
  readonly counted: number;
  /** Position of the last event of the open Days that the archive has, and UTC ms of its receipt; 0 for none. */
  readonly archivedPosition: number;
  readonly archivedAt: number;
}

/** What it came to. */
export interface PartitionRecovered extends RecoveryEnded, Omit<CountStep, "phase" | "openFrom" | "claim" | "after"> {}

/** Does one step of a recovery, the first one where none is given. */
export async function recoverPartition(
  partition: string,
  step: RecoveryStep | undefined,
  deps: PartitionRecoveryDeps,
): Promise<RecoveryStep | PartitionRecovered | Superseded> {
  if (step?.phase === "count") return count(partition, step, deps);
  const dates = await listDates(deps);
  const left = dates.filter((date) => date >= (step?.from ?? ""));
  let highest = step?.highest ?? 0;
  for (const date of left.slice(0, RECOVERED_DAYS))
    highest = Math.max(highest, await highestOf({ date, partition }, deps));
  const from = left[RECOVERED_DAYS];
  if (from !== undefined) return { phase: "look", from, highest };
  return count(partition, await begin(partition, highest, deps), deps);
}

/** The highest position that keys of a (Day, partition) tell: a bundle's first, or where a seal's inputs end. */
async function highestOf(place: { readonly date: string; readonly partition: string }, deps: Archive): Promise<number> {
  let highest = 0;
  for (const { key } of await listKeys(deps, dayPrefix(place)))
    highest = Math.max(highest, parseBundleKey(key)?.first ?? 0);
  return Math.max(highest, await sealedEnd(place, deps));
}

/** Before which position the events of its sealed files lie; 0 without any. */
async function sealedEnd(place: { readonly date: string; readonly partition: string }, deps: Archive): Promise<number> {
  const ends = (await listKeys(deps, sealedPrefix(place))).map(({ key }) => /\/generation=\d+-(\d+)-/.exec(key)?.[1]);
  return Math.max(0, ...ends.map((end) => Number(end ?? 0)));
}

/**
 * By partition, the position that comes next after what the archive has of it on the newest date on which it has
 * anything. Those of which the last RECOVERED_DAYS dates have nothing are left out.
 */
export async function archivedNext(
  partitions: readonly string[],
  deps: Archive & { readonly log: Log },
): Promise<ReadonlyMap<string, number>> {
  const next = new Map<string, number>();
  for (const date of (await listDates(deps)).slice(-RECOVERED_DAYS).reverse()) {
    const left = partitions.filter((partition) => !next.has(partition));
    if (left.length === 0) break;
    const there = new Set(await listPartitions(deps, date));
    for (const partition of left.filter((one) => there.has(one)))
      next.set(partition, await dateEnd({ date, partition }, deps));
  }
  return next;
}

/** The position after what a date has of a partition. */
async function dateEnd(
  place: { readonly date: string; readonly partition: string },
  deps: Archive & { readonly log: Log },
): Promise<number> {
  const keys = (await listKeys(deps, dayPrefix(place))).map(({ key }) => key);
  const last = keys.filter((key) => parseBundleKey(key) !== undefined).at(-1);
  return Math.max(await sealedEnd(place, deps), last === undefined ? 0 : await bundleEnd(last, deps));
}

/** The position after a bundle's last event of its date. Of one that cannot be read, the first is known by its key. */
async function bundleEnd(key: string, deps: Archive & { readonly log: Log }): Promise<number> {
  const first = parseBundleKey(key)?.first ?? 0;
  try {
    const { rows } = await readParquet(await readObjectOf(deps, key));
    return rows.reduce((end, { position }) => Math.max(end, position + 1), first + 1);
  } catch (error) {
    deps.log({ event: "bundle_unreadable", key, error: causeOf(error) });
    return first + 1;
  }
}

async function begin(partition: string, highest: number, deps: PartitionRecoveryDeps): Promise<CountStep> {
  const ledger = deps.ledgers.of(partition);
  const events = (await readClaim(ledger, partition))?.events ?? 0;
  const known = await lastVersion(ledger, partition);
  const asked = Math.max(highest, known, events) + RECOVERED_POSITIONS;
  const begun = await deps.partition(partition).beginRecovery({ partition, first: asked, events });
  return { phase: "count", ...begun, known, after: "", counted: 0, archivedPosition: 0, archivedAt: 0 };
}

async function count(
  partition: string,
  step: CountStep,
  deps: PartitionRecoveryDeps,
): Promise<CountStep | PartitionRecovered | Superseded> {
  const ledger = deps.ledgers.of(partition);
  const told = await listTold(ledger, partition);
  const keys = (await openKeys(partition, step.openFrom, deps)).filter((key) => key > step.after);
  let { counted, archivedPosition, archivedAt, after } = step;
  for (const key of keys.slice(0, RECOVERED_BUNDLES)) {
    const { date, rows } = await readParquet(await readObjectOf(deps, key));
    const day = parseDate(date) as number;
    const sorted = rows.toSorted((a, b) => a.position - b.position);
    const sent = sorted.map((row) => recoveredRow(row, day, told));
    const asked = { first: step.first, rows: JSON.stringify(sent) };
    if ((await deps.partition(partition).countRecovered(asked)) === "superseded") return "superseded";
    const last = sorted.at(-1);
    if (last !== undefined && last.position > archivedPosition) {
      archivedPosition = last.position;
      archivedAt = last.event.receivedAt;
    }
    counted += sent.length;
    after = key;
  }
  const next = { ...step, counted, archivedPosition, archivedAt, after };
  if (keys.length > RECOVERED_BUNDLES) return next;
  return end(partition, next, { ledger, told }, deps);
}

/** The bundles of its open Days. */
async function openKeys(partition: string, openFrom: number, deps: Archive): Promise<readonly string[]> {
  const keys: string[] = [];
  for (const date of await listDates(deps)) {
    if ((parseDate(date) ?? -1) < openFrom) continue;
    for (const { key } of await listKeys(deps, dayPrefix({ date, partition })))
      if (parseBundleKey(key) !== undefined) keys.push(key);
  }
  return keys.sort();
}

function recoveredRow(archived: ArchivedEvent, day: number, told: readonly ToldErasure[]): RecoveredRow {
  const { position, event } = archived;
  const own = told.filter(({ fromDay, toDay }) => day >= fromDay && day < toDay);
  const removal = removalOf(
    archived,
    own.map((one) => ({ ...one, erasure: "" })),
  );
  const row = encodeLogged({ day, late: false, event });
  if (removal === undefined) return { position, row };
  return { position, row, erased: removal.visitor === "" ? "all" : "visitor" };
}

async function end(
  partition: string,
  { first, openFrom, claim, known, counted, archivedPosition, archivedAt }: CountStep,
  { ledger, told }: { readonly ledger: Ledger; readonly told: readonly ToldErasure[] },
  deps: PartitionRecoveryDeps,
): Promise<PartitionRecovered | Superseded> {
  // Whether it is this recovery that goes on; the ledger is not touched by another one.
  if ((await deps.partition(partition).countRecovered({ first, rows: "[]" })) === "superseded") return "superseded";
  // From here on the partition alone has the numbers of its open Days, all of them unpublished.
  await deleteOpen(ledger, partition, openFrom);
  await takeOver(ledger, { partition, claim, now: deps.now() });
  const ended = await deps.partition(partition).endRecovery({ first, removals: told });
  if (ended === "superseded") return ended;
  return { ...ended, first, known, counted, archivedPosition, archivedAt };
}

/** The step that a text stands for, as `JSON.stringify` wrote it; undefined where it is none. */
export function parseStep(text: string): RecoveryStep | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { phase, from, claim, after, ...numbers } = (value ?? {}) as Record<string, unknown>;
  const isWhole = (of: readonly string[]) =>
    Object.keys(numbers).length === of.length && of.every((name) => Number.isSafeInteger(numbers[name]));
  const isText = (one: unknown) => typeof one === "string" && one.length <= STEP_TEXT_LENGTH_MAX;
  const isLook = phase === "look" && typeof from === "string" && parseDate(from) !== undefined && isWhole(["highest"]);
  const isCount = phase === "count" && isText(claim) && isText(after) && isWhole(COUNT_NUMBERS);
  return isLook || isCount ? (value as RecoveryStep) : undefined;
}

const COUNT_NUMBERS = ["first", "openFrom", "known", "counted", "archivedPosition", "archivedAt"] as const;
/** Of a key of the archive. */
const STEP_TEXT_LENGTH_MAX = 300;
