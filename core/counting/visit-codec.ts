// A run of a visitor's events as bytes, for a checkpoint, and for a partition's memory while its visitor is away. Times
// are relative to a base, the UTC midnight of the Day's number. Whoever reads the bytes must know it.

import type { ByteReader, ByteWriter } from "../bytes.ts";
import { decodeEarned, encodeEarned } from "./earned.ts";
import { addCell, type Cell, type PageMoment, type Rank, type Visit } from "./visit.ts";

/** Bits above the rank's two. */
const RETURNS = 4;
const KNOWN = 8;

export function encodeVisit(visit: Visit, base: number, writer: ByteWriter): void {
  writer.byte(visit.rank + (visit.returns ? RETURNS : 0) + (visit.known ? KNOWN : 0));
  writer.signed(visit.from - base);
  writer.unsigned(visit.end - visit.from);
  writer.unsigned(visit.start - visit.from);
  writer.unsigned(visit.startOrder);
  writer.unsigned(visit.startTie);
  writer.signed(visit.startSlot);
  writer.unsigned(visit.profile);
  writer.unsigned(visit.interactions);
  encodeMoment(visit.entry, base, writer);
  encodeMoment(visit.exit, base, writer);
  writer.unsigned(visit.cells.length);
  for (const cell of visit.cells) {
    writer.signed(cell.slot);
    writer.unsigned(cell.place);
    writer.unsigned(cell.count);
    writer.count(cell.engagementMs);
    encodeEarned(cell.earned, writer);
  }
}

export function decodeVisit(base: number, reader: ByteReader): Visit {
  const flags = reader.byte();
  const from = base + reader.signed();
  const visit: Visit = {
    from,
    end: from + reader.unsigned(),
    rank: (flags & 3) as Rank,
    start: from + reader.unsigned(),
    startOrder: reader.unsigned(),
    startTie: reader.unsigned(),
    startSlot: reader.signed(),
    profile: reader.unsigned(),
    returns: (flags & RETURNS) !== 0,
    known: (flags & KNOWN) !== 0,
    interactions: reader.unsigned(),
    entry: decodeMoment(base, reader),
    exit: decodeMoment(base, reader),
    cells: [],
    slots: [],
    index: undefined,
  };
  for (let left = reader.unsigned(); left > 0; left--) addCell(visit, decodeCell(reader));
  return visit;
}

function decodeCell(reader: ByteReader): Cell {
  return {
    slot: reader.signed(),
    place: reader.unsigned(),
    count: reader.unsigned(),
    engagementMs: reader.signed(),
    earned: decodeEarned(reader),
  };
}

function encodeMoment(moment: PageMoment | undefined, base: number, writer: ByteWriter): void {
  writer.byte(moment === undefined ? 0 : 1);
  if (moment === undefined) return;
  writer.signed(moment.time - base);
  writer.unsigned(moment.order);
  writer.unsigned(moment.tie);
  writer.unsigned(moment.page);
}

function decodeMoment(base: number, reader: ByteReader): PageMoment | undefined {
  if (reader.byte() === 0) return undefined;
  return {
    time: base + reader.signed(),
    order: reader.unsigned(),
    tie: reader.unsigned(),
    page: reader.unsigned(),
  };
}
