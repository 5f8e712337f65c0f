// Comma-separated values as in RFC 4180, for people who open them in a spreadsheet. A text that a spreadsheet would
// take for a formula gets an apostrophe, because page titles and referrers come from strangers and must not run on a
// merchant's machine. Many spreadsheets, most of Europe's among them, also begin a new cell after ";", whatever the
// file's own separator is. So a formula after ";" gets an apostrophe too: "x;=A1" is written as "x;'=A1". Numbers are
// written as they are.

export type CsvCell = string | number | null;

/** Spreadsheets begin a formula with any of these, the full-width forms included. */
const FORMULA = /[=+\-@＝＋－＠]/g;
/**
 * Where a cell may begin for a reader that has another separator, or does not know that quotes may hold a line break.
 */
const SEPARATOR = /[;|\t\r\n]/;
/** What some readers skip at the beginning of a cell: blanks, invisible characters (U+200B), and quotes. */
const BLANK = /[\p{Cc}\p{Cf}\p{Z}"]/u;

/** One record with its line end. Null is an empty cell. */
export function csvRow(cells: readonly CsvCell[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

function csvCell(cell: CsvCell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  const text = harmless(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function harmless(text: string): string {
  const marked = text.replace(FORMULA, (sign, at: number) => (beginsCell(text, at) ? `'${sign}` : sign));
  return /^[\t\r\n]/.test(marked) ? `'${marked}` : marked;
}

/**
 * Whether only blanks stand between an index of a text and the nearest beginning of a cell. It looks back no further
 * than the last sign that may begin a formula.
 */
function beginsCell(text: string, at: number): boolean {
  for (let index = at - 1; index >= 0; index--) {
    const before = text.charAt(index);
    if (SEPARATOR.test(before)) return true;
    if (!BLANK.test(before)) return false;
  }
  return true;
}
