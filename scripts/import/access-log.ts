// One line of an access log in the combined format (Apache's, nginx's default) taken apart. What becomes of the request
// in it is decided in request.ts, as for every other log.

import { isIP } from "node:net";
import { DAY_MS, HOUR_MS, MINUTE_MS, parseDate } from "../../core/time.ts";
import { type LogOptions, type LogRequest, toPageView } from "./request.ts";
import { type Row, rejectedRow, skipped } from "./row.ts";

/** A quoted field: anything, with `\"` for a quote in it. */
const QUOTED = '"((?:[^"\\\\]|\\\\.)*)"';
const TIME = "\\[(\\d\\d/[A-Z][a-z]{2}/\\d{4}):(\\d\\d:\\d\\d:\\d\\d [+-]\\d{4})\\]";
/** The user name may hold blanks. Referrer and agent are missing in the "common" format; some servers append fields. */
const LINE = new RegExp(`^(\\S+) \\S+ .*? ${TIME} ${QUOTED} (\\d{3}) (?:\\d+|-)(?: ${QUOTED} ${QUOTED}(?: .*)?)?$`);
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The page view a line of the log stands for, or why it stands for none. */
export function readLogLine(line: string, options: LogOptions): Row {
  if (line.trim() === "") return skipped("empty line");
  const request = parseLogLine(line);
  if (request === undefined) return rejectedRow("not_combined_format", "not a line of the combined format");
  return toPageView(request, options);
}

/** What syslog puts before a line: "Nov 21 10:00:00 web-1 nginx: ". Its month must not be taken for a client's name. */
export const SYSLOG_HEAD =
  /^(?:<\d+>\d* ?)?(?:[A-Z][a-z]{2} [\d ]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) \S+ [\w./-]+(?:\[\d+\])?: /;

/** A line's fields, or undefined when it is not in the combined (or common) format. */
export function parseLogLine(line: string): LogRequest | undefined {
  if (SYSLOG_HEAD.test(line)) return undefined;
  const { virtualHost, rest } = splitVirtualHost(line);
  const match = LINE.exec(rest);
  if (match === null) return undefined;
  const [, address = "", date = "", clock = "", request = "", status, referrer, userAgent] = match;
  // A scanner's request line may be anything: "-", "\x16\x03", without a protocol.
  const [method = "", target = ""] = unescaped(request).split(" ");
  return {
    virtualHost,
    address: address.replace(/,$/, ""), // the first of a list of X-Forwarded-For
    timestamp: logInstant(date, clock),
    time: `${date}:${clock}`,
    date,
    method,
    target,
    status: Number(status),
    referrer: absent(referrer),
    userAgent: absent(userAgent),
  };
}

/**
 * Debian's other_vhosts_access.log puts site and port before the address: `shop.example:443 198.51.100.7 - - […`;
 * others the site alone.
 */
function splitVirtualHost(line: string): { readonly virtualHost: string | undefined; readonly rest: string } {
  const [first = "", second = ""] = line.split(" ", 2);
  // An IPv6 address may end like a port: "2001:db8::7".
  const isHost = isIP(first.replace(/,$/, "")) === 0 && isIP(second) !== 0 && /[.:]|^localhost$/.test(first);
  if (!isHost) return { virtualHost: undefined, rest: line };
  return { virtualHost: first.replace(/:\d{1,5}$/, ""), rest: line.slice(first.length + 1) };
}

/** UTC ms of ("10/Oct/2000", "13:55:36 -0700"); undefined where the calendar or the clock has no such time. */
export function logInstant(date: string, clock: string): number | undefined {
  const [dayOfMonth, name = "", year] = date.split("/");
  const month = String(MONTHS.indexOf(name) + 1).padStart(2, "0"); // "00" is no month
  const day = parseDate(`${year}-${month}-${dayOfMonth}`);
  const [hour = 0, minute = 0, second = 0] = clock.slice(0, 8).split(":").map(Number);
  const [zoneHour, zoneMinute] = [Number(clock.slice(10, 12)), Number(clock.slice(12))];
  if (day === undefined || Math.max(hour, zoneHour) > 23 || Math.max(minute, second, zoneMinute) > 59) return undefined;
  const local = day * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS + second * 1000;
  const offset = zoneHour * HOUR_MS + zoneMinute * MINUTE_MS;
  return clock[9] === "+" ? local - offset : local + offset;
}

function absent(quoted: string | undefined): string {
  return quoted === undefined || quoted === "-" ? "" : unescaped(quoted);
}

/** Servers write `\"`, `\\` and `\xhh` (one byte of UTF-8 each) for what would break the line. */
function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  const bytes = text.replace(/(?:\\x[0-9A-Fa-f]{2})+/g, (run) =>
    new TextDecoder().decode(Uint8Array.from(run.slice(2).split("\\x"), (hex) => Number.parseInt(hex, 16))),
  );
  return bytes.replace(/\\(["\\])/g, "$1");
}
