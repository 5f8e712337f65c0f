// Comma-separated values as RFC 4180 has them, for people who open them in a spreadsheet. A text that a spreadsheet would
// take for a formula gets an apostrophe in front: what strangers send (page titles, referrers) must not run on a
// merchant's machine. Numbers are written as they are.

export type CsvCell = string | number | null;

/** Spreadsheets begin a formula with any of these, the full-width forms included. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/** One record with its line end. Null is an empty cell. */
export function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

function csvCell(cell: CsvCell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
