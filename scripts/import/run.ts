// `footfall import`: file → lines → rows (logs or CSV) → events with ids → batches → collector, a few requests at a
// time, noting where it stands as it goes. Whatever interrupts it, the same command goes on from there; nothing is
// counted twice, because a line's id is a function of the file alone (line-chain.ts).

import { dayAt } from "../../core/time.ts";
import { Problem } from "../problem.ts";
import type { Meter } from "../progress.ts";
import { Batcher } from "./batch.ts";
import type { FileFormat } from "./detect.ts";
import { detectFormat, type FileLine, findForeignLetters, type ImportFile, openFile, readLines } from "./file.ts";
import { CHAIN_START, hashVisitor, lineEventId } from "./line-chain.ts";
import { OrderGatherer, type PlacedRow } from "./order-row.ts";
import { headOf, type Preview, previewFile } from "./preview.ts";
import { type Place, placeKey, type Reading, Settlement } from "./resume.ts";
import { type EventRow, type ImportedEvent, NEEDS_HOSTNAME, type Row } from "./row.ts";
import { rowReader } from "./row-reader.ts";
import { openState } from "./saved-state.ts";
import type { Destination } from "./send.ts";
import { Sender } from "./sender.ts";
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
  /** Where the import is an object with a number; without it rows are sent as they are. */
  readonly registry?: Registry | undefined;
  /** Whether somebody wants it to stop where it is. */
  readonly isStopped?: () => boolean;
}

/** Where imports get their numbers, and say how far they are. */
export interface Registry {
  /** The merchant's zone: its Days are previewed. */
  readonly zone: string;
  /**
   * What ends the ids of a file that begins like this, where one was imported before; undefined where they are new
   * ones.
   */
  readonly idSuffixOf: (head: string) => Promise<string | undefined>;
  /** Shows a preview and gives the import its number; undefined where nothing is to be sent. */
  readonly register: (preview: Preview, head: string) => Promise<Registered | undefined>;
}

export interface Registered {
  readonly number: number;
  readonly idSuffix: string;
  /** Days of which nothing is sent: they are counted here already. */
  readonly leftOut: ReadonlySet<number>;
  /** Where it stands, for a run that has lost its own place. */
  readonly place: Place | undefined;
  /** Says how far it is; true where somebody has paused it. */
  readonly note: (progress: Progress) => Promise<boolean>;
}

export interface Progress {
  readonly state?: "running" | "paused" | "done";
  readonly place: Place;
  readonly tally: Tally;
}

/** How often whoever looks at an import elsewhere learns how far it is. */
const NOTED_EVERY_MS = 10_000;

/** A file whose addresses cannot be completed shows it within so many lines. */
const PREVIEW_LINES = 1_000;

/** Imports a file and answers what became of its lines. */
export async function importFile(options: ImportOptions): Promise<Tally> {
  const file = await openFile(options.path);
  const format = await detectFormat(file);
  await refuseUnreadable(file, format, options); // before anything is written
  const saved = await openState(options);
  const begun = await begin(file, format, { options, places: saved.state.places });
  if (begun === undefined) return new Tally();
  const { start, key, registered } = begun;
  const settlement = new Settlement(start);
  let notedAt = Date.now();
  let isPaused = false;
  const save = async () => {
    await saved.write({ ...saved.state, places: { ...saved.state.places, [key]: settlement.place } });
    if (registered === undefined || Date.now() - notedAt < NOTED_EVERY_MS) return;
    notedAt = Date.now();
    isPaused ||= await registered.note({ place: settlement.place, tally: sender.tally });
  };
  const destination = { ...options.destination, importNumber: registered?.number };
  const sender = new Sender({ ...options, destination }, settlement, save);
  await save(); // the salt is on disk before the first visitor is made with it
  const meter = options.meter(file.bytes);
  const isStopped = () => isPaused || options.isStopped?.() === true;
  let isWhole = false;
  try {
    isWhole = await sendLines(file, format, {
      start,
      salt: saved.state.salt,
      sender,
      meter,
      registered,
      isStopped,
      options,
    });
    await sender.finish();
  } finally {
    meter.stop();
    await save();
    const state = isWhole && settlement.isSettled ? "done" : "paused";
    await registered?.note({ state, place: settlement.place, tally: sender.tally });
  }
  return sender.tally;
}

interface Begun {
  readonly start: Place;
  /** What the place is kept under. */
  readonly key: string;
  readonly registered: Registered | undefined;
}

/** Where the import begins or goes on, under which number; undefined where nothing is to be sent. */
async function begin(
  file: ImportFile,
  format: FileFormat,
  { options, places }: { readonly options: ImportOptions; readonly places: Readonly<Record<string, Place>> },
): Promise<Begun | undefined> {
  const { registry, destination, say } = options;
  const keyOf = (idSuffix: string) => placeKey(destination, options, idSuffix);
  if (registry === undefined) {
    const key = keyOf("");
    return { start: await findStart(file, format, { kept: places[key], say }), key, registered: undefined };
  }
  const head = await headOf(file, format);
  const known = await registry.idSuffixOf(head);
  const kept = known === undefined ? undefined : places[keyOf(known)];
  const from = await findStart(file, format, { kept, say: () => undefined });
  const preview = await previewFile(file, format, { start: from, zone: registry.zone, options });
  const registered = await registry.register(preview, head);
  if (registered === undefined) return undefined;
  const key = keyOf(registered.idSuffix);
  const start = await findStart(file, format, { kept: places[key] ?? registered.place, say });
  return { start, key, registered };
}

/** Throws the `Problem` of a file that cannot be imported with these options, found in its first lines. */
async function refuseUnreadable(file: ImportFile, format: FileFormat, options: ImportOptions): Promise<void> {
  const reader = rowReader(format, { ...options, say: () => undefined });
  let first: Row | undefined;
  for await (const line of readLines(file, format)) {
    const [row] = reader.note(line) ? [] : reader.read(line);
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
  "this looks like JSON lines of something else than requests, orders or events; convert it to CSV, for example with jq's @csv";

interface Run {
  readonly start: Place;
  readonly salt: string;
  readonly sender: Sender;
  readonly meter: Meter;
  readonly registered: Registered | undefined;
  readonly isStopped: () => boolean;
  readonly options: ImportOptions;
}

/** Sends the lines after the start; false where it was stopped before their end. */
async function sendLines(file: ImportFile, format: FileFormat, run: Run): Promise<boolean> {
  const { start, salt, sender, meter, registered, isStopped, options } = run;
  const zone = options.registry?.zone ?? "UTC";
  const isLeftOut = ({ timestamp }: ImportedEvent) =>
    registered !== undefined && registered.leftOut.size > 0 && registered.leftOut.has(dayAt(zone, timestamp));
  const batcher = new Batcher();
  // What the header lacks was said with the preview.
  const reader = rowReader(format, registered === undefined ? options : { ...options, say: () => undefined });
  const orders = new OrderGatherer();
  const take = async ({ line, row }: PlacedRow) => {
    const origin = { line: line.number, text: textOf(line, format) };
    if (row.kind === "skipped") sender.tally.skip(row.reason);
    else if (row.kind === "rejected") sender.tally.reject(row.code, { ...origin, message: row.message });
    else if (isLeftOut(row.event)) sender.tally.skip(COUNTED_ALREADY);
    else {
      const event = complete(row, line.place, { salt, idSuffix: registered?.idSuffix ?? "" });
      const full = batcher.add({ ...origin, event }, line.before);
      if (full !== undefined) await sender.send(full);
    }
  };
  let end = start;
  let isWhole = true;
  for await (const line of readLines(file, format)) {
    meter.update(line.bytesRead);
    const isHead = reader.note(line); // on every run, or the lines after the place would have no header
    const rows = isHead ? [] : reader.read(line); // those before the place as well: a source remembers orders
    if (line.place.line <= start.line) continue;
    if (isStopped() && !orders.isOpen) {
      isWhole = false;
      break;
    }
    end = line.place;
    if (isHead) continue;
    sender.tally.lines++;
    for (const row of rows) for (const placed of orders.add({ line, row })) await take(placed);
  }
  for (const placed of orders.rest()) await take(placed);
  await sender.send(batcher.take(end) ?? { events: [], end });
  return isWhole;
}

const COUNTED_ALREADY = "of Days that are counted here already";

/** A line as the file has it, cut: what a person looks for when it was refused. */
function textOf({ values }: FileLine, format: FileFormat): string {
  return quoteLine(format.kind === "csv" ? values.join(format.delimiter) : (values[0] ?? ""));
}

/**
 * An id names a row, and is taken where the row came before, also by an import that was undone: it then ends otherwise.
 */
function complete(
  { event, visitor }: EventRow,
  place: Place,
  { salt, idSuffix }: { readonly salt: string; readonly idSuffix: string },
): ImportedEvent {
  const id = (event.id ?? lineEventId(place.chain)) + idSuffix;
  return visitor === undefined ? { ...event, id } : { ...event, id, visitor_id: hashVisitor(salt, visitor) };
}

/** Where to go on: the kept place, if the lines up to it are still the same. */
async function findStart(
  file: ImportFile,
  format: FileFormat,
  { kept, say }: { readonly kept: Place | undefined; readonly say: (text: string) => void },
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
