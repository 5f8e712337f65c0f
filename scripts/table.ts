// Numbers as a person reads them in a terminal: tables with figures to the right, bars and sparklines. Pure text; who
// prints it decides where it goes.

export type Cell = string | number | boolean | null | undefined;

/** What has to be copied whole still fits: a dead letter's key is some 90 characters, an API key 47. */
const CELL_LENGTH_MAX = 110;

/** A table with a line under its head. Columns that hold only numbers are set to the right; very wide cells are cut. */
export function toTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => head.map((_, column) => toText(row[column])));
  const widths = head.map((title, column) => Math.max(title.length, ...texts.map((row) => row[column]?.length ?? 0)));
  const right = head.map((_, column) => rows.length > 0 && rows.every((row) => isFigure(row[column])));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (right[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(head), widths.map((width) => "─".repeat(width)).join("  "), ...texts.map(line)].join("\n");
}

/** Rows that a terminal shows of a list that may be long. */
const SHOWN_ROWS = 20;

/** A table of the first rows, and how many there are besides. */
export function toCutTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const table = toTable(head, rows.slice(0, SHOWN_ROWS));
  const more = rows.length - SHOWN_ROWS;
  return more > 0 ? `${table}\n… and ${toFigure(more)} more; --json for all` : table;
}

/** A number with its thousands apart. */
export function toFigure(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 2 });
}

const LIST_LENGTH_MAX = 110;

/** Names with commas between them, over as many lines as it takes; all but the first are set in. */
export function wrapped(names: readonly string[]): string {
  const lines = [""];
  for (const name of names) {
    const line = lines.at(-1) as string;
    if (line.length + name.length > LIST_LENGTH_MAX) lines.push(name);
    else lines[lines.length - 1] = line === "" ? name : `${line}, ${name}`;
  }
  return lines.join(",\n  ");
}

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A bar of a length in proportion, to an eighth of a character. */
export function toBar(value: number, most: number, width: number): string {
  const eighths = most <= 0 ? 0 : Math.round((value / most) * width * 8);
  return "█".repeat(eighths >> 3) + EIGHTHS[eighths & 7];
}

const LEVELS = "▁▂▃▄▅▆▇█";

/** One character per value; nothing at all is a blank. */
export function toSparkline(values: readonly number[]): string {
  const most = Math.max(...values, 1);
  const level = (value: number) => LEVELS[Math.min(Math.floor((value / most) * LEVELS.length), LEVELS.length - 1)];
  return values.map((value) => (value <= 0 ? " " : level(value))).join("");
}

/** An answer of the API as a table: a list of objects, an object holding one list, or one object. */
export function toAnswerTable(answer: unknown): string {
  const rows = rowsOf(answer);
  if (rows.length === 0) return "(none)";
  const head = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return toTable(
    head,
    rows.map((row) => head.map((key) => toCell(row[key]))),
  );
}

type Fields = Readonly<Record<string, unknown>>;

function rowsOf(answer: unknown): readonly Fields[] {
  if (Array.isArray(answer)) return answer.map((row) => (isFields(row) ? row : { value: row }));
  if (!isFields(answer)) return [];
  const lists = Object.values(answer).filter((value) => Array.isArray(value));
  if (lists.length === 1 && Object.keys(answer).length === 1) return rowsOf(lists[0]);
  return Object.entries(answer).map(([name, value]) => ({ name, value }));
}

function toCell(value: unknown): Cell {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : (value as Cell);
}

function toText(cell: Cell): string {
  if (cell === null || cell === undefined) return "–";
  const text = typeof cell === "number" ? toFigure(cell) : harmless(String(cell));
  return text.length > CELL_LENGTH_MAX ? `${text.slice(0, CELL_LENGTH_MAX - 1)}…` : text;
}

/** Control characters, line separators and marks of direction. Joiners stay: words of some scripts need them. */
const OBEYED = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * A text in which a terminal finds nothing to obey. Names of events and values of properties are strangers' and may
 * have U+009B, which begins an escape sequence as ESC and "[" do. Each such character is shown as "\u009b".
 */
function harmless(text: string): string {
  return text.replace(OBEYED, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function isFigure(cell: Cell): boolean {
  return (
    typeof cell === "number" ||
    cell === null ||
    cell === undefined ||
    /^(?:[-+]?[\d,.]+( [A-Z]{3}|%)?|)$/.test(`${cell}`)
  );
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
