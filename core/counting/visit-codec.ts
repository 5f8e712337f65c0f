// A visit as bytes: as a checkpoint stores it, and as a partition's memory holds it while its visitor is away. Times are
// relative to a base, the UTC midnight of the Day's number, which whoever reads it must know.

import type { ByteReader, ByteWriter } from "../bytes.ts";
import { addCell, type Cell, type Moment, type Visit } from "./visit.ts";

export function encodeVisit(visit: Visit, base: number, writer: ByteWriter): void {
  writer.signed(visit.start - base);
  writer.unsigned(visit.end - visit.start);
  writer.unsigned(visit.startOrder);
  writer.signed(visit.startSlot);
  writer.unsigned(visit.profile);
  writer.unsigned(visit.events);
  encodeMoment(visit.entry, base, writer);
  encodeMoment(visit.exit, base, writer);
  writer.unsigned(visit.cells.length);
  for (const cell of visit.cells) {
    writer.signed(cell.slot);
    for (const value of [cell.place, cell.count, cell.foreign]) writer.unsigned(value);
    writer.count(cell.engagementMs);
    writer.count(cell.revenue);
  }
}

export function decodeVisit(base: number, reader: ByteReader): Visit {
  const start = base + reader.signed();
  const visit: Visit = {
    start,
    end: start + reader.unsigned(),
    startOrder: reader.unsigned(),
    startSlot: reader.signed(),
    profile: reader.unsigned(),
    events: reader.unsigned(),
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
    foreign: reader.unsigned(),
    engagementMs: reader.signed(),
    revenue: reader.signed(),
  };
}

function encodeMoment(moment: Moment | undefined, base: number, writer: ByteWriter): void {
  writer.byte(moment === undefined ? 0 : 1);
  if (moment === undefined) return;
  writer.signed(moment.time - base);
  writer.unsigned(moment.order);
  writer.unsigned(moment.page);
}

function decodeMoment(base: number, reader: ByteReader): Moment | undefined {
  if (reader.byte() === 0) return undefined;
  return { time: base + reader.signed(), order: reader.unsigned(), page: reader.unsigned() };
}
