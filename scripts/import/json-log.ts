// One line of a log of JSON objects, whichever server wrote it: Caddy's nested ones, nginx's by the usual `log_format …
// escape=json`, Traefik's, Cloudflare's Logpush, Google Cloud's. Nothing is standard here but the words, so
// one table says which names mean what; nested objects are read as "request.uri", and names are compared
// without case and punctuation.

import { parseDate } from "../../core/time.ts";
import { logInstant } from "./access-log.ts";
import { parseInstant } from "./instant.ts";
import { forwardedAddress, type LogOptions, type LogRequest, toPageView } from "./request.ts";
import { type Row, rejectedRow, skipped } from "./row.ts";
import { toW3cRequest } from "./w3c-log.ts";

/** What a request is made of, and its names, the surest first. */
const NAMES = {
  time: [
    ...["msec", "timeiso8601", "timelocal", "timestamp", "ts", "startutc", "edgestarttimestamp", "datetime", "time"],
    ...["requesttimestamp", "startlocal", "date"],
  ],
  forwarded: ["httpxforwardedfor", "xforwardedfor", "requestheadersxforwardedfor", "requestxforwardedfor"],
  address: [
    ...[
      "requestclientip",
      "realip",
      "httpxrealip",
      "clientip",
      "remoteaddr",
      "requestremoteip",
      "remoteip",
      "clienthost",
    ],
    ...[
      "requestremoteaddr",
      "ipaddress",
      "ip",
      "clientaddr",
      "client",
      "remotehost",
      "sourceip",
      "clientaddress",
      "httprequestremoteip",
    ],
  ],
  line: ["request", "requestline"],
  method: [
    "requestmethod",
    "method",
    "verb",
    "httpmethod",
    "clientrequestmethod",
    "httprequestmethod",
    "httprequestrequestmethod",
  ],
  target: [
    ...["requesturi", "clientrequesturi", "requestpath", "urloriginal", "uri", "requesturl", "url", "path"],
    ...["clientrequestpath", "urlpath", "httprequestrequesturl"],
  ],
  query: ["args", "querystring", "query", "urlquery"],
  status: [
    ...[
      "status",
      "statuscode",
      "downstreamstatus",
      "edgeresponsestatus",
      "httpstatus",
      "httpstatuscode",
      "responsestatus",
    ],
    ...["responsecode", "responsestatuscode", "httpresponsestatuscode", "httprequeststatus", "code"],
  ],
  referrer: [
    ...["httpreferer", "httpreferrer", "referer", "referrer", "requestheadersreferer", "requestreferer"],
    ...["clientrequestreferer", "httprequestreferrer", "httprequestreferer"],
  ],
  userAgent: [
    ...["httpuseragent", "useragent", "agent", "requestheadersuseragent", "requestuseragent", "clientrequestuseragent"],
    ...["useragentoriginal", "httprequestuseragent", "ua"],
  ],
  host: [
    ...["httphost", "requesthost", "clientrequesthost", "vhost", "virtualhost", "servername", "domain", "urldomain"],
    ...["requestheadershost", "host", "hostname"],
  ],
  scheme: ["scheme", "requestscheme", "clientrequestscheme", "urlscheme"],
  purpose: [
    ...["httpsecpurpose", "httppurpose", "httpxpurpose", "httpxmoz", "secpurpose", "purpose", "xpurpose", "xmoz"],
    ...["requestheaderssecpurpose", "requestheaderspurpose", "requestheadersxpurpose", "requestheadersxmoz"],
    ...["requestsecpurpose", "requestpurpose", "requestxmoz"],
  ],
  fetchDestination: ["httpsecfetchdest", "secfetchdest", "requestheaderssecfetchdest", "requestsecfetchdest"],
  country: ["clientcountry"],
  id: ["rayid"],
  source: ["clientrequestsource"],
  contentType: [
    ...["senthttpcontenttype", "respheaderscontenttype", "edgeresponsecontenttype", "responsecontenttype"],
    ...["upstreamhttpcontenttype", "downstreamcontenttype"],
  ],
} as const satisfies Record<string, readonly string[]>;

/** The page view a line of the log stands for, or why it stands for none. */
export function readJsonLine(line: string, options: LogOptions): Row {
  if (line.trim() === "") return skipped("empty line");
  const object = parseObject(line);
  if (object === undefined) return rejectedRow("not_json", "not a JSON object on a line of its own");
  const request = w3cRequest(object) ?? toRequest(object);
  if (typeof request === "string") {
    // Caddy's other messages stand in the same file: "using adjacent Caddyfile".
    const isMessage = typeof object["msg"] === "string" && object["request"] === undefined;
    return isMessage ? skipped("server message") : rejectedRow("not_a_request", `no request: it has no ${request}`);
  }
  return toPageView(request, options);
}

export function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The request in an object; what it lacks where it is none. */
function toRequest(object: Readonly<Record<string, unknown>>): LogRequest | string {
  const fields = new Map<string, string>();
  flatten(object, "", fields);
  const field = (name: keyof typeof NAMES): string => {
    for (const key of NAMES[name]) {
      const text = fields.get(key);
      if (text !== undefined && text !== "" && text !== "-") return text;
    }
    return "";
  };
  const [lineMethod = "", lineTarget = ""] = field("line").split(" ");
  const method = field("method") || lineMethod;
  const path = field("line") === "" || field("method") !== "" ? field("target") || lineTarget : lineTarget;
  if (method === "") return "method";
  if (path === "" && field("line") === "") return "path";
  if (field("status") === "") return "status";
  if (field("time") === "") return "time";
  const { timestamp, date } = readTime(field("time"));
  const host = field("host");
  return {
    virtualHost: host === "" || host === "_" ? undefined : host,
    scheme: /^https?$/.test(field("scheme")) ? field("scheme") : undefined,
    address: forwardedAddress(field("forwarded")) ?? field("address"),
    timestamp,
    time: field("time"),
    date,
    method,
    target: path.includes("?") || field("query") === "" ? path : `${path}?${field("query").replace(/^\?/, "")}`,
    status: Number(field("status")),
    referrer: field("referrer"),
    userAgent: field("userAgent"),
    purpose: field("purpose"),
    fetchDestination: field("fetchDestination"),
    contentType: field("contentType"),
    country: field("country"),
    id: field("id") === "" ? "" : `ray-${field("id")}`,
    // Cloudflare logs what its own services ask of each other, too: a Worker's fetch, a resized image's original.
    isOwn: !["", "eyeball", "unknown"].includes(field("source").toLowerCase()) || object["WorkerSubrequest"] === true,
  };
}

const DEPTH_MAX = 4;

/** {"request": {"headers": {"User-Agent": ["x"]}}} → requestheadersuseragent: "x". Of a list the first. */
function flatten(value: unknown, path: string, fields: Map<string, string>, depth = 0): void {
  if (typeof value === "string" || typeof value === "number") {
    if (!fields.has(path)) fields.set(path, String(value));
  } else if (Array.isArray(value)) flatten(value[0], path, fields, depth);
  else if (typeof value === "object" && value !== null && depth < DEPTH_MAX) {
    for (const [key, inner] of Object.entries(value)) {
      flatten(inner, path + key.toLowerCase().replace(/[^a-z0-9]/g, ""), fields, depth + 1);
    }
  }
}

/** CloudFront's log as JSON (its standard logging of today) has the fields of the W3C's format, by their names. */
function w3cRequest(object: Readonly<Record<string, unknown>>): LogRequest | undefined {
  if (!["date", "time", "cs-method", "cs-uri-stem", "sc-status"].every((name) => name in object)) return undefined;
  const texts = Object.entries(object).map(
    ([name, value]) => [name.toLowerCase(), value === "-" ? "" : String(value)] as const,
  );
  return toW3cRequest(new Map(texts), { tabs: true, fileDate: "" });
}

/** Seconds, ms, µs or ns since 1970, ISO 8601, nginx's local time, or Caddy's "2026/11/21 10:00:00". */
function readTime(text: string): { readonly timestamp: number | undefined; readonly date: string } {
  const [, logDate, clock] = /^\[?(\d\d\/[A-Z][a-z]{2}\/\d{4}):(\d\d:\d\d:\d\d [+-]\d{4})\]?$/.exec(text) ?? [];
  if (logDate !== undefined && clock !== undefined) return { timestamp: logInstant(logDate, clock), date: logDate };
  const iso = text.replace(/^(\d{4})\/(\d\d)\/(\d\d)/, "$1-$2-$3");
  const timestamp = parseInstant(iso);
  const own = iso.slice(0, 10);
  if (timestamp === undefined || parseDate(own) !== undefined) return { timestamp, date: own };
  return { timestamp, date: new Date(timestamp).toISOString().slice(0, 10) };
}
