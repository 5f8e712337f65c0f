// Logs in the W3C's extended format: IIS with blanks and "+", CloudFront with tabs and "%", and heads that change on
// the way.

import { expect, test } from "vitest";
import { w3cReader } from "../../scripts/import/w3c-log.ts";

const AT = Date.UTC(2026, 10, 21, 10, 0, 5);
const OPTIONS = { origin: undefined, assets: false };
const IIS =
  "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) cs-host sc-status sc-substatus sc-win32-status time-taken";
const CLOUDFRONT =
  "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes sc-content-type";

const iis = (stem: string, query = "-", status = 200, method = "GET") =>
  `2026-11-21 10:00:05 10.0.0.4 ${method} ${stem} ${query} 443 - 203.0.113.9 Mozilla/5.0+(Windows+NT+10.0) https://ref.example/a+b shop.example ${status} 0 0 15`;

interface Viewed {
  readonly stem?: string;
  readonly query?: string;
  readonly status?: string;
  readonly agent?: string;
  readonly type?: string;
}
const cloudFront = ({
  stem = "/",
  query = "-",
  status = "200",
  agent = "Mozilla/5.0%20(X11)",
  type = "text/html",
}: Viewed) =>
  [
    ...["2026-11-21", "10:00:05", "VIE50-C1", "512", "203.0.113.9", "GET", "d111.cloudfront.net", stem, status],
    ...["https://ref.example/", agent, query, "-", "Hit", "id==", "shop.example", "https", "23", type],
  ].join("\t");

/** Reads lines in order, and answers the row of the last one. */
function readLast(...lines: readonly string[]) {
  const reader = w3cReader();
  const rows = lines.flatMap((line) => (reader.note(line) ? [] : [reader.read(line, OPTIONS)]));
  return rows.at(-1);
}

test("[IMP-18] a line of IIS is a page view in UTC, with blanks for its plus signs", () => {
  const head = [
    "#Software: Microsoft Internet Information Services 10.0",
    "#Version: 1.0",
    "#Date: 2026-11-21 10:00:00",
    IIS,
  ];
  expect(readLast(...head, iis("/a+b", "q=x+y%20z"))).toEqual({
    kind: "event",
    event: {
      url: "https://shop.example/a%20b?q=x+y%20z",
      timestamp: AT,
      user_agent: "Mozilla/5.0 (Windows NT 10.0)",
      referrer: "https://ref.example/a+b",
    },
    visitor: "2026-11-21|203.0.113.9|Mozilla/5.0 (Windows NT 10.0)",
  });
});

test("[IMP-18] a path that IIS has decoded begins no query and no fragment", () => {
  expect(readLast(IIS, iis("/a#b?c"))).toMatchObject({ event: { url: "https://shop.example/a%23b%3Fc" } });
});

test.each([
  [
    "a page",
    { stem: "/caf%25C3%25A9", query: "utm_source=a%2520b" },
    "/caf%C3%A9?utm_source=a%20b",
    "Mozilla/5.0 (X11)",
  ],
  ["an agent that is escaped twice", { agent: "Mozilla/5.0%2520(X11)" }, "/", "Mozilla/5.0 (X11)"],
  ["an agent with a broken escape", { agent: "50%" }, "/", "50%"],
  ["a query without its writing", { query: "a=b&c=d+e" }, "/?a=b&c=d+e", "Mozilla/5.0 (X11)"],
])("[IMP-18] reads %s of CloudFront on the host that was asked for", (_, viewed, page, agent) => {
  expect(readLast("#Version: 1.0", CLOUDFRONT, cloudFront(viewed))).toMatchObject({
    event: { url: `https://shop.example${page}`, user_agent: agent, timestamp: AT, referrer: "https://ref.example/" },
  });
});

test("[IMP-18] #Fields: may change in the middle of a file, and its date may stand above", () => {
  const shorter = "#Fields: time c-ip cs-method cs-uri-stem sc-status cs-host";
  const line = "23:59:59 203.0.113.9 GET /late 200 shop.example";
  expect(readLast(IIS, iis("/"), "#Date: 2026-11-22 00:00:00", shorter, line)).toMatchObject({
    event: { url: "https://shop.example/late", timestamp: Date.UTC(2026, 10, 22, 23, 59, 59) },
  });
  expect(readLast(IIS, iis("/"), "#Date: 2007-4-1 00:00:00", shorter, line)).toMatchObject({
    event: { timestamp: Date.UTC(2007, 3, 1, 23, 59, 59) },
  });
});

test.each([
  ["a redirect", [IIS, iis("/", "-", 302)], "redirect (3xx)"],
  ["a HEAD", [IIS, iis("/", "-", 200, "HEAD")], "HEAD request"],
  ["an asset", [CLOUDFRONT, cloudFront({ stem: "/a.webp" })], "asset"],
  ["an answer in JSON", [CLOUDFRONT, cloudFront({ type: "application/json" })], "asset"],
  ["a viewer that went away", [CLOUDFRONT, cloudFront({ status: "000" })], "not answered (no status, 1xx)"],
  ["an empty line", [IIS, " "], "empty line"],
])("[IMP-2] skips %s", (_, lines, reason) => {
  expect(readLast(...lines)).toEqual({ kind: "skipped", reason });
});

test.each([
  ["no head", [iis("/")], "no_fields", /no #Fields: line/],
  [
    "no status",
    ["#Fields: date time c-ip cs-method cs-uri-stem", "2026-11-21 10:00:05 1.2.3.4 GET /"],
    "no_fields",
    /sc-status/,
  ],
  ["other columns", [IIS, "2026-11-21 10:00:05 GET /"], "wrong_columns", /4 values, where #Fields: names 16/],
  ["a time that there is not", [IIS, iis("/").replace("10:00:05", "25:00:05")], "invalid_timestamp", /25:00:05/],
  ["no host", [IIS, iis("/").replace("shop.example", "-")], "needs_hostname", /--hostname/],
])("[IMP-3] rejects a line with %s", (_, lines, code, message) => {
  expect(readLast(...lines)).toMatchObject({ kind: "rejected", code, message: expect.stringMatching(message) });
});
