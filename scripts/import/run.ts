// `footfall import`: file → lines → rows (logs or CSV) → events with ids → batches → collector, a few requests at a
// time, noting where it stands as it goes. Whatever interrupts it, the same command goes on from there; nothing is
// counted twice, because a line's id is a function of the file alone (line-chain.ts).

import { Problem } from "../problem.ts";
import type { Meter } from "../progress.ts";
import { Batcher } from "./batch.ts";
import type { FileFormat } from "./detect.ts";
import { detectFormat, type FileLine, findForeignLetters, type ImportFile, openFile, readLines } from "./file.ts";
import { CHAIN_START, hashVisitor, lineEventId } from "./line-chain.ts";
import { OrderGatherer, type PlacedRow } from "./order-row.ts";
import { type Place, placeKey, type Reading, Settlement } from "./resume.ts";
import { type ImportedEvent, NEEDS_HOSTNAME, type Row } from "./row.ts";
import { rowReader } from "./row-reader.ts";
import { openState } from "./saved-state.ts";
import type { Destination } from "./send.ts";
import { Sender } from "./sender.ts";
import { quoteLine, type Tally } from "./tally.ts";

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
    const row = reader.read(line);
    for (const placed of orders.add({ line, row })) await take(placed);
  }
  for (const placed of orders.rest()) await take(placed);
  await sender.send(batcher.take(end) ?? { events: [], end });
}

/** A line as the file has it, cut: what a person looks for when it was refused. */
function textOf({ values }: FileLine, format: FileFormat): string {
  return quoteLine(format.kind === "csv" ? values.join(format.delimiter) : (values[0] ?? ""));
}

function complete(event: ImportedEvent, visitor: string | undefined, place: Place, salt: string): ImportedEvent {
  const id = event.id ?? lineEventId(place.chain);
  return visitor === undefined ? { ...event, id } : { ...event, id, visitor_id: hashVisitor(salt, visitor) };
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
