// Logs of JSON lines: each server's own words, and what becomes of lines that are no requests.

import { expect, test } from "vitest";
import { readJsonLine } from "../../scripts/import/json-log.ts";

const AT = Date.UTC(2026, 10, 21, 10, 0, 5, 250);
const OPTIONS = { origin: undefined, assets: false };
const EXPECTED = {
  kind: "event",
  event: { url: "https://shop.example/a?b=c", user_agent: "Firefox", referrer: "https://ref.example/" },
};

const CADDY = {
  ...{ level: "info", ts: AT / 1000, logger: "http.log.access.log0", msg: "handled request" },
  request: {
    ...{ remote_ip: "10.0.0.1", remote_port: "41342", client_ip: "203.0.113.9", proto: "HTTP/2.0", method: "GET" },
    ...{ host: "shop.example", uri: "/a?b=c" },
    headers: { "User-Agent": ["Firefox"], Referer: ["https://ref.example/"], "Sec-Fetch-Dest": ["document"] },
    tls: { version: 772, server_name: "shop.example" },
  },
  ...{ bytes_read: 0, user_id: "", duration: 0.001, size: 10_900, status: 200 },
  resp_headers: { Server: ["Caddy"], "Content-Type": ["text/html"] },
};

const NGINX = {
  ...{ time_iso8601: "2026-11-21T11:00:05.250+01:00", remote_addr: "203.0.113.9", request: "GET /a?b=c HTTP/2.0" },
  ...{ status: "200", body_bytes_sent: "512", request_time: "0.004", http_referrer: "https://ref.example/" },
  ...{ http_user_agent: "Firefox", http_host: "shop.example" },
};

const LOGPUSH = {
  ...{ ClientIP: "203.0.113.9", ClientRequestHost: "shop.example", ClientRequestMethod: "GET" },
  ...{ ClientRequestURI: "/a?b=c", ClientRequestReferer: "https://ref.example/", ClientRequestUserAgent: "Firefox" },
  ...{ EdgeResponseStatus: 200, EdgeStartTimestamp: "2026-11-21T10:00:05.25Z", EdgeResponseContentType: "text/html" },
};

test.each([
  ["Caddy", CADDY],
  ["Caddy with ISO times", { ...CADDY, ts: "2026-11-21T10:00:05.250Z" }],
  ["Caddy with wall times", { ...CADDY, ts: "2026/11/21 10:00:05.250" }],
  ["Caddy with ns", { ...CADDY, ts: AT * 1_000_000 }],
  ["nginx's request line", NGINX],
  [
    "nginx's parts",
    {
      ...{ msec: "1795255205.250", remote_addr: "10.0.0.1", http_x_forwarded_for: "203.0.113.9, 10.0.0.7" },
      ...{ request_method: "GET", uri: "/index.php", request_uri: "/a?b=c", status: 200, scheme: "https" },
      ...{ http_referer: "https://ref.example/", http_user_agent: "Firefox", server_name: "shop.example" },
    },
  ],
  [
    "nginx's path and args",
    {
      ...{ "@timestamp": "2026-11-21T10:00:05.25Z", client: "203.0.113.9", method: "GET", uri: "/a", args: "b=c" },
      ...{ status: 200, referrer: "https://ref.example/", agent: "Firefox", vhost: "shop.example" },
    },
  ],
  ["Cloudflare's Logpush", LOGPUSH],
  ["Logpush with ns", { ...LOGPUSH, EdgeStartTimestamp: AT * 1_000_000 }],
  [
    "Traefik",
    {
      ...{ ClientHost: "203.0.113.9", DownstreamStatus: 200, RequestHost: "shop.example", RequestMethod: "GET" },
      ...{ RequestPath: "/a?b=c", StartUTC: "2026-11-21T10:00:05.25Z", "request_User-Agent": "Firefox" },
      ...{ request_Referer: "https://ref.example/", level: "info", msg: "", time: "2026-11-21T10:00:06Z" },
    },
  ],
  [
    "Google Cloud's load balancer",
    {
      httpRequest: {
        ...{ requestMethod: "GET", requestUrl: "https://shop.example/a?b=c", status: 200, remoteIp: "203.0.113.9" },
        ...{ userAgent: "Firefox", referer: "https://ref.example/" },
      },
      ...{ timestamp: "2026-11-21T10:00:05.250Z", severity: "INFO" },
    },
  ],
])("[IMP-17] reads a request of %s", (_, line) => {
  const row = readJsonLine(JSON.stringify(line), OPTIONS);
  expect(row).toMatchObject(EXPECTED);
  if (row.kind !== "event") throw new Error("it counts");
  expect(Math.abs(row.event.timestamp - AT)).toBeLessThanOrEqual(1); // ns are more than a double holds
  expect(row.visitor).toMatch(/\|203\.0\.113\.9\|Firefox$/);
  expect(JSON.stringify(row.event)).not.toContain("203.0.113.9");
});

test("[IMP-17] nginx's local time is read in its own zone", () => {
  const line = { ...NGINX, time_iso8601: undefined, time_local: "21/Nov/2026:11:00:05 +0100" };
  expect(readJsonLine(JSON.stringify(line), OPTIONS)).toMatchObject({ event: { timestamp: AT - 250 } });
});

test.each([
  ["a redirect", { ...CADDY, status: 308 }, "redirect (3xx)"],
  ["a POST", { ...NGINX, request: "POST /cart HTTP/1.1" }, "POST request"],
  ["a prefetch", { ...NGINX, http_sec_purpose: "prefetch" }, "prefetch"],
  [
    "a prefetch of Caddy",
    { ...CADDY, request: { ...CADDY.request, headers: { "Sec-Purpose": ["prefetch"] } } },
    "prefetch",
  ],
  [
    "a request of a script",
    { ...CADDY, request: { ...CADDY.request, headers: { "Sec-Fetch-Dest": ["empty"] } } },
    "asset",
  ],
  ["an answer in JSON", { ...LOGPUSH, EdgeResponseContentType: "application/json" }, "asset"],
  ["another message of Caddy", { level: "info", ts: 1, msg: "using adjacent Caddyfile" }, "server message"],
  ["a request line of noise", { ...NGINX, request: "\u0016\u0003", status: "400" }, "no HTTP request"],
])("[IMP-2] skips %s", (_, line, reason) => {
  expect(readJsonLine(JSON.stringify(line), OPTIONS)).toEqual({ kind: "skipped", reason });
});

test.each([
  ["a line that is no JSON", "{", "not_json", /JSON object on a line/],
  ["a list", "[1]", "not_json", /JSON object/],
  ["no status", JSON.stringify({ ...NGINX, status: undefined }), "not_a_request", /has no status/],
  ["no time", JSON.stringify({ ...NGINX, time_iso8601: undefined }), "not_a_request", /has no time/],
  ["no host", JSON.stringify({ ...NGINX, http_host: "_" }), "needs_hostname", /--hostname/],
  [
    "a time that there is not",
    JSON.stringify({ ...NGINX, time_iso8601: "2026-02-30T00:00:00Z" }),
    "invalid_timestamp",
    /2026-02-30/,
  ],
])("[IMP-3] rejects %s", (_, line, code, message) => {
  expect(readJsonLine(line, OPTIONS)).toMatchObject({
    kind: "rejected",
    code,
    message: expect.stringMatching(message),
  });
});

test.each([
  ["at", "AT"],
  ["DE", "DE"],
  ["XX", undefined],
  ["T1", undefined],
])("[IMP-17] the country of Logpush's ClientCountry %s is %s", (said, country) => {
  const row = readJsonLine(JSON.stringify({ ...LOGPUSH, ClientCountry: said }), OPTIONS);
  expect(row.kind === "event" && row.event.country).toBe(country);
});

test("[IMP-33] a request of Logpush has its RayID as id", () => {
  const row = readJsonLine(JSON.stringify({ ...LOGPUSH, RayID: "7d1e6f0abc" }), OPTIONS);
  expect(row.kind === "event" && row.event.id).toBe("ray-7d1e6f0abc");
});

test.each([
  [{ ClientRequestSource: "eyeball" }, "event"],
  [{ ClientRequestSource: "edgeWorkerFetch" }, "skipped"],
  [{ ClientRequestSource: "imageResizing" }, "skipped"],
  [{ WorkerSubrequest: true }, "skipped"],
  [{ WorkerSubrequest: false }, "event"],
])("[IMP-33] Logpush: %j is %s", (said, kind) => {
  const row = readJsonLine(JSON.stringify({ ...LOGPUSH, ...said }), OPTIONS);
  expect(row).toMatchObject(kind === "event" ? { kind } : { kind, reason: "asked by the network itself" });
});

test("[IMP-17] CloudFront's log as JSON is what its tabs say", () => {
  const row = readJsonLine(
    JSON.stringify({
      ...{
        date: "2026-11-21",
        time: "10:00:05",
        "x-edge-location": "VIE50-C1",
        "sc-bytes": "512",
        "c-ip": "203.0.113.9",
      },
      ...{ "cs-method": "GET", "cs(Host)": "d111.cloudfront.net", "cs-uri-stem": "/a", "sc-status": "200" },
      ...{ "cs(Referer)": "-", "cs(User-Agent)": "Mozilla/5.0%20(X11)", "cs-uri-query": "b=c", "cs(Cookie)": "-" },
      ...{
        "x-edge-request-id": "id==",
        "x-host-header": "shop.example",
        "cs-protocol": "https",
        "sc-content-type": "text/html",
      },
    }),
    OPTIONS,
  );
  expect(row).toEqual({
    kind: "event",
    event: {
      ...{ id: "edge-id==", url: "https://shop.example/a?b=c", user_agent: "Mozilla/5.0 (X11)" },
      timestamp: Date.UTC(2026, 10, 21, 10, 0, 5),
    },
    visitor: "2026-11-21|203.0.113.9|Mozilla/5.0 (X11)",
  });
});
