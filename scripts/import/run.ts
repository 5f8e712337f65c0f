// `footfall import`: file → lines → rows (logs or CSV) → events with ids → batches → collector, a few requests at a
// time, noting where it stands as it goes. Whatever interrupts it, the same command goes on from there; nothing is
// counted twice, because a line's id is a function of the file alone (line-chain.ts).

import { createHash, randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { firstOpenDay } from "../../core/counting/closed.ts";
import { DAY_MS } from "../../core/time.ts";
import { makeStateDir } from "../local-state.ts";
import { Problem } from "../problem.ts";
import type { Meter } from "../progress.ts";
import { readLogLine } from "./access-log.ts";
import { type Batch, Batcher } from "./batch.ts";
import { type ColumnPlan, planColumns, readCsvRow } from "./csv-row.ts";
import type { FileFormat } from "./detect.ts";
import { detectFormat, type FileLine, findForeignLetters, type ImportFile, openFile, readLines } from "./file.ts";
import { readJsonLine } from "./json-log.ts";
import { CHAIN_START, hashVisitor, lineEventId } from "./line-chain.ts";
import { OrderGatherer, type PlacedRow } from "./order-row.ts";
import { EVENTS_PER_SECOND, Pace } from "./pace.ts";
import {
  decodeResume,
  encodeResume,
  type Place,
  placeKey,
  type Reading,
  type ResumeState,
  Settlement,
} from "./resume.ts";
import { type ImportedEvent, NEEDS_HOSTNAME, type Row, rejectedRow } from "./row.ts";
import { type Destination, sendEvents } from "./send.ts";
import { quoteLine, Tally } from "./tally.ts";
import { w3cReader } from "./w3c-log.ts";

export interface ImportOptions extends Reading {
  readonly path: string;
  readonly destination: Destination;
  /** Events a second; without it as many as a partition takes (pace.ts). */
  readonly eventsPerSecond?: number | undefined;
  /** Where the place is kept when it cannot be kept beside the file. */
  readonly stateDir: string;
  readonly meter: (bytes: number) => Meter;
  readonly say: (text: string) => void;
}

const REQUESTS_MAX = 4;
const SAVE_EVERY_MS = 500;
/** The collector's clock has gone on between two requests that must not come at one instant. */
const ARRIVAL_APART_MS = 2;
/** A service that stays away is spoken of again after this. */
const TROUBLE_EVERY_MS = 30_000;
/** A file whose addresses cannot be completed shows it within so many lines. */
const PREVIEW_LINES = 1_000;

/** Imports a file and answers what became of its lines. */
export async function importFile(options: ImportOptions): Promise<Tally> {
  const file = await openFile(options.path);
  const format = await detectFormat(file);
  await refuseUnreadable(file, format, options); // before anything is written
  const saved = await openState(options);
  const key = placeKey(options.destination, options);
  const start = await findStart(file, format, saved.state.places[key], options.say);
  const settlement = new Settlement(start);
  const save = () => saved.write({ ...saved.state, places: { ...saved.state.places, [key]: settlement.place } });
  await save(); // the salt is on disk before the first visitor is made with it
  const sender = new Sender(options, settlement, save);
  const meter = options.meter(file.bytes);
  try {
    await sendLines(file, format, { start, salt: saved.state.salt, sender, meter, options });
    await sender.finish();
  } finally {
    meter.stop();
    await save();
  }
  return sender.tally;
}

/** Throws the `Problem` of a file that cannot be imported with these options, found in its first lines. */
async function refuseUnreadable(file: ImportFile, format: FileFormat, options: ImportOptions): Promise<void> {
  const reader = rowReader(format, { ...options, say: () => undefined });
  let first: Row | undefined;
  for await (const line of readLines(file, format)) {
    const row = reader.note(line) ? undefined : reader.read(line);
    first ??= row;
    if (row?.kind === "rejected" && row.code === NEEDS_HOSTNAME) throw new Problem(`${options.path}: ${row.message}`);
    if (row?.kind === "event" || row?.kind === "skipped") first = row;
    const isComplete = row?.kind === "event" && row.event.url !== undefined;
    if (isComplete || line.place.line >= PREVIEW_LINES) break;
  }
  // Nothing could be read but the first line, which said what kind of file it is: it is of another kind, or lacks
  // something.
  if (format.kind !== "csv") {
    if (first?.kind !== "rejected") return;
    const isOther = first.code === "not_a_request";
    throw new Problem(`${options.path}: ${isOther ? `${OTHER_JSON} (${first.message})` : first.message}`);
  }
  const number = await findForeignLetters(file);
  if (number === undefined) return;
  const remedy = "convert it first: iconv -f WINDOWS-1252 -t UTF-8 <file>";
  throw new Problem(`${options.path}: line ${number} is not UTF-8; ${remedy}`);
}

const OTHER_JSON =
  "this looks like JSON lines of something else than requests; convert it to CSV, for example with jq's @csv";

interface Run {
  readonly start: Place;
  readonly salt: string;
  readonly sender: Sender;
  readonly meter: Meter;
  readonly options: ImportOptions;
}

async function sendLines(file: ImportFile, format: FileFormat, run: Run): Promise<void> {
  const { start, salt, sender, meter, options } = run;
  const batcher = new Batcher();
  const reader = rowReader(format, options);
  const orders = new OrderGatherer();
  const take = async ({ line, row }: PlacedRow) => {
    const origin = { line: line.number, text: textOf(line, format) };
    if (row.kind === "skipped") sender.tally.skip(row.reason);
    else if (row.kind === "rejected") sender.tally.reject(row.code, { ...origin, message: row.message });
    else {
      const event = complete(row.event, row.visitor, line.place, salt);
      const full = batcher.add({ ...origin, event }, line.before);
      if (full !== undefined) await sender.send(full);
    }
  };
  let end = start;
  for await (const line of readLines(file, format)) {
    meter.update(line.bytesRead);
    const isHead = reader.note(line); // on every run, or the lines after the place would have no header
    if (line.place.line <= start.line) continue;
    end = line.place;
    if (isHead) continue;
    sender.tally.lines++;
    const row = line.problem === undefined ? reader.read(line) : rejectedRow("unreadable", line.problem);
    for (const placed of orders.add({ line, row })) await take(placed);
  }
  for (const placed of orders.rest()) await take(placed);
  await sender.send(batcher.take(end) ?? { events: [], end });
}

/** How a file's lines become rows. */
interface RowReader {
  /** Takes in a line that says how to read those after it, and answers whether it was one. */
  readonly note: (line: FileLine) => boolean;
  readonly read: (line: FileLine) => Row;
}

function rowReader(format: FileFormat, options: ImportOptions): RowReader {
  const textOfLine = ({ values }: FileLine) => values[0] ?? "";
  if (format.kind === "log") return { note: () => false, read: (line) => readLogLine(textOfLine(line), options) };
  if (format.kind === "json") return { note: () => false, read: (line) => readJsonLine(textOfLine(line), options) };
  if (format.kind === "csv") return csvReader(options);
  const reader = w3cReader();
  return {
    note: (line) => reader.note(textOfLine(line)),
    read: (line) => reader.read(textOfLine(line), options),
  };
}

/** The first row of a CSV is its header. */
function csvReader(options: ImportOptions): RowReader {
  let plan: ColumnPlan | undefined;
  return {
    note(line) {
      if (plan !== undefined) return false;
      const planned = planColumns(line.values, options.map);
      if (!planned.ok) throw new Problem(`${options.path}: ${planned.why}`);
      plan = planned.plan;
      sayOfColumns(plan, options.say);
      return true;
    },
    read: (line) => readCsvRow(line.values, plan as ColumnPlan, options.origin),
  };
}

function sayOfColumns({ ignored, targets }: ColumnPlan, say: (text: string) => void): void {
  if (ignored.length > 0) say(`columns left out: ${ignored.join(", ")}`);
  if (!targets.includes("visitor_id") && !targets.includes("address")) {
    say("no column tells visitors apart (visitor_id or address): all rows count as few visitors");
  }
}

/** A line as the file has it, cut: what a person looks for when it was refused. */
function textOf({ values }: FileLine, format: FileFormat): string {
  return quoteLine(format.kind === "csv" ? values.join(format.delimiter) : (values[0] ?? ""));
}

function complete(event: ImportedEvent, visitor: string | undefined, place: Place, salt: string): ImportedEvent {
  const id = event.id ?? lineEventId(place.chain);
  return visitor === undefined ? { ...event, id } : { ...event, id, visitor_id: hashVisitor(salt, visitor) };
}

/** A batch on its way, and whose instants are in it. */
interface Flight {
  readonly instants: ReadonlySet<string>;
  readonly done: Promise<void>;
}

/**
 * Keeps a few requests in flight; a failure of one surfaces at the next call. Events of one visitor and one instant are
 * told apart by when they came and by their place in the request, so a batch that shares such an instant with one in
 * flight waits for its answer: the order of the file is the order of arrival.
 */
class Sender {
  readonly tally = new Tally();
  readonly #flying = new Set<Flight>();
  readonly #destination: Destination;
  readonly #settlement: Settlement;
  readonly #save: () => Promise<void>;
  readonly #say: (text: string) => void;
  readonly #pace: Pace;
  #savedAt = 0;
  #troubleSaidAt = Number.NEGATIVE_INFINITY;

  constructor(options: ImportOptions, settlement: Settlement, save: () => Promise<void>) {
    this.#destination = options.destination;
    this.#pace = new Pace(options.eventsPerSecond ?? EVENTS_PER_SECOND);
    this.#settlement = settlement;
    this.#save = save;
    this.#say = options.say;
  }

  async send(batch: Batch): Promise<void> {
    const instants = instantsOf(batch);
    const before = [...this.#flying].filter((flight) => shares(flight.instants, instants));
    await Promise.all(before.map(({ done }) => done));
    if (before.length > 0) await sleep(ARRIVAL_APART_MS);
    while (this.#flying.size >= REQUESTS_MAX) await Promise.race([...this.#flying].map(({ done }) => done));
    await this.#pace.wait(batch.events.length);
    const settle = this.#settlement.open(batch.end);
    const flight: Flight = {
      instants,
      done: this.#deliver(batch, settle).then(() => void this.#flying.delete(flight)),
    };
    flight.done.catch(() => undefined); // it stays in the set, where the next race or `finish` throws it
    this.#flying.add(flight);
    if (Date.now() - this.#savedAt < SAVE_EVERY_MS) return;
    this.#savedAt = Date.now();
    await this.#save();
  }

  async finish(): Promise<void> {
    await Promise.all([...this.#flying].map(({ done }) => done));
  }

  async #deliver({ events }: Batch, settle: () => void): Promise<void> {
    if (events.length > 0) {
      const answer = await sendEvents(
        this.#destination,
        events.map(({ event }) => event),
        (trouble) => this.#sayTrouble(trouble),
      );
      this.tally.answer(answer, events);
      for (const { event } of events) this.tally.time(event.timestamp, firstOpenDay(Date.now()) * DAY_MS);
    }
    settle();
  }

  /** Once for all requests that fail together. */
  #sayTrouble(trouble: string): void {
    if (Date.now() - this.#troubleSaidAt < TROUBLE_EVERY_MS) return;
    this.#troubleSaidAt = Date.now();
    this.#say(trouble);
  }
}

function instantsOf({ events }: Batch): ReadonlySet<string> {
  return new Set(
    events.map(({ event }) => JSON.stringify([event.timestamp, event.visitor_id ?? [event.user_agent ?? ""]])),
  );
}

function shares(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  for (const one of others) if (some.has(one)) return true;
  return false;
}

/** Where to go on: the kept place, if the lines up to it are still the same. */
async function findStart(
  file: ImportFile,
  format: FileFormat,
  kept: Place | undefined,
  say: (text: string) => void,
): Promise<Place> {
  const first = { line: 0, chain: CHAIN_START };
  if (kept === undefined || kept.line === 0) return first;
  for await (const { place, number } of readLines(file, format)) {
    if (place.line < kept.line) continue;
    if (place.chain !== kept.chain) break;
    say(`going on after line ${number}`);
    return kept;
  }
  say("the file is not the one imported before under this name; starting at its first line");
  return first;
}

interface SavedState {
  readonly state: ResumeState;
  write(state: ResumeState): Promise<void>;
}

/** The place is kept beside the file, or in the state folder when nothing may be written there. */
async function openState({ path, stateDir }: ImportOptions): Promise<SavedState> {
  const beside = join(dirname(path), `${basename(path)}.footfall-import.json`);
  const name = createHash("sha256").update(resolve(path)).digest("hex").slice(0, 16);
  const elsewhere = join(stateDir, "imports", `${name}.json`);
  const fresh = { salt: randomBytes(32).toString("base64url"), places: {} };
  const state = (await readState(beside)) ?? (await readState(elsewhere)) ?? fresh;
  try {
    await writeState(beside, state);
    return { state, write: (next) => writeState(beside, next) };
  } catch {
    await makeStateDir(dirname(elsewhere));
    return { state, write: (next) => writeState(elsewhere, next) };
  }
}

async function readState(path: string): Promise<ResumeState | undefined> {
  try {
    return decodeResume(await readFile(path, "utf8"));
  } catch {
    return undefined; // not there: a first run
  }
}

/** Replaced in one step, so that a crash leaves the old state or the new one. */
async function writeState(path: string, state: ResumeState): Promise<void> {
  await writeFile(`${path}.new`, encodeResume(state), { mode: 0o600 });
  await rename(`${path}.new`, path);
}
