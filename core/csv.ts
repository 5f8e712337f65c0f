// Comma-separated values as RFC 4180 has them, for people who open them in a spreadsheet. A text that a spreadsheet
// would take for a formula gets an apostrophe: what strangers send (page titles, referrers) must not run on a
// merchant's machine. Many spreadsheets, most of Europe's, begin a cell after ";", whatever the file's own separator
// is; so what would be a formula there gets one too: "x;=A1" is written "x;'=A1". Numbers are written as they are.

export type CsvCell = string | number | null;

/** Spreadsheets begin a formula with any of these, the full-width forms included. */
const FORMULA = /[=+\-@＝＋－＠]/g;
/**
 * Where a cell may begin for a reader with another separator than ours, or one that does not know quotes around lines.
 */
const SEPARATOR = /[;|\t\r\n]/;
/** What some readers leave away at the beginning of a cell: blanks, what is not seen (U+200B), and quotes. */
const BLANK = /[\p{Cc}\p{Cf}\p{Z}"]/u;

/** One record with its line end. Null is an empty cell. */
export function csvLine(cells: readonly CsvCell[]): string {
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
 * Whether nothing but blanks stands between a place of a text and where a cell may begin. It looks back no
 * further than the sign before.
 */
function beginsCell(text: string, at: number): boolean {
  for (let index = at - 1; index >= 0; index--) {
    const before = text.charAt(index);
    if (SEPARATOR.test(before)) return true;
    if (!BLANK.test(before)) return false;
  }
  return true;
}
