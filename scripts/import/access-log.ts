// One line of an access log in the combined format (Apache's, nginx's default) taken apart, and the page view in it, if
// there is one. A log names every request; only pages that were delivered are visits, so most lines are skipped, each for
// a reason that the import counts and shows. The client's address leaves this file only to be hashed (`visitorText`).

import { isIP } from "node:net";
import { DAY_MS, HOUR_MS, MINUTE_MS, parseDate } from "../../core/time.ts";
import { needsHostname, type Row, read, rejectedRow, skipped } from "./row.ts";

export interface LogRequest {
  /** The site, where the log names it: "shop.example". */
  readonly virtualHost: string | undefined;
  readonly address: string;
  /** UTC ms; undefined where the log names a time that there is not, such as 31/Feb. */
  readonly timestamp: number | undefined;
  /** The time as the log writes it: "10/Oct/2000:13:55:36 -0700". */
  readonly time: string;
  /** The date as the log writes it, in the server's own zone: "10/Oct/2000". */
  readonly date: string;
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly referrer: string;
  readonly userAgent: string;
}

export interface LogOptions {
  /** What the site's addresses start with, such as "https://shop.example"; undefined: as the line's virtual host says. */
  readonly origin: string | undefined;
  /** Whether images, scripts and the like count as well. */
  readonly assets: boolean;
}

/** A quoted field: anything, with `\"` for a quote in it. */
const QUOTED = '"((?:[^"\\\\]|\\\\.)*)"';
const TIME = "\\[(\\d\\d/[A-Z][a-z]{2}/\\d{4}):(\\d\\d:\\d\\d:\\d\\d [+-]\\d{4})\\]";
/** The user name may hold blanks. Referrer and agent are missing in the "common" format; some servers append fields. */
const LINE = new RegExp(`^(\\S+) \\S+ .*? ${TIME} ${QUOTED} (\\d{3}) (?:\\d+|-)(?: ${QUOTED} ${QUOTED}(?: .*)?)?$`);
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const ASSET =
  /\.(?:avif|bmp|css|eot|gif|gz|ico|jpe?g|js|json|map|mjs|mp[34]|otf|pdf|png|rss|svg|ttf|txt|wasm|webm|webmanifest|webp|woff2?|xml|zip)$/i;

/** The page view a line of the log stands for, or why it stands for none. */
export function readLogLine(line: string, options: LogOptions): Row {
  if (line.trim() === "") return skipped("empty line");
  const request = parseLogLine(line);
  if (request === undefined) return rejectedRow("not_combined_format", "not a line of the combined format");
  const { timestamp, userAgent, referrer } = request;
  if (timestamp === undefined) return rejectedRow("invalid_timestamp", `there is no such time: ${request.time}`);
  if (request.method !== "GET") return skipped("not a GET");
  if (request.status < 200 || request.status > 399) return skipped("status not 200-399");
  const origin = options.origin ?? (request.virtualHost === undefined ? undefined : `https://${request.virtualHost}`);
  if (origin === undefined && request.target.startsWith("/")) return needsHostname(request.target);
  const url = toUrl(request.target, origin);
  if (url === undefined) return rejectedRow("invalid_url", `not an address: ${request.target}`);
  if (!options.assets && ASSET.test(url.pathname)) return skipped("not a page");
  return read(
    {
      url: url.href,
      timestamp,
      ...(userAgent === "" ? {} : { user_agent: userAgent }),
      ...(referrer === "" ? {} : { referrer }),
    },
    visitorText(request.date, request.address, userAgent),
  );
}

/** A line's fields, or undefined when it is not in the combined (or common) format. */
export function parseLogLine(line: string): LogRequest | undefined {
  const { virtualHost, rest } = splitVirtualHost(line);
  const match = LINE.exec(rest);
  if (match === null) return undefined;
  const [, address = "", date = "", clock = "", request = "", status, referrer, userAgent] = match;
  // A scanner's request line may be anything: "-", "\x16\x03", without a protocol.
  const [method = "", target = ""] = unescaped(request).split(" ");
  return {
    virtualHost,
    address,
    timestamp: toInstant(date, clock),
    time: `${date}:${clock}`,
    date,
    method,
    target,
    status: Number(status),
    referrer: absent(referrer),
    userAgent: absent(userAgent),
  };
}

/** Debian's other_vhosts_access.log puts site and port before the address: `shop.example:443 198.51.100.7 - - […`. */
function splitVirtualHost(line: string): { readonly virtualHost: string | undefined; readonly rest: string } {
  const [first = "", second = ""] = line.split(" ", 2);
  const host = /^(.+):\d{1,5}$/.exec(first)?.[1];
  // An IPv6 address may end like a port: "2001:db8::7".
  if (host === undefined || isIP(first) !== 0 || isIP(second) === 0) return { virtualHost: undefined, rest: line };
  return { virtualHost: host, rest: line.slice(first.length + 1) };
}

/** What is hashed into a visitor: the same address and agent on one date are one visitor, on the next another one. */
export function visitorText(date: string, address: string, userAgent: string): string {
  return `${date}|${address}|${userAgent}`;
}

/** UTC ms of ("10/Oct/2000", "13:55:36 -0700"); undefined where the calendar or the clock has no such time. */
function toInstant(date: string, clock: string): number | undefined {
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

function toUrl(target: string, origin = ""): URL | undefined {
  if (!target.startsWith("/") && !/^https?:\/\//i.test(target)) return undefined;
  // Joined as text: resolved as a reference, "//evil.example/" would name another host.
  return URL.parse(target.startsWith("/") ? origin + target : target) ?? undefined;
}
