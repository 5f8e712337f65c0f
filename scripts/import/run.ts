// `footfall import`: file → lines → rows (log or CSV) → events with ids → batches → collector, a few requests at a time,
// noting where it stands as it goes. Whatever interrupts it, the same command goes on from there; nothing is counted
// twice, because a line's id is a function of the file alone (line-chain.ts).

import { createHash, randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { firstOpenDay } from "../../core/counting/closed.ts";
import { DAY_MS } from "../../core/time.ts";
import { makeStateDir } from "../local-state.ts";
import { Problem } from "../problem.ts";
import type { Meter } from "../progress.ts";
import { readLogLine } from "./access-log.ts";
import { type Batch, Batcher } from "./batch.ts";
import { planColumns, readCsvRow } from "./csv-row.ts";
import { detectFormat, type FileFormat, type FileLine, type ImportFile, openFile, readLines } from "./file.ts";
import { CHAIN_START, hashVisitor, lineEventId } from "./line-chain.ts";
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
import { type ImportedEvent, NEEDS_HOSTNAME, type Row } from "./row.ts";
import { type Destination, sendEvents } from "./send.ts";
import { quoteLine, Tally } from "./tally.ts";

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
  for await (const line of readLines(file, format)) {
    const row = reader(line);
    if (row?.kind === "rejected" && row.code === NEEDS_HOSTNAME) throw new Problem(`${options.path}: ${row.message}`);
    const isComplete = row?.kind === "event" && row.event.url !== undefined;
    if (isComplete || line.place.line >= PREVIEW_LINES) return;
  }
}

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
  let end = start;
  for await (const line of readLines(file, format)) {
    meter.update(line.bytesRead);
    const done = line.place.line <= start.line;
    if (done && line.before.line > 0) continue; // but the first line is read on every run: it may be the header
    const row = reader(line);
    if (done || row === undefined) continue;
    end = line.place;
    sender.tally.lines++;
    if (row.kind === "skipped") sender.tally.skip(row.reason);
    else if (row.kind === "rejected") {
      sender.tally.reject(row.code, { line: end.line, message: row.message, text: textOf(line, format) });
    } else {
      const event = complete(row.event, row.visitor, end, salt);
      const full = batcher.add({ line: end.line, text: textOf(line, format), event }, line.before);
      if (full !== undefined) await sender.send(full);
    }
  }
  await sender.send(batcher.take(end) ?? { events: [], end });
}

/** The reader of a file's lines. The first line of a CSV is its header and no row. */
function rowReader(format: FileFormat, options: ImportOptions): (line: FileLine) => Row | undefined {
  if (format.kind === "log") {
    return (line) => readLogLine(line.values[0] ?? "", options);
  }
  let readLine = (line: FileLine): Row | undefined => {
    const planned = planColumns(line.values, options.map);
    if (!planned.ok) throw new Problem(`${options.path}: ${planned.why}`);
    const { ignored, targets } = planned.plan;
    if (ignored.length > 0) options.say(`columns left out: ${ignored.join(", ")}`);
    if (!targets.includes("visitor_id") && !targets.includes("address")) {
      options.say("no column tells visitors apart (visitor_id or address): all rows count as few visitors");
    }
    readLine = (row) => readCsvRow(row.values, planned.plan, options.origin);
    return undefined;
  };
  return (line) => readLine(line);
}

/** A line as the file has it, cut: what a person looks for when it was refused. */
function textOf({ values }: FileLine, format: FileFormat): string {
  return quoteLine(format.kind === "log" ? (values[0] ?? "") : values.join(format.delimiter));
}

function complete(event: ImportedEvent, visitor: string | undefined, place: Place, salt: string): ImportedEvent {
  const id = event.id ?? lineEventId(place.chain);
  return visitor === undefined ? { ...event, id } : { ...event, id, visitor_id: hashVisitor(salt, visitor) };
}

/** Keeps a few requests in flight; a failure of one surfaces at the next call. */
class Sender {
  readonly tally = new Tally();
  readonly #flying = new Set<Promise<void>>();
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
    while (this.#flying.size >= REQUESTS_MAX) await Promise.race(this.#flying);
    await this.#pace.wait(batch.events.length);
    const settle = this.#settlement.open(batch.end);
    const flight = this.#deliver(batch, settle).then(() => void this.#flying.delete(flight));
    flight.catch(() => undefined); // it stays in the set, where the next race or `finish` throws it
    this.#flying.add(flight);
    if (Date.now() - this.#savedAt < SAVE_EVERY_MS) return;
    this.#savedAt = Date.now();
    await this.#save();
  }

  async finish(): Promise<void> {
    await Promise.all(this.#flying);
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

/** Where to go on: the kept place, if the lines up to it are still the same. */
async function findStart(
  file: ImportFile,
  format: FileFormat,
  kept: Place | undefined,
  say: (text: string) => void,
): Promise<Place> {
  const first = { line: 0, chain: CHAIN_START };
  if (kept === undefined || kept.line === 0) return first;
  for await (const { place } of readLines(file, format)) {
    if (place.line < kept.line) continue;
    if (place.chain !== kept.chain) break;
    say(`going on after line ${kept.line}`);
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
