// One line of an access log in the combined format (Apache's, nginx's default) taken apart, and the page view in it, if
// there is one. A log names every request; only pages that were delivered are visits, so most lines are skipped, each for
// a reason that the import counts and shows. The client's address leaves this file only to be hashed (`visitorText`).

import { type Row, read, rejectedRow, skipped } from "./row.ts";

export interface LogRequest {
  readonly address: string;
  /** UTC ms. */
  readonly timestamp: number;
  /** The date as the log writes it, in the server's own zone: "10/Oct/2000". */
  readonly date: string;
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly referrer: string;
  readonly userAgent: string;
}

export interface LogOptions {
  /** What the site's addresses start with, such as "https://shop.example". */
  readonly origin: string;
  /** Whether images, scripts and the like count as well. */
  readonly assets: boolean;
}

/** A quoted field: anything, with `\"` for a quote in it. */
const QUOTED = '"((?:[^"\\\\]|\\\\.)*)"';
const TIME = "\\[(\\d\\d)/([A-Z][a-z]{2})/(\\d{4}):(\\d\\d):(\\d\\d):(\\d\\d) ([+-])(\\d\\d)(\\d\\d)\\]";
/** The user name may hold blanks. Referrer and agent are missing in the "common" format; some servers append fields. */
const LINE = new RegExp(`^(\\S+) \\S+ .*? ${TIME} ${QUOTED} (\\d{3}) (?:\\d+|-)(?: ${QUOTED} ${QUOTED}(?: .*)?)?$`);
const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
const ASSET =
  /\.(?:avif|bmp|css|eot|gif|gz|ico|jpe?g|js|json|map|mjs|mp[34]|otf|pdf|png|rss|svg|ttf|txt|wasm|webm|webmanifest|webp|woff2?|xml|zip)$/i;

/** The page view a line of the log stands for, or why it stands for none. */
export function readLogLine(line: string, options: LogOptions): Row {
  if (line.trim() === "") return skipped("empty line");
  const request = parseLogLine(line);
  if (request === undefined) return rejectedRow("not_combined_format", `not a line of the combined format: ${line}`);
  if (request.method !== "GET") return skipped("not a GET");
  if (request.status < 200 || request.status > 399) return skipped("status not 200-399");
  const url = toUrl(request.target, options.origin);
  if (url === undefined) return rejectedRow("invalid_url", `not an address: ${request.target}`);
  if (!options.assets && ASSET.test(url.pathname)) return skipped("not a page");
  const { timestamp, userAgent, referrer } = request;
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
  const match = LINE.exec(line);
  if (match === null) return undefined;
  const [, address = "", day = "", month = "", year = ""] = match;
  const timestamp = toInstant(match.slice(2, 11));
  // A scanner's request line may be anything: "-", "\x16\x03", without a protocol.
  const [method = "", target = ""] = unescaped(match[11] ?? "").split(" ");
  if (timestamp === undefined) return undefined;
  return {
    address,
    timestamp,
    date: `${day}/${month}/${year}`,
    method,
    target,
    status: Number(match[12]),
    referrer: absent(match[13]),
    userAgent: absent(match[14]),
  };
}

/** What is hashed into a visitor: the same address and agent on one date are one visitor, on the next another one. */
export function visitorText(date: string, address: string, userAgent: string): string {
  return `${date}|${address}|${userAgent}`;
}

function toInstant(parts: readonly string[]): number | undefined {
  const [day, month, year, hour, minute, second, sign, zoneHours, zoneMinutes] = parts;
  const monthIndex = MONTHS.indexOf(month ?? "") / 3;
  if (!Number.isInteger(monthIndex) || monthIndex < 0) return undefined;
  const local = Date.UTC(Number(year), monthIndex, Number(day), Number(hour), Number(minute), Number(second));
  const offset = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000;
  return sign === "+" ? local - offset : local + offset;
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

function toUrl(target: string, origin: string): URL | undefined {
  if (!target.startsWith("/") && !/^https?:\/\//i.test(target)) return undefined;
  // Joined as text: resolved as a reference, "//evil.example/" would name another host.
  return URL.parse(target.startsWith("/") ? origin + target : target) ?? undefined;
}
