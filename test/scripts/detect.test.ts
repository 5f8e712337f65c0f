// What kind of file it is: what is read, and what is refused by its name and with a remedy.

import { expect, test } from "vitest";
import { detectLine, refuseBytes } from "../../scripts/import/detect.ts";

test.each([
  ['1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 5', { kind: "log" }],
  ["#Software: Microsoft Internet Information Services 10.0", { kind: "w3c" }],
  ["#Version: 1.0", { kind: "w3c" }],
  ["#Fields: date time", { kind: "w3c" }],
  ['{"request":{}}', { kind: "json" }],
  ["visitor,unix_s,url", { kind: "csv", delimiter: "," }],
  ['"a,b,c";d', { kind: "csv", delimiter: ";" }],
  ["a\tb\tc", { kind: "csv", delimiter: "\t" }],
  ["a|b", { kind: "csv", delimiter: "|" }],
  ["idlink_va\tidvisit\tidvisitor\tserver_time", { kind: "tabs" }],
  ['"idlink_va"\t"idvisit"\t"idvisitor"\t"server_time"', { kind: "csv", delimiter: "\t" }],
  ["idlink_va,idvisit,idvisitor,server_time", { kind: "csv", delimiter: "," }],
  [
    Object.assign(
      Array.from({ length: 131 }, () => ""),
      {
        ...{ 3: "2025-03-01 09:00:00.000", 6: "c6ef3124-b53a-4b13-a233-0088f79dcbcb", 52: '{"schema":"x"}' },
      },
    ).join("\t"),
    { kind: "tabs" },
  ],
])("[IMP-19] %j is of a kind that is read", (line, format) => {
  expect(detectLine(line)).toEqual({ ok: true, format });
});

test.each([
  ['[{"a":1},', /one JSON array; .*jq -c '\.\[\]'/],
  ["[", /one JSON array/],
  ["{", /JSON over several lines; .*jq -c \./],
  ['{"a":', /broken JSON/],
  ["<?xml version='1.0'?>", /XML or HTML/],
  ["<!DOCTYPE html>", /XML or HTML/],
  ["-- MySQL dump 10.13", /SQL dump/],
  ["INSERT INTO visits VALUES (1);", /SQL dump/],
  ["https 2026-11-21T10:00:00.1Z app/lb/5 1.2.3.4:2817 10.0.0.1:80 0 0 0 200", /load balancer/],
  [`${"7".repeat(64)} bucket [06/Feb/2026:00:00:38 +0000] 1.2.3.4 - X REST.GET`, /Amazon S3/],
  ["2026/11/21 10:00:00 [error] 12#12: *1 open() failed", /error log of nginx; import the access log/],
  ["[Sat Nov 21 10:00:00.123456 2026] [core:error] [pid 1]", /error log of Apache; import the access log/],
  ['Nov 21 10:00:00 web-1 nginx: 1.2.3.4 - - [21/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "x"', /syslog/],
  ["10.0.1.2:33317 [06/Feb/2026:12:14:14.655] http-in static/srv1 10/0/30/69/109 200", /HAProxy|columns|CSV/],
  ["1795255205.250    120 1.2.3.4 TCP_MISS/200 512 GET http://a.example/ - DIRECT/1.1.1.1 text/html", /Squid/],
  ["2026-11-21 10:00:05 GET / 200", /IIS log without its head/],
  [
    "2026/11/21 10:00:05.250\tINFO\thttp.log.access\thandled request\t{}",
    /Caddy's log for the console; let it log JSON/,
  ],
  ['{"log":"1.2.3.4 - -","stream":"stdout","time":"2026-11-21T10:00:05Z"}', /Docker's log .*jq -rj \.log/],
  ["a\0b\0", /zero bytes/],
])("[IMP-19] %j is refused by name", (line, why) => {
  const detected = detectLine(line);
  expect(detected.ok ? JSON.stringify(detected.format) : detected.why).toMatch(why);
});

test.each([
  ["an Excel workbook", "PK\u0003\u0004", /Excel workbook or a zip archive; save the sheet as CSV/],
  ["a bzip2 file", "BZh9", /bzip2 file; unpack it first/],
  ["a Parquet file whose footer is encrypted", "PARE", /Parquet file with an encrypted footer; write it again/],
  ["an SQLite database", "SQLite format 3", /SQLite/],
])("[IMP-19] %s is refused by its first bytes", (_, head, why) => {
  expect(refuseBytes(Buffer.from(head, "latin1"))).toMatch(why);
});

test("[IMP-19] text and gzip are not refused by their first bytes", () => {
  for (const head of ["visitor", "#Fields", "\u001f\u008b\b\0", ""])
    expect(refuseBytes(Buffer.from(head, "latin1"))).toBeUndefined();
});
