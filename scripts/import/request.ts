// A request as a server's log tells of it, whatever the log's format, and the page view in it, if there is one. A log
// names every request; only pages that somebody was shown are views, so most lines are left out, each for a reason that
// the import counts and shows. The client's address leaves this file only to be hashed (`visitorText`).

import { isIP } from "node:net";
import { countryOf } from "./country.ts";
import { needsHostname, type Row, read, rejectedRow, skipped } from "./row.ts";

export interface LogRequest {
  /** The site, where the log names it: "shop.example". */
  readonly virtualHost?: string | undefined;
  readonly scheme?: string | undefined;
  readonly address: string;
  /** UTC ms; undefined where the log names a time that there is not, such as 31/Feb. */
  readonly timestamp: number | undefined;
  /** The time as the log writes it: "10/Oct/2000:13:55:36 -0700". */
  readonly time: string;
  /** The date as the log writes it, in the server's own zone: "10/Oct/2000". */
  readonly date: string;
  readonly method: string;
  /** Path and query, or a whole address. */
  readonly target: string;
  readonly status: number;
  readonly referrer: string;
  readonly userAgent: string;
  /** What only some logs say: `Sec-Purpose` and the like, `Sec-Fetch-Dest`, and the answer's `Content-Type`. */
  readonly purpose?: string;
  readonly fetchDestination?: string;
  readonly contentType?: string;
  /** Where the client was: Cloudflare's logs say so. */
  readonly country?: string;
  /** What the log calls the request by, so that a line that was delivered twice counts once. */
  readonly id?: string;
  /** Whether the log says that the server itself asked, and no client. */
  readonly isOwn?: boolean;
}

export interface LogOptions {
  /**
   * What the site's addresses start with, such as "https://shop.example"; undefined: as the line's virtual host says.
   */
  readonly origin: string | undefined;
  /** Whether images, scripts and the like count as well. */
  readonly assets: boolean;
}

/** The page view that a request is, or why it is none. */
export function toPageView(request: LogRequest, options: LogOptions): Row {
  const { timestamp, userAgent, referrer, virtualHost, target } = request;
  if (timestamp === undefined) return rejectedRow("invalid_timestamp", `there is no such time: ${request.time}`);
  const reason = request.isOwn
    ? "asked by the network itself"
    : (methodReason(request.method) ?? statusReason(request.status));
  if (reason !== undefined) return skipped(reason);
  const origin = options.origin ?? (virtualHost ? `${request.scheme || "https"}://${virtualHost}` : undefined);
  if (origin === undefined && target.startsWith("/")) return needsHostname(target);
  const url = toUrl(target, origin);
  if (url === undefined) return rejectedRow("invalid_url", `not an address: ${target}`);
  const country = countryOf(request.country ?? "");
  const left = isPrefetch(request.purpose) ? "prefetch" : options.assets ? undefined : assetReason(url, request);
  if (left !== undefined) return skipped(left);
  return read(
    {
      ...(request.id ? { id: request.id } : {}),
      url: url.href,
      timestamp,
      ...(userAgent === "" ? {} : { user_agent: userAgent }),
      ...(referrer === "" ? {} : { referrer }),
      ...(country ? { country } : {}),
    },
    visitorText(request.date, request.address, userAgent),
  );
}

/** What is hashed into a visitor: the same address and agent on one date are one visitor, on the next another one. */
export function visitorText(date: string, address: string, userAgent: string): string {
  return `${date}|${address}|${userAgent}`;
}

/** The first address that a list of `X-Forwarded-For` names, if it names any. */
export function forwardedAddress(header: string): string | undefined {
  const [first = ""] = header.split(",");
  const address = first.trim().replace(/^\[(.+)\](?::\d+)?$/, "$1");
  if (isIP(address) !== 0) return address;
  const withoutPort = address.replace(/:\d+$/, "");
  return isIP(withoutPort) === 4 ? withoutPort : undefined;
}

/** A scanner's request line may be anything, so other methods than these are no requests. */
const METHODS = ["HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "PROPFIND"];

function methodReason(method: string): string | undefined {
  if (method === "GET") return undefined;
  return METHODS.includes(method) ? `${method} request` : "no HTTP request";
}

/** 304 is a page that the reader had already, and saw again. */
function statusReason(status: number): string | undefined {
  if (status === 304) return undefined;
  if (status === 204 || status === 205 || status === 206) return "no whole page (204, 205, 206)";
  if (status >= 200 && status <= 299) return undefined;
  if (status >= 300 && status <= 399) return "redirect (3xx)";
  if (status >= 400 && status <= 599) return `error (${Math.floor(status / 100)}xx)`;
  return "not answered (no status, 1xx)";
}

const ASSET = new RegExp(
  `\\.(?:${[
    "7z|apk|appinstaller|atom|avi|avif|bin|bmp|br|bz2|cjs|css|csv|cur|deb|dmg|docx?|eot|epub|exe|flac|gif|gz|heic|ico|ics|iso",
    "jpe?g|js|json|jsonld|jxl|less|m3u8|m4[av]|map|md5|mjs|mov|mp[34]|mpd|mpe?g|msi|og[agv]|opus|otf|pdf|pkg|png|pptx?",
    "rar|rpm|rss|rtf|scss|sha256|svgz?|swf|tar|tgz|tiff?|ts|ttf|txt|vtt|wasm|wav|webm|webmanifest|webp|wmv|woff2?",
    "xlsx?|xml|xsl|xz|zip|zst",
  ].join("|")})$`,
  "i",
);
const HTML = /^(?:text\/html|application\/xhtml\+xml)\b/i;

function assetReason(url: URL, { fetchDestination = "", contentType = "" }: LogRequest): string | undefined {
  if (ASSET.test(url.pathname) || url.pathname.startsWith("/.well-known/")) return "asset";
  if (fetchDestination !== "" && fetchDestination !== "document") return "asset";
  return contentType !== "" && !HTML.test(contentType) ? "asset" : undefined;
}

function isPrefetch(purpose = ""): boolean {
  return /prefetch|prerender|preview/i.test(purpose);
}

function toUrl(target: string, origin = ""): URL | undefined {
  if (!target.startsWith("/") && !/^https?:\/\//i.test(target)) return undefined;
  // Joined as text: resolved as a reference, "//evil.example/" would name another host.
  return URL.parse(target.startsWith("/") ? origin + target : target) ?? undefined;
}
