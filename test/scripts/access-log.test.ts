// The access-log reader, line by line: what is taken apart, what counts, what is skipped and why.

import { expect, test } from "vitest";
import { parseLogLine, readLogLine } from "../../scripts/import/access-log.ts";
import { type LogRequest, toPageView } from "../../scripts/import/request.ts";

const TIME = "[10/Oct/2000:13:55:36 -0700]";
const AT = Date.UTC(2000, 9, 10, 20, 55, 36);

const PARSED: readonly (readonly [string, string, object])[] = [
  [
    "an ordinary line",
    `203.0.113.9 - frank ${TIME} "GET /a?b=c HTTP/1.0" 200 2326 "https://ref.example/x" "Mozilla/4.08 [en]"`,
    { address: "203.0.113.9", target: "/a?b=c", referrer: "https://ref.example/x", userAgent: "Mozilla/4.08 [en]" },
  ],
  ["IPv6", `2001:db8::7 - - ${TIME} "GET / HTTP/2" 304 - "-" "-"`, { address: "2001:db8::7", status: 304 }],
  ["a dash for what is absent", `1.2.3.4 - - ${TIME} "GET / HTTP/2" 200 0 "-" "-"`, { referrer: "", userAgent: "" }],
  ["the common format", `1.2.3.4 - - ${TIME} "GET /c HTTP/1.1" 200 5`, { target: "/c", referrer: "", userAgent: "" }],
  ["a user with a blank", `1.2.3.4 - John Doe ${TIME} "GET /u HTTP/1.1" 200 5 "-" "x"`, { target: "/u" }],
  [
    "escaped quotes",
    `1.2.3.4 - - ${TIME} "GET / HTTP/1.1" 200 5 "-" "say \\"hi\\" \\\\ bye"`,
    { userAgent: 'say "hi" \\ bye' },
  ],
  ["escaped UTF-8 bytes", `1.2.3.4 - - ${TIME} "GET /caf\\xc3\\xa9 HTTP/1.1" 200 5 "-" "x"`, { target: "/café" }],
  ["appended fields", `1.2.3.4 - - ${TIME} "GET / HTTP/1.1" 200 5 "-" "x" "10.0.0.1" 0.004`, { userAgent: "x" }],
  ["a request line of noise", `1.2.3.4 - - ${TIME} "\\x16\\x03\\x01" 400 5 "-" "-"`, { status: 400, target: "" }],
  [
    "a virtual host before the address",
    `shop.example:443 198.51.100.7 - - ${TIME} "GET /v HTTP/2.0" 200 5 "-" "x"`,
    { virtualHost: "shop.example", address: "198.51.100.7", target: "/v" },
  ],
  [
    "a virtual host before an IPv6 address",
    `shop.example:80 2001:db8::7 - John Doe ${TIME} "GET /v HTTP/1.1" 200 5`,
    { virtualHost: "shop.example", address: "2001:db8::7", target: "/v" },
  ],
  [
    "an IPv6 address that ends like a port",
    `2001:db8::443 - - ${TIME} "GET / HTTP/2" 200 5 "-" "-"`,
    { virtualHost: undefined, address: "2001:db8::443" },
  ],
  [
    "a virtual host without a port",
    `shop.example 198.51.100.7 - - ${TIME} "GET /v HTTP/1.1" 200 5 "-" "x"`,
    { virtualHost: "shop.example", address: "198.51.100.7" },
  ],
  [
    "a client by its name",
    `client.example - - ${TIME} "GET /v HTTP/1.1" 200 5`,
    { virtualHost: undefined, address: "client.example" },
  ],
  [
    "a list of forwarded addresses",
    `1.2.3.4, 10.0.0.7 - - ${TIME} "GET /v HTTP/1.1" 200 5`,
    { virtualHost: undefined, address: "1.2.3.4" },
  ],
  ["an empty request line", `1.2.3.4 - - ${TIME} "" 408 0 "-" "-"`, { method: "", status: 408 }],
];

test.each(PARSED)("[IMP-1] reads %s", (_, line, expected) => {
  expect(parseLogLine(line)).toMatchObject({ timestamp: AT, date: "10/Oct/2000", ...expected });
});

test.each([
  ["[01/Jan/2026:00:30:00 +0530]", Date.UTC(2025, 11, 31, 19, 0)],
  ["[29/Feb/2024:23:59:59 +0000]", Date.UTC(2024, 1, 29, 23, 59, 59)],
  ["[31/Dec/2025:20:00:00 -0330]", Date.UTC(2025, 11, 31, 23, 30)],
])("[IMP-1] reads the time %s in its own zone", (time, instant) => {
  expect(parseLogLine(`1.2.3.4 - - ${time} "GET / HTTP/1.1" 200 5 "-" "x"`)?.timestamp).toBe(instant);
});

test.each([
  ["nothing of a log", "visitor,unix_s,url"],
  ["syslog's head", `Nov 21 10:00:00 web-1 nginx: 1.2.3.4 - - ${TIME} "GET / HTTP/1.1" 200 5 "-" "x"`],
  ["no time", '1.2.3.4 - - "GET / HTTP/1.1" 200 5 "-" "x"'],
  ["a quote that never ends", `1.2.3.4 - - ${TIME} "GET / HTTP/1.1" 200 5 "-" "x`],
])("[IMP-3] rejects a line with %s", (_, line) => {
  expect(parseLogLine(line)).toBeUndefined();
  expect(readLogLine(line, OPTIONS)).toMatchObject({ kind: "rejected", code: "not_combined_format" });
});

test.each([
  "31/Feb/2026:10:00:00 +0000",
  "29/Feb/2025:10:00:00 +0000",
  "31/Apr/2026:10:00:00 +0000",
  "00/Jan/2026:10:00:00 +0000",
  "10/Foo/2000:13:55:36 -0700",
  "10/Anf/2000:13:55:36 -0700",
  "20/Nov/2026:24:00:00 +0000",
  "20/Nov/2026:23:60:00 +0000",
  "20/Nov/2026:23:59:60 +0000",
  "20/Nov/2026:99:99:99 +0000",
  "20/Nov/2026:10:00:00 +2400",
  "20/Nov/2026:10:00:00 +0060",
])("[IMP-3] rejects the time %s, which there is not", (time) => {
  const row = readLogLine(`1.2.3.4 - - [${time}] "GET / HTTP/1.1" 200 5 "-" "x"`, OPTIONS);
  const message = `there is no such time: ${time}`;
  expect(row).toEqual({ kind: "rejected", code: "invalid_timestamp", message });
});

const VHOST_LINE = `blog.example:8080 1.2.3.4 - - ${TIME} "GET /a HTTP/1.1" 200 5 "-" "x"`;
const PLAIN_LINE = `1.2.3.4 - - ${TIME} "GET /a HTTP/1.1" 200 5 "-" "x"`;

test.each([
  ["its virtual host", VHOST_LINE, undefined, "https://blog.example/a"],
  ["--hostname rather than its virtual host", VHOST_LINE, "https://shop.example", "https://shop.example/a"],
  ["--hostname", PLAIN_LINE, "https://shop.example", "https://shop.example/a"],
])("[IMP-1] a line's page is on %s", (_, line, origin, url) => {
  const row = readLogLine(line, { origin, assets: false });
  expect(row).toMatchObject({ event: { url }, visitor: "10/Oct/2000|1.2.3.4|x" });
});

test("[IMP-3] a line whose site nobody names is rejected", () => {
  const row = readLogLine(PLAIN_LINE, { origin: undefined, assets: false });
  expect(row).toMatchObject({
    kind: "rejected",
    code: "needs_hostname",
    message: expect.stringContaining("--hostname"),
  });
});

const OPTIONS = { origin: "https://shop.example", assets: false };
const request = (line: string, status = 200) => `1.2.3.4 - - ${TIME} "${line}" ${status} 5 "-" "Firefox"`;

test.each([
  ["GET / HTTP/1.1", 200, "https://shop.example/"],
  ["GET /a/b.html?x=1 HTTP/1.1", 304, "https://shop.example/a/b.html?x=1"],
  ["GET https://other.example/p HTTP/1.1", 200, "https://other.example/p"],
  ["GET //evil.example/p HTTP/1.1", 200, "https://shop.example//evil.example/p"],
  ["GET /a.pdf/page HTTP/1.1", 200, "https://shop.example/a.pdf/page"],
])("[IMP-2] counts the page of %s (%i)", (line, status, url) => {
  expect(readLogLine(request(line, status), OPTIONS)).toMatchObject({
    kind: "event",
    event: { url, timestamp: AT, user_agent: "Firefox" },
  });
});

test.each([
  ["POST /cart HTTP/1.1", 200, "POST request"],
  ["HEAD / HTTP/1.1", 200, "HEAD request"],
  ["OPTIONS / HTTP/1.1", 204, "OPTIONS request"],
  ["\\x16\\x03\\x01", 400, "no HTTP request"],
  ["GET /moved HTTP/1.1", 301, "redirect (3xx)"],
  ["GET /moved HTTP/1.1", 302, "redirect (3xx)"],
  ["GET /moved HTTP/1.1", 308, "redirect (3xx)"],
  ["GET /missing HTTP/1.1", 404, "error (4xx)"],
  ["GET /closed-too-early HTTP/1.1", 499, "error (4xx)"],
  ["GET /broken HTTP/1.1", 502, "error (5xx)"],
  ["GET /beacon HTTP/1.1", 204, "no whole page (204, 205, 206)"],
  ["GET /film HTTP/1.1", 206, "no whole page (204, 205, 206)"],
  ["GET /socket HTTP/1.1", 101, "not answered (no status, 1xx)"],
  ["GET /logo.PNG?v=3 HTTP/1.1", 200, "asset"],
  ["GET /robots.txt HTTP/1.1", 200, "asset"],
  ["GET /film.m4v HTTP/1.1", 200, "asset"],
  ["GET /.well-known/traffic-advice HTTP/1.1", 200, "asset"],
])("[IMP-2] skips %s (%i): %s", (line, status, reason) => {
  expect(readLogLine(request(line, status), OPTIONS)).toEqual({ kind: "skipped", reason });
});

const PAGE: LogRequest = {
  ...{ address: "1.2.3.4", timestamp: AT, time: "", date: "", method: "GET", target: "/a", status: 200 },
  ...{ referrer: "", userAgent: "" },
};

test.each([
  [{ purpose: "prefetch" }, "prefetch"],
  [{ purpose: "prefetch;prerender" }, "prefetch"],
  [{ purpose: "preview" }, "prefetch"],
  [{ fetchDestination: "document" }, undefined],
  [{ fetchDestination: "empty" }, "asset"],
  [{ fetchDestination: "iframe" }, "asset"],
  [{ contentType: "text/html; charset=utf-8" }, undefined],
  [{ contentType: "application/xhtml+xml" }, undefined],
  [{ contentType: "application/json" }, "asset"],
])("[IMP-2] where a log says more of a request, such as %j, it is believed", (more, reason) => {
  const row = toPageView({ ...PAGE, ...more }, OPTIONS);
  expect(row.kind === "skipped" ? row.reason : undefined).toBe(reason);
});

test("[IMP-2] counts assets when asked to", () => {
  const row = readLogLine(request("GET /logo.png HTTP/1.1"), { ...OPTIONS, assets: true });
  expect(row).toMatchObject({ event: { url: "https://shop.example/logo.png" } });
});

test("[IMP-4] puts no address into the event", () => {
  const row = readLogLine(request("GET / HTTP/1.1"), OPTIONS);
  if (row.kind !== "event") throw new Error("the line counts");
  expect(JSON.stringify(row.event)).not.toContain("1.2.3.4");
  expect(row.visitor).toBe("10/Oct/2000|1.2.3.4|Firefox");
});
