// One run: merchants in several zones, clients that retry, partitions that die, a queue that repeats and reorders, an
// R2 and a D1 that fail before or after taking effect. Everything that counts is production code. At the end the world
// heals, the laws are checked against the naive model, and the first broken one is the run's result.

import type { DatabaseSync } from "node:sqlite";
import { rowsOf } from "../../core/archive/event-columns.ts";
import type { ArchivedEvent, ArchiveFile } from "../../core/archive/file.ts";
import { MONTH_DAYS } from "../../core/block/month.ts";
import { type Placement, partitionsOf } from "../../core/counting/placement.ts";
import { ALL_DIMENSIONS } from "../../core/counting/rollup.ts";
import type { RollupRow } from "../../core/counting/rollup-row.ts";
import { type Arrival, type Event, NO_FACTS } from "../../core/event.ts";
import { hash64Hex } from "../../core/hash.ts";
import { SEAL_AFTER_MS, SPREAD_NOTICE_MS, TIMESTAMP_AHEAD_MS } from "../../core/limits.ts";
import {
  changeSpread as dateSpreadChange,
  changeZone as dateZoneChange,
  type Settings,
  type SpreadTimeline,
} from "../../core/merchant.ts";
import { zeroMeter } from "../../core/meter.ts";
import type { Overflow, OverflowNote } from "../../core/overflow.ts";
import type { Answer } from "../../core/query/answer.ts";
import type { Question } from "../../core/query/question.ts";
import { parseQuestion } from "../../core/query/question.ts";
import type { Nearby } from "../../core/region.ts";
import { GLOBAL_MERCHANT } from "../../core/rules.ts";
import { DAY_MS, dateOf, dayAt, dayStart, HOUR_MS } from "../../core/time.ts";
import { append } from "../../durable-objects/append.ts";
import { noteChange } from "../../durable-objects/change.ts";
import { confirm } from "../../durable-objects/drain.ts";
import { erase } from "../../durable-objects/erase.ts";
import { live, unpublished } from "../../durable-objects/live.ts";
import { recentEvents } from "../../durable-objects/recent.ts";
import { completeness, dropDay } from "../../durable-objects/seal.ts";
import { refreshSettings } from "../../durable-objects/settings.ts";
import { counted } from "../../durable-objects/spread.ts";
import type { Partition } from "../../durable-objects/state.ts";
import { statusOf } from "../../durable-objects/status.ts";
import { type AgeDeps, ageBlocks } from "../../queues/age.ts";
import { archive } from "../../queues/archive.ts";
import { driveErasures } from "../../queues/erasure.ts";
import { deliverOverflow } from "../../queues/overflow.ts";
import { driveSeals, type SealDeps, sealDays } from "../../queues/seal.ts";
import { findDay, listPartitions, readDay } from "../../storage/archive/archive-day.ts";
import type { ArchiveBucket } from "../../storage/archive/bucket.ts";
import { encodeParquet } from "../../storage/archive/parquet.ts";
import type { Merchant } from "../../storage/directory/merchants.ts";
import { readChanges, readSettingsOf } from "../../storage/directory/settings.ts";
import type { ErasureDeps } from "../../storage/erasure-drive.ts";
import { ledgersOf, withMonths } from "../../storage/ledger/ledgers.ts";
import { noteOverflow, settleOverflow } from "../../storage/ledger/overflow-note.ts";
import { type ArchivedBundle, noteArchived } from "../../storage/ledger/places.ts";
import { writeRollups } from "../../storage/ledger/rollup-write.ts";
import { findSeal, type SealPlace } from "../../storage/ledger/sealed-day.ts";
import { fenceSettings } from "../../storage/ledger/settings-fence.ts";
import type { JobStorage } from "../../storage/replay.ts";
import { OverflowGate, type OverflowRoad } from "../../workers/collector/overflow.ts";
import { place, SpreadMemory } from "../../workers/collector/place.ts";
import { AnswerMemory } from "../../workers/query/answer-memory.ts";
import { BucketMemory } from "../../workers/query/bucket-memory.ts";
import type { Deps as QueryDeps } from "../../workers/query/deps.ts";
import { execute } from "../../workers/query/execute.ts";
import { ScanMemory } from "../../workers/query/scan-memory.ts";
import { RollupTurn, TurnMemory } from "../../workers/query/turn.ts";
import { type AnyDatabase, type Databases, makeDatabases } from "../support/databases.ts";
import { CHROME, GOOGLEBOT, globalSettings, IPHONE } from "../support/events.ts";
import { memoryArchive } from "../support/memory-bucket.ts";
import { putSettings } from "../support/sealed-world.ts";
import { sqliteD1 } from "../support/sqlite.ts";
import { checkArchive, checkMonths, checkNumbers, checkReplay, checkSeals } from "./check.ts";
import { type AskedErasure, askForErasure, checkErased, noteHeard } from "./erasure.ts";
import { PartitionHost, POOL_SIZE } from "./partition-host.ts";
import { SimulatedQueue } from "./queue.ts";
import { checkReading } from "./reading.ts";
import { playReplays } from "./replays.ts";
import { checkDrops, type DecidedRules, decideRules, judgeAgain } from "./rules.ts";
import { type Faults, World, WorldError } from "./world.ts";

/** Late on a Saturday in UTC: Days end in some zone all through the run, and two zones change their clocks. */
const START = Date.UTC(2026, 9, 24, 20, 40);
const RUN_MS = 3 * HOUR_MS;
/** How long the world heals before the laws are checked: Days have ended, and in every fourth run all are sealed. */
const HEAL_MS = 40 * HOUR_MS;
const SEALED_MS = 126 * HOUR_MS;
/**
 * Where Days are sealed, the world goes on failing until so long before the end; from then on replay jobs
 * run, in weather of their own.
 */
const CALM_MS = 48 * HOUR_MS;
/** How often the cron runs here: more often finds nothing more, and takes the simulation's time. */
const CRON_MS = HOUR_MS;
/** Days begin in the middle of a run in London and Athens. */
const ZONES = ["UTC", "Europe/London", "Europe/Athens", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe"];

export interface Outcome {
  readonly seed: number;
  /** The broken law, or undefined. */
  readonly problem: string | undefined;
  readonly log: readonly string[];
  readonly statistics: Statistics;
}

export interface Statistics {
  events: number;
  sends: number;
  crashes: number;
  overflows: number;
  readings: number;
  /** Answers that were found and not read. */
  remembered: number;
  seals: number;
  replays: number;
  /** Month files that were written. */
  months: number;
  /** Runs of open Days. */
  runs: number;
}

export const NO_STATISTICS: Statistics = {
  events: 0,
  sends: 0,
  crashes: 0,
  overflows: 0,
  readings: 0,
  remembered: 0,
  seals: 0,
  replays: 0,
  months: 0,
  runs: 0,
};

/** What a client keeps of an event until somebody acknowledges it. */
export interface Sent {
  readonly arrival: Arrival;
  acknowledged: boolean;
  /** UTC ms; Infinity before. From then on it is in every answer. */
  acknowledgedAt: number;
  /** It overflowed, and D1 could not be told. */
  unnoted: boolean;
}

export interface Simulation {
  readonly world: World;
  readonly placement: Placement;
  /** When the world is checked, UTC ms. */
  readonly endsAt: number;
  readonly settings: Map<number, Settings>;
  /** The deployment's own, under GLOBAL_MERCHANT. */
  global: Settings;
  /** Rules that were changed, in order. */
  readonly decided: DecidedRules[];
  readonly hosts: Map<string, PartitionHost>;
  readonly objects: Map<string, Uint8Array>;
  /**
   * Bytes of archive files that were encoded, by what is in them: while a ledger is out the same few come thousands of
   * times.
   */
  readonly encoded: Map<string, Uint8Array<ArrayBuffer>>;
  readonly databases: Databases;
  readonly areBlocksMoved: boolean;
  /** All of them as one, for what a run looks at itself. */
  readonly d1: AnyDatabase;
  /** A ledger that fails while the others answer, and when (UTC ms). */
  readonly outages: readonly { readonly position: number; readonly from: number; readonly until: number }[];
  /** What the one isolate that asks remembers of D1. */
  readonly buckets: BucketMemory;
  readonly answers: AnswerMemory;
  /** And of what sealed Days came to. */
  readonly scans: ScanMemory;
  readonly database: DatabaseSync;
  /** What the isolate that takes hits has heard of merchants that are not in the pool. */
  spreads: SpreadMemory;
  readonly sent: Sent[];
  readonly statistics: Statistics;
  readonly archiveQueue: SimulatedQueue;
  readonly overflowQueue: SimulatedQueue;
  /** Of the collector's isolate. */
  gate: OverflowGate;
  readonly sealQueue: SimulatedQueue;
  /** What somebody wanted erased. */
  readonly erased: AskedErasure[];
  problem: string | undefined;
  /** Told when the next seal begins. */
  readonly sealing: (() => void)[];
  /** Ids of events that were sent while replay jobs ran. */
  readonly sentLate: Set<string>;
  /** Whether the run's replay jobs are over. */
  replaysEnded: boolean;
}

const NOT_ACKNOWLEDGED = { acknowledged: false, acknowledgedAt: Number.POSITIVE_INFINITY, unnoted: false };

/** Runs one seed to its end. The same seed gives the same log. */
export async function simulate(seed: number, changes: Partial<Faults> = {}): Promise<Outcome> {
  const simulation = build(seed, changes);
  const { world } = simulation;
  const clients = world.random.integer(2, 4);
  for (let client = 0; client < clients; client++) startClient(simulation, client);
  startReader(simulation);
  startCron(simulation);
  if (world.random.chance(0.5)) world.at(START + world.random.integer(0, RUN_MS), () => changeZone(simulation));
  for (let change = world.random.pick([0, 1, 1, 2]); change > 0; change--)
    world.at(START + world.random.integer(0, RUN_MS), () => changeSpread(simulation));
  for (let change = world.random.integer(0, 4); change > 0; change--)
    world.at(START + world.random.integer(0, RUN_MS - HOUR_MS), () => changeRules(simulation));
  const isLong = simulation.endsAt > START + RUN_MS + HEAL_MS;
  if (isLong && world.random.chance(0.5)) {
    const erase = () => void askForErasure(simulation, slowStorage(simulation).ledgers);
    world.at(START + world.random.integer(0, RUN_MS + world.random.pick([0, 0, 20]) * HOUR_MS), erase);
  }
  if (isLong && world.random.chance(0.5)) {
    const die = () => void dieChangingSettings(simulation);
    world.at(START + world.random.integer(0, RUN_MS + 48 * HOUR_MS), die);
  }
  await world.runUntil(isLong ? simulation.endsAt - CALM_MS : START + RUN_MS);
  world.faults = { failure: 0, crash: 0, repeat: 0 };
  if (isLong) world.at(world.now, () => void replayAgain(simulation));
  await world.runUntil(simulation.endsAt);
  if (!simulation.replaysEnded) simulation.problem ??= "the replay jobs of the run have not ended";
  await check(simulation);
  for (const host of simulation.hosts.values()) simulation.statistics.crashes += host.crashes;
  return { seed, problem: simulation.problem, log: world.log, statistics: simulation.statistics };
}

function areDaysSealed(seed: number): boolean {
  return seed % 8 < 2;
}

/**
 * In every other one of these runs, months go to month files as soon as anything of them is packed, also while Days of
 * them are open: more is moved, and comes back, than in any deployment.
 */
function areBlocksMoved(seed: number): boolean {
  return areDaysSealed(seed) && Math.floor(seed / 8) % 2 === 0;
}

/** What has a month end before it began. */
const MOVED_AFTER_DAYS = -MONTH_DAYS;

/** Odd seeds have three ledgers, the others one. */
function ledgersIn(seed: number): number {
  return seed % 2 === 1 ? 3 : 1;
}

/** One ledger fails, some time after `from`, for up to two hours. */
function outageFrom({ random }: World, from: number, withinMs: number): Simulation["outages"][number] {
  const begin = from + random.integer(0, withinMs);
  return { position: random.integer(0, 2), from: begin, until: begin + random.integer(HOUR_MS / 4, 2 * HOUR_MS) };
}

/** Somebody was about to change settings, and died when the ledgers knew and the directory did not. */
async function dieChangingSettings(simulation: Simulation): Promise<void> {
  const { world, settings, global } = simulation;
  const scope = world.random.integer(GLOBAL_MERCHANT, settings.size);
  const { version } = settings.get(scope) ?? global;
  try {
    await fenceSettings(slowStorage(simulation).ledgers, [{ scope, version: version + 1 }]);
  } catch (error) {
    world.note(`a change of settings failed: ${String(error)}`);
  }
  world.note(`a change of the settings of ${scope} died`);
}

async function replayAgain(simulation: Simulation): Promise<void> {
  try {
    await playReplays(simulation, Math.floor(START / DAY_MS) + 1);
  } catch (error) {
    simulation.problem ??= `the replays failed: ${String(error)}`;
  }
  simulation.world.faults = { failure: 0, crash: 0, repeat: 0 };
  simulation.replaysEnded = true;
}

/** Asks the production query path. */
export async function ask(simulation: Simulation, merchant: number, body: Record<string, unknown>): Promise<Answer> {
  const question = parseQuestion({ site_id: "m", ...body });
  if (!question.ok) throw new Error(question.rejection.message);
  return answerOf(simulation, merchant, question.value);
}

/** Settings as D1 has them. */
export function settingsOf({ settings, global }: Simulation, merchant: number): Settings | undefined {
  return merchant === GLOBAL_MERCHANT ? global : settings.get(merchant);
}

/** Every row of the archive that counts, through what a replay reads it with. */
export async function readArchive({ objects, d1 }: Simulation): Promise<readonly ArchivedEvent[]> {
  const archive = { bucket: memoryArchive(objects) };
  const found: ArchivedEvent[] = [];
  for (let day = FIRST_DAY; day < FIRST_DAY + 20; day++) {
    for (const partition of await listPartitions(archive, dateOf(day))) {
      const seal = await findSeal(d1, { day, partition });
      const archived = await findDay(archive, { date: dateOf(day), partition }, seal?.folder ?? "");
      const ids = new Set<string>();
      for await (const rows of readDay(archive, archived, { after: 0, isWanted: () => true })) {
        // A late event that came twice lies there twice until the next seal, and counts once.
        for (const row of rowsOf(rows)) {
          const id = `${row.event.merchant} ${row.event.id}`;
          if (!ids.has(id)) found.push(row);
          ids.add(id);
        }
      }
    }
  }
  return found;
}

/** The first Day any event of a run may have. */
const FIRST_DAY = Math.floor(START / DAY_MS) - 8;

async function answerOf(simulation: Simulation, merchant: number, question: Question): Promise<Answer> {
  const answer = await execute(question, merchantRow(simulation, merchant), queryDeps(simulation));
  if (!answer.ok) throw new Error(answer.rejection.message);
  return answer.value;
}

/** A merchant as the query Worker knows it. */
export function merchantRow({ settings }: Simulation, merchant: number): Merchant {
  const { version, zones, past = [], currency, rules, spread } = settings.get(merchant) as Settings;
  const shown = {
    version,
    zones,
    pastZones: past,
    currency,
    currencies: [],
    rules,
    spread,
    retentionDays: null,
    imported: [],
  };
  return { number: merchant, ...shown } as unknown as Merchant;
}

function build(seed: number, changes: Partial<Faults>): Simulation {
  const world = new World(seed, START, { failure: 0.08, crash: 0.01, repeat: 0.2, ...changes });
  const merchants = world.random.integer(1, 3);
  const ledgers = ledgersIn(seed);
  const objects = new Map<string, Uint8Array>();
  const months = memoryArchive(objects);
  const databases = makeDatabases(ledgers, months);
  const { database } = databases;
  const endsAt = START + RUN_MS + (areDaysSealed(seed) ? SEALED_MS : HEAL_MS);
  const simulation: Simulation = {
    world,
    databases,
    areBlocksMoved: areBlocksMoved(seed),
    outages: ledgers > 1 ? [outageFrom(world, START, RUN_MS), outageFrom(world, endsAt - CALM_MS, 3 * HOUR_MS)] : [],
    placement: {
      poolSize: ledgers > 1 ? ledgers : POOL_SIZE,
      regions: world.random.chance(0.25) ? ["weur", "apac"] : [],
    },
    endsAt,
    settings: new Map(),
    global: globalSettings(),
    decided: [],
    hosts: new Map(),
    objects,
    encoded: new Map(),
    d1: withMonths(sqliteD1(database), months) as AnyDatabase,
    buckets: new BucketMemory(),
    answers: new AnswerMemory(),
    scans: new ScanMemory(),
    spreads: new SpreadMemory(),
    database,
    sent: [],
    statistics: { ...NO_STATISTICS },
    archiveQueue: new SimulatedQueue("archive", world, (batch) => archive(batch, archiveDeps(simulation))),
    overflowQueue: new SimulatedQueue("overflow", world, (batch) => deliverOverflow(batch, overflowDeps(simulation))),
    gate: newGate(world),
    sealQueue: new SimulatedQueue("seal", world, (batch) => {
      for (const hear of simulation.sealing.splice(0)) hear();
      return sealDays(batch, sealDeps(simulation));
    }),
    erased: [],
    problem: undefined,
    sealing: [],
    sentLate: new Set(),
    replaysEnded: !areDaysSealed(seed),
  };
  for (let merchant = 1; merchant <= merchants; merchant++) {
    const zone = world.random.pick(ZONES);
    const zones = [{ from: 0, zone }];
    const spread = world.random.chance(0.4) ? earlierSpread(simulation, zone) : [];
    setSettings(simulation, { merchant, version: 1, zones, currency: "EUR", rules: [], spread });
  }
  return simulation;
}

/** A merchant that is spread since long ago, since a Day that late events are of, or from one on that is to come. */
function earlierSpread({ world }: Simulation, zone: string): SpreadTimeline {
  const today = dayAt(zone, START);
  const from = world.random.pick([0, ...[-3, -2, -1, 0, 1].map((days) => dayStart(zone, today + days))]);
  return [{ from, partitions: world.random.integer(1, 3) }];
}

/** A merchant's settings, where partitions and where replays read them. */
export function setSettings(simulation: Simulation, changed: Settings): void {
  const { merchant } = changed;
  if (merchant === GLOBAL_MERCHANT) simulation.global = changed;
  else simulation.settings.set(merchant, changed);
  putSettings(simulation.databases.database, changed);
}

/** What a merchant's partitions have and D1 does not. */
export async function readLive(simulation: Simulation, merchant: number): Promise<readonly RollupRow[]> {
  const rows: RollupRow[] = [];
  const dimensions = ALL_DIMENSIONS;
  for (const name of partitionsOfMerchant(simulation, merchant)) {
    for (const range of [
      { grain: "hour", from: 0, to: START * 2 } as const,
      { grain: "day", from: 0, to: 1e6 } as const,
    ]) {
      const host = hostOf(simulation, name);
      const reply = await host.request("live", (partition) => live(partition, { merchant, dimensions, ...range }));
      rows.push(...reply.rows);
    }
  }
  return rows;
}

function partitionsOfMerchant({ settings, placement }: Simulation, merchant: number): readonly string[] {
  return partitionsOf(settings.get(merchant) as Settings, placement);
}

function hostOf(simulation: Simulation, name: string): PartitionHost {
  const known = simulation.hosts.get(name);
  if (known !== undefined) return known;
  const { world } = simulation;
  const host = new PartitionHost(
    name,
    { world, poolSize: simulation.placement.poolSize },
    {
      sendBundle: ({ message }) => world.call("bundle send", () => simulation.archiveQueue.send(message)),
      publishRollups: (rows) => writeRollups(slowStorage(simulation).ledgers.of(name), rows),
      readSettings: (merchants) => readSettingsOf(slowStorage(simulation).directory, merchants),
      readChanges: (since) => readChanges(slowStorage(simulation).directory, since),
      writeSpread: async () => false,
      counted: (other, request) =>
        world.call("counted", () => hostOf(simulation, other).request("counted", (asked) => counted(asked, request))),
    },
  );
  simulation.hosts.set(name, host);
  return host;
}

function archiveDeps(simulation: Simulation) {
  const { world, objects } = simulation;
  return {
    encode: (file: ArchiveFile) => encodedOnce(simulation, file),
    bucket: {
      put: (key: string, value: Uint8Array) =>
        world.call("R2 put", () => {
          if (objects.has(key)) return null;
          objects.set(key, value.slice());
          return { key };
        }),
      get: (key: string) =>
        world.call("R2 get", () => {
          const bytes = objects.get(key);
          return bytes === undefined ? null : { arrayBuffer: async () => bytes.slice().buffer as ArrayBuffer };
        }),
    },
    note: async (bundle: ArchivedBundle) => {
      const noted = { bundle, now: world.now, coalesceMs: COALESCE_MS };
      const { ledgers } = slowStorage(simulation);
      const woken = await noteArchived(ledgers.of(bundle.partition), noted);
      for (const place of woken) simulation.sealQueue.send(place, COALESCE_MS);
    },
    sendRuns: (places: readonly SealPlace[]) =>
      world.call("runs send", () => {
        for (const place of places) simulation.sealQueue.send({ ...place, runs: true }, 0);
      }),
    now: () => world.now,
    pace: { sealAfterMs: SEAL_AFTER_MS },
    confirm: (name: string, first: number) =>
      world.call("confirm", () =>
        hostOf(simulation, name).request("confirm", (partition) => confirm(partition, first)),
      ),
    takeMissed: () => Promise.reject(new Error("no partition is lost here")),
    meter: zeroMeter(),
    log: () => {},
  };
}

function encodedOnce({ encoded }: Simulation, file: ArchiveFile): Uint8Array<ArrayBuffer> {
  const all = JSON.stringify(file);
  const bytes = encoded.get(all) ?? encodeParquet(file);
  encoded.set(all, bytes);
  return bytes;
}

const COALESCE_MS = 900_000;

/** What seals: R2 and D1 that fail before or after taking effect, or long after, and partitions that die. */
export function sealDeps(simulation: Simulation): SealDeps & ErasureDeps {
  const { world, objects } = simulation;
  const memory = memoryArchive(objects);
  return {
    ...slowStorage(simulation),
    bucket: {
      ...memory,
      put: (key, value) =>
        world.call("R2 put", () => {
          if (key.endsWith(".run")) simulation.statistics.runs += 1;
          return memory.put(key, value);
        }),
      delete: (keys) => world.call("R2 delete", () => memory.delete(keys)),
    },
    partition: (name) => {
      const ask = <T>(what: string, work: (partition: Partition) => T) =>
        world.call(what, () => hostOf(simulation, name).request(what, work));
      return {
        unpublished: (day) => ask("unpublished", (partition) => unpublished(partition, day)),
        live: (request) => ask("live", (partition) => live(partition, request)),
        completeness: (day) => ask("completeness", (partition) => completeness(partition, day)),
        dropDay: (day) => ask("drop Day", (partition) => dropDay(partition, day)),
        status: () => ask("status", statusOf),
        noteChange: (merchants) => ask("note change", (partition) => noteChange(partition, merchants)),
        erase: (request) =>
          ask("erase", (partition) => {
            noteHeard(simulation, request);
            return erase(partition, request);
          }),
      };
    },
    poolSize: simulation.placement.poolSize,
    sendSeals: (places, delaySeconds) =>
      world.call("seal send", () => {
        for (const place of places) simulation.sealQueue.send(place, delaySeconds * 1_000);
      }),
    now: () => world.now,
    pace: { sealAfterMs: SEAL_AFTER_MS, lateCoalesceMs: COALESCE_MS, sealGraceMs: 2 * HOUR_MS },
    meter: zeroMeter(),
    log: () => {},
  };
}

function ageDeps(simulation: Simulation): AgeDeps {
  const deps = sealDeps(simulation);
  const put: AgeDeps["bucket"]["put"] = async (...given) => {
    simulation.statistics.months += 1;
    return deps.bucket.put(...given);
  };
  const log = (line: object) => simulation.world.note(JSON.stringify(line));
  return { ...deps, bucket: { ...deps.bucket, put }, monthsAfterDays: MOVED_AFTER_DAYS, log };
}

/** The cron, which now and then fails. */
function startCron(simulation: Simulation): void {
  const { world } = simulation;
  const run = () => {
    const failed = (error: unknown) => world.note(`the cron failed: ${String(error)}`);
    driveSeals(sealDeps(simulation)).catch(failed);
    driveErasures(sealDeps(simulation)).catch(failed);
    if (simulation.areBlocksMoved) ageBlocks(ageDeps(simulation)).catch(failed);
    world.at(world.now + CRON_MS, run);
  };
  world.at(world.now + CRON_MS, run);
}

function overflowDeps(simulation: Simulation) {
  return {
    unpack: (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as Overflow,
    append: (name: string, arrivals: readonly Arrival[]) => appendTo(simulation, name, arrivals),
    note: (note: OverflowNote) => noteOverflow(slowStorage(simulation).ledgers, note),
    settle: (note: OverflowNote) =>
      settleOverflow(slowStorage(simulation).ledgers, { ...note, now: simulation.world.now }),
    poolSize: simulation.placement.poolSize,
    now: () => simulation.world.now,
    meter: zeroMeter(),
    log: () => {},
  };
}

/** How the collector overflows. What it could not note is remembered. */
function overflowRoad(simulation: Simulation): OverflowRoad {
  const { world } = simulation;
  let noted = false;
  const send = (message: Uint8Array) => {
    simulation.statistics.overflows += 1;
    const { parts } = JSON.parse(new TextDecoder().decode(message)) as Overflow;
    const ids = new Set(parts.flatMap(({ arrivals }) => arrivals.map(({ event }) => event.id)));
    if (!noted) for (const sent of simulation.sent) if (ids.has(sent.arrival.event.id)) sent.unnoted = true;
    return world.call("overflow send", () => simulation.overflowQueue.send(message));
  };
  return {
    note: async (note) => {
      await noteOverflow(slowStorage(simulation).ledgers, note);
      noted = true;
    },
    settle: (note) => settleOverflow(slowStorage(simulation).ledgers, { ...note, now: world.now }),
    pack: (overflow) => new TextEncoder().encode(JSON.stringify(overflow)),
    queues: [send, send],
    newId: () => world.random.hex(8),
    wait: (ms) => world.sleep(ms),
    now: () => world.now,
    later: (work) => void work,
    log: () => {},
  };
}

function appendTo(simulation: Simulation, name: string, arrivals: readonly Arrival[]) {
  const host = hostOf(simulation, name);
  return simulation.world.call("append", () => host.request("append", (partition) => append(partition, arrivals)));
}

/**
 * What one question is answered with. Its clock stands: the world's leaps by minutes, and a question has seconds
 * (FIL-6).
 */
export function queryDeps(simulation: Simulation): QueryDeps {
  const { world } = simulation;
  const { now } = world;
  const memory = memoryArchive(simulation.objects);
  const partition = (name: string) => ({
    live: (request: Parameters<typeof live>[1]) =>
      world.call("live", () => hostOf(simulation, name).request("live", (opened) => live(opened, request))),
    recentEvents: (request: Parameters<typeof recentEvents>[1]) =>
      world.call("recent", () => hostOf(simulation, name).request("recent", (opened) => recentEvents(opened, request))),
  });
  const deps: Partial<Record<keyof QueryDeps, unknown>> = {
    ...slowStorage(simulation),
    partition,
    placement: simulation.placement,
    buckets: simulation.buckets,
    answers: {
      answers: simulation.answers,
      sharedAnswers: undefined,
      answersKeptMs: 2 * DAY_MS, // readings are hours apart: what is remembered must be right for as long
      now: () => now,
    },
    scans: simulation.scans,
    turns: new TurnMemory((ms) => world.sleep(ms + 1)),
    rollupTurn: new RollupTurn({ turns: new TurnMemory((ms) => world.sleep(ms + 1)), now: () => world.now }),
    bucket: {
      ...memory,
      get: (key: string, options?: Parameters<typeof memory.get>[1]) =>
        world.call("R2 get", () => memory.get(key, options)),
      list: (options: Parameters<typeof memory.list>[0]) => world.call("R2 list", () => memory.list(options)),
    },
    meter: zeroMeter(),
    pace: { sealAfterMs: SEAL_AFTER_MS },
    now: () => now,
    log: () => {},
    later: () => {},
  };
  return deps as unknown as QueryDeps;
}

/**
 * The databases as everybody sees them: each call takes its time, and may fail; a ledger may fail altogether for a
 * while.
 */
function slowStorage({ world, databases, outages }: Simulation): JobStorage {
  const all = databases.ledgers.all.map((ledger, position) => {
    const isOut = () =>
      outages.some((one) => one.position === position && one.from <= world.now && world.now < one.until);
    return slowD1(world, ledger, isOut);
  });
  return { directory: slowD1(world, databases.directory, () => false), ledgers: ledgersOf(all) };
}

function slowD1(world: World, d1: AnyDatabase, isOut: () => boolean): AnyDatabase {
  const call = async <T>(what: string, effect: () => Promise<T>): Promise<T> => {
    if (!isOut()) return world.call(what, effect);
    await world.sleep(world.random.integer(1, 5_000));
    throw new WorldError(`${what} failed: the ledger is out`);
  };
  const slowed = (statement: D1PreparedStatement): object => ({
    statement,
    run: () => call("D1 write", () => statement.run()),
    bind: (...values: unknown[]) => slowed(statement.bind(...values)),
    all: () => call("D1 query", () => statement.all()),
    raw: () => call("D1 query", () => statement.raw()),
  });
  const prepare = (text: string) => slowed(d1.prepare(text));
  const batch = (statements: readonly { readonly statement: D1PreparedStatement }[]) =>
    call("D1 write", () => d1.batch(statements.map(({ statement }) => statement)));
  const { months } = d1;
  const get: ArchiveBucket["get"] | undefined =
    months && ((key, options) => world.call("R2 get", () => months.get(key, options)));
  return { prepare, batch, months: get && { get } } as unknown as AnyDatabase;
}

/** A browser, phone or server: sends now and then, resends with the same ids until it hears an answer. */
function startClient(simulation: Simulation, client: number): void {
  const { world } = simulation;
  const { random } = world;
  const merchant = random.integer(1, simulation.settings.size);
  const firstParty = random.chance(0.5);
  const clockError = random.pick([0, 0, 0, -120_000, TIMESTAMP_AHEAD_MS]);
  const userAgent = random.pick([CHROME, CHROME, IPHONE, GOOGLEBOT]);
  const { regions } = simulation.placement;
  const nearby = regions.length === 0 ? undefined : { region: random.pick(["", ...regions]), from: 0 };
  const act = () => {
    if (world.now > START + RUN_MS) return;
    const size = random.pick([1, 1, 1, 2, 5]);
    const batch = Array.from({ length: size }, (_, index) => {
      const late = random.chance(0.25)
        ? random.integer(0, random.pick([2, 30, 100]) * HOUR_MS)
        : random.integer(0, 5_000);
      const floating = random.chance(0.2);
      const timestamp = floating ? world.now : world.now - late + clockError;
      const event = { client, merchant, userAgent, firstParty, timestamp, index };
      return {
        arrival: { event: newEvent(simulation, event), address: `10.0.0.${client}`, floating },
        ...NOT_ACKNOWLEDGED,
      };
    });
    simulation.sent.push(...batch);
    simulation.statistics.events += batch.length;
    world.at(world.now, () => void send(simulation, { batch, nearby }));
    world.at(world.now + random.pick([1_000, 60_000, 1_799_000, 1_801_000, 3_000_000]), act);
  };
  world.at(START + random.integer(0, HOUR_MS), act);
}

interface NewEvent {
  readonly client: number;
  readonly merchant: number;
  readonly userAgent: string;
  readonly firstParty: boolean;
  readonly timestamp: number;
  readonly index: number;
}

function newEvent({ world }: Simulation, { client, merchant, userAgent, firstParty, timestamp }: NewEvent): Event {
  const { random } = world;
  return {
    merchant,
    stream: 1,
    id: random.hex(8),
    name: random.pick(["pageview", "pageview", "pageview", "purchase", "engagement"]),
    timestamp,
    receivedAt: world.now,
    visitor: firstParty ? hash64Hex(`${merchant}:${client}`) : "",
    format: "native",
    url: `https://shop.example${random.pick(["/", "/a", "/b", "/cart"])}`,
    referrer: random.pick(["", "https://www.google.com/", "https://news.example/today"]),
    title: "",
    userAgent,
    language: "en",
    screen: "",
    country: "GB",
    region: "",
    city: "",
    props: "",
    revenue: random.pick([0, 0, 125_000]),
    currency: "",
    engagementMs: random.pick([0, 700]),
    scroll: -1,
    dropped: "",
    ...NO_FACTS,
  };
}

/** Some events of Days that are closed, sent as any client would. */
export function sendLate(simulation: Simulation): void {
  const { world } = simulation;
  const { random } = world;
  const merchant = random.integer(1, simulation.settings.size);
  const batch = Array.from({ length: random.integer(1, 5) }, (_, index) => {
    const timestamp = START - random.integer(0, 2 * DAY_MS);
    const event = {
      client: 100 + index, // nobody who was erased
      merchant,
      userAgent: random.pick([CHROME, IPHONE]),
      firstParty: true,
      timestamp,
      index,
    };
    const arrival = { event: newEvent(simulation, event), address: `10.0.0.${index}`, floating: false };
    return { arrival, ...NOT_ACKNOWLEDGED };
  });
  simulation.sent.push(...batch);
  for (const { arrival } of batch) simulation.sentLate.add(arrival.event.id);
  simulation.statistics.events += batch.length;
  void send(simulation, { batch, nearby: undefined });
}

/** One request; on anything but an acknowledgement the same ids go out again, floating ones with a later time. */
async function send(
  simulation: Simulation,
  { batch, nearby }: { readonly batch: readonly Sent[]; readonly nearby: Nearby | undefined },
  attempt = 1,
): Promise<void> {
  const { world } = simulation;
  simulation.statistics.sends += 1;
  const arrivals = batch.map(({ arrival }) =>
    arrival.floating
      ? { ...arrival, event: { ...arrival.event, timestamp: world.now, receivedAt: world.now } }
      : arrival,
  );
  if (world.random.chance(0.2)) becomeAnotherIsolate(simulation);
  const delivered = await place(arrivals, {
    spreads: simulation.spreads,
    poolSize: simulation.placement.poolSize,
    nearby,
    delivery: {
      append: (partition, slice) => appendTo(simulation, partition, slice),
      overflow: (part) => simulation.gate.send(part, overflowRoad(simulation)),
      log: () => {},
    },
  });
  const answered = batch.filter((_, index) => delivered[index] !== "unavailable" && delivered[index] !== "unknown");
  const lost = world.random.chance(world.faults.failure); // the answer, on its way back
  if (!lost) for (const sent of answered) acknowledge(simulation, sent);
  const left = batch.filter((sent) => !sent.acknowledged);
  if (left.length === 0) return;
  const givesUp = attempt > 3 && world.random.chance(0.2);
  if (!givesUp)
    world.at(world.now + world.random.integer(500, 900_000), () => {
      void send(simulation, { batch: left, nearby }, attempt + 1);
    });
}

function becomeAnotherIsolate(simulation: Simulation): void {
  simulation.spreads = new SpreadMemory();
  simulation.gate = newGate(simulation.world);
}

/** By the world's clock. */
function newGate(world: World): OverflowGate {
  return new OverflowGate({
    set: (run, ms) => {
      const timer = { cleared: false };
      world.at(world.now + ms, () => {
        if (!timer.cleared) run();
      });
      return timer;
    },
    clear: (timer) => {
      (timer as { cleared: boolean }).cleared = true;
    },
  });
}

function acknowledge({ world }: Simulation, sent: Sent): void {
  if (!sent.acknowledged) sent.acknowledgedAt = world.now;
  sent.acknowledged = true;
}

/** Reads all through the run: a number may never fall below what was acknowledged before, nor exceed what was sent. */
function startReader(simulation: Simulation): void {
  const { world } = simulation;
  const read = async () => {
    if (world.now > simulation.endsAt || simulation.problem !== undefined) return;
    const merchant = world.random.integer(1, simulation.settings.size);
    simulation.problem = await checkReading(simulation, merchant);
    simulation.statistics.readings += 1;
    world.at(nextReading(world), () => void read());
  };
  world.at(START + 600_000, () => void read());
}

/** Some time later; every other time just when partitions publish, which is when a reading could be torn. */
function nextReading({ now, random }: World): number {
  if (now > START + RUN_MS) return now + random.integer(HOUR_MS, 6 * HOUR_MS);
  const later = now + random.integer(60_000, 2_500_000);
  if (random.chance(0.5)) return later;
  return Math.ceil(later / 900_000) * 900_000 + 90_000 + random.integer(-500, 1_500);
}

/** A merchant moves: dated ahead, as the admin API dates it, and pushed to its partitions, if they hear it. */
function changeZone(simulation: Simulation): void {
  const { world } = simulation;
  const known = simulation.settings.get(1) as Settings;
  const zone = world.random.pick(ZONES);
  setSettings(simulation, {
    ...known,
    version: known.version + 1,
    zones: dateZoneChange(known, zone, world.now),
  });
  world.note(`merchant 1 moves to ${zone}`);
  push(simulation, 1);
}

/** A merchant gets more partitions, or fewer, or goes back to the pool, from its next Day on. */
function changeSpread(simulation: Simulation): void {
  const { world } = simulation;
  const merchant = world.random.integer(1, simulation.settings.size);
  const known = simulation.settings.get(merchant) as Settings;
  const partitions = world.random.integer(0, 3);
  const spread = dateSpreadChange(known, { partitions, now: world.now, noticeMs: SPREAD_NOTICE_MS, at: "midnight" });
  if (spread === "full") throw new Error("the timeline of a run is short");
  setSettings(simulation, { ...known, version: known.version + 1, spread });
  world.note(`merchant ${merchant} is to be spread over ${partitions}: ${JSON.stringify(spread.at(-1))}`);
  push(simulation, merchant);
}

/** The rules of a merchant change, or those of all: partitions are not told of the latter. */
function changeRules(simulation: Simulation): void {
  const merchant = decideRules(simulation);
  if (merchant !== GLOBAL_MERCHANT) push(simulation, merchant);
}

function push(simulation: Simulation, merchant: number): void {
  const { world } = simulation;
  for (const name of partitionsOfMerchant(simulation, merchant)) {
    if (!simulation.hosts.has(name)) continue;
    const pushed = world.call("push", () =>
      hostOf(simulation, name).request("refresh", (partition) => refreshSettings(partition, merchant)),
    );
    pushed.catch((error: unknown) => world.note(`push failed: ${String(error)}`));
  }
}

async function check(simulation: Simulation): Promise<void> {
  const { world } = simulation;
  let done = false;
  const checks = (async () => {
    const rows = judgeAgain(simulation, await readArchive(simulation));
    simulation.problem ??= checkArchive(simulation, rows);
    simulation.problem ??= checkDrops(simulation, rows);
    for (const merchant of simulation.settings.keys())
      simulation.problem ??= await checkNumbers(simulation, merchant, rows);
    simulation.problem ??= await checkReplay(simulation, rows);
    simulation.problem ??= checkSeals(simulation);
    simulation.problem ??= checkErased(simulation, rows);
    simulation.problem ??= checkMonths(simulation);
  })().finally(() => {
    done = true;
  });
  while (!done) await world.runUntil(world.now + DAY_MS);
  await checks;
}
