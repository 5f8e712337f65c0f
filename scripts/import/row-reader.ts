// How the lines of a file become rows, by its format: each reader is asked of every line in order, because some lines
// (a CSV's header, the directives of a W3C log) say how to read those after them.

import { Problem } from "../problem.ts";
import { readLogLine } from "./access-log.ts";
import { type ColumnPlan, planColumns, readCsvRow } from "./csv-row.ts";
import type { FileFormat } from "./detect.ts";
import type { FileLine } from "./file.ts";
import { readJsonLine } from "./json-log.ts";
import type { Reading } from "./resume.ts";
import { type Row, rejectedRow } from "./row.ts";
import { w3cReader } from "./w3c-log.ts";

export interface RowReader {
  /** Takes in a line that says how to read those after it, and answers whether it was one. */
  readonly note: (line: FileLine) => boolean;
  readonly read: (line: FileLine) => Row;
}

export interface RowOptions extends Reading {
  readonly path: string;
  readonly say: (text: string) => void;
}

export function rowReader(format: FileFormat, options: RowOptions): RowReader {
  const { note, read } = readerOf(format, options);
  const unreadable = (problem: string) => rejectedRow("unreadable", problem);
  return { note, read: (line) => (line.problem === undefined ? read(line) : unreadable(line.problem)) };
}

function readerOf(format: FileFormat, options: RowOptions): RowReader {
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
function csvReader(options: RowOptions): RowReader {
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
