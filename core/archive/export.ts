// How a merchant's raw events leave the archive: which columns a row has, and its text as NDJSON and CSV. The columns
// are those of the archive, with the Day in front. Left out is what belongs to the deployment: the merchant's number,
// the partition, and the position in its log. From positions a merchant could tell how much its neighbours send (L6).

import { type CsvCell, csvRow } from "../csv.ts";
import { parseAddress } from "../enrichment/address.ts";
import type { Event } from "../event.ts";
import { COLUMNS, type Column, toCell } from "./columns.ts";
import type { ArchivedEvent } from "./file.ts";

export const EXPORT_FORMATS = ["ndjson", "csv", "parquet"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** An archived event with the Day it counts in. */
export interface ExportedEvent extends ArchivedEvent {
  /** The merchant-local date, such as "2026-11-21". */
  readonly date: string;
}

const DEPLOYMENTS_OWN: ReadonlySet<string> = new Set(["merchant", "partition", "position"]);

/** In the order of the archive, after the Day. */
export const EXPORT_COLUMNS: readonly Column<ExportedEvent>[] = [
  { name: "date", type: "text", absent: undefined, value: ({ date }) => date },
  ...COLUMNS.filter(({ name }) => !DEPLOYMENTS_OWN.has(name)),
];

/** Which events are wanted: those that meet all conditions given here. */
export interface EventFilter {
  readonly name?: string | undefined;
  readonly visitor?: string | undefined;
  readonly hostname?: string | undefined;
  readonly country?: string | undefined;
  readonly order?: string | undefined;
  readonly stream?: number | undefined;
  /** Only events that are counted (true), or only those that are not (false). */
  readonly counted?: boolean | undefined;
}

export function isWantedEvent(event: Event, filter: EventFilter): boolean {
  const { hostname, counted } = filter;
  if (counted !== undefined && (event.dropped === "") !== counted) return false;
  if (hostname !== undefined && parseAddress(event.url)?.hostname !== hostname) return false;
  return (["name", "visitor", "country", "order", "stream"] as const).every(
    (field) => filter[field] === undefined || filter[field] === event[field],
  );
}

/** A format that is text: what stands before the rows, and one row. */
export interface TextFormat {
  readonly head: string;
  readonly line: (row: ExportedEvent) => string;
}

/** One JSON object a line, every column in each. */
export const NDJSON: TextFormat = {
  head: "",
  line: (row) => `${JSON.stringify(Object.fromEntries(cellsOf(row)))}\n`,
};

export const CSV: TextFormat = {
  head: csvRow(EXPORT_COLUMNS.map(({ name }) => name)),
  line: (row) => csvRow(cellsOf(row).map(([, cell]) => cell)),
};

/** Instants as ISO 8601 in UTC, and what is not known as null. */
function cellsOf(row: ExportedEvent): readonly (readonly [name: string, cell: CsvCell])[] {
  return EXPORT_COLUMNS.map((column) => {
    const cell = toCell(column, row);
    return [column.name, column.type === "instant" ? new Date(Number(cell)).toISOString() : cell];
  });
}
