// Times as exports write them: seconds, ms, µs or ns since 1970, or ISO 8601. A time without a zone is UTC.

import { parseDate } from "../../core/time.ts";

const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|UTC|[+-]\d\d(?::?\d\d)?)?)?$/i;

/**
 * UTC ms, or undefined for what is not a time. Digits are told apart by their number: 10 are seconds, 13 ms, 16 µs, 19
 * ns.
 */
export function parseInstant(text: string): number | undefined {
  if (/^\d{9,10}(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000);
  if (/^\d{12,13}(\.\d+)?$/.test(text)) return Math.round(Number(text));
  const fine = /^(\d{12,13})(?:\d{3}|\d{6})$/.exec(text); // cut to ms: as a number, 19 digits would lose some
  if (fine !== null) return Number(fine[1]);
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, date = "", time = "00:00", zone = "Z"] = match;
  if (parseDate(date) === undefined) return undefined; // Date.parse reads 2026-02-30 as 2 March
  const instant = Date.parse(
    `${date}T${time}${zone.toUpperCase() === "UTC" ? "Z" : zone.replace(/^([+-]\d\d)(\d\d)?$/, (_, hours, minutes = "00") => `${hours}:${minutes}`)}`,
  );
  return Number.isNaN(instant) ? undefined : instant;
}
