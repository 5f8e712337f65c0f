// The list of what is logged: what a line may hold, what is taken out of it, and that docs/log.md is the list.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { encodeLogEntry, LOG_EVENTS, LOG_FIELDS, type LogEntry, withoutSecrets } from "../../core/log.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = join(ROOT, "docs/log.md");

test("[LOG-1] a line has its event, its level and its fields, in one order, and nothing else", () => {
  const line = { error: "Error: no", attempt: 1, partition: "pool-0", event: "append_failed", token: "x" } as const;
  expect(encodeLogEntry(line)).toBe(
    '{"event":"append_failed","level":"warning","partition":"pool-0","attempt":1,"error":"Error: no"}',
  );
});

test("[LOG-1] whatever the type missed is not written as it is", () => {
  const line = { event: "tell_failed", receiver: "who@shop.example", name: 7, error: undefined } as unknown as LogEntry;
  expect(encodeLogEntry(line)).toBe('{"event":"tell_failed","level":"error","receiver":"(not a name)","name":"7"}');
  const numbers = { event: "months_moved", ledger: "secret", files: 2 } as unknown as LogEntry;
  expect(encodeLogEntry(numbers)).toBe('{"event":"months_moved","level":"info","files":2}');
});

test("[LOG-1] nothing but the one function writes to the console", () => {
  const writers = ["core", "storage", "durable-objects", "queues", "workers"]
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true }).map((path) => join(folder, String(path))))
    .filter((path) => /\.tsx?$/.test(path))
    .filter((path) => /\bconsole(\.\w|\[)|process\.std(out|err)/.test(readFileSync(join(ROOT, path), "utf8")));
  expect(writers).toEqual(["storage/log.ts"]);
});

test("[LOG-2] no field is one for a secret, an address or a visitor, and every field is used", () => {
  const used = new Set(Object.values(LOG_EVENTS).flatMap(({ fields }) => fields));
  expect([...used].sort()).toEqual(Object.keys(LOG_FIELDS).sort());
  const forbidden = /secret|token|password|address|^ip$|mail|visitor|cookie|agent|url|header|body|target|hostname|id$/;
  expect(Object.keys(LOG_FIELDS).filter((field) => forbidden.test(field))).toEqual([]);
});

test.each([
  ["Error: anna+x@shop.example is no member", "Error: (address) is no member"],
  ["no route to 203.0.113.8:443", "no route to (address):443"],
  ["no route to [2001:db8::8a2e:370:7334]", "no route to [(address)]"],
  ["from 2001:db8:0:1:2:3:4:5 and ::1", "from (address) and (address)"],
  ["https://hooks.slack.com/services/T0/B0/x?key=1 answered 404", "https://hooks.slack.com/… answered 404"],
  ["postgres://me:pass@db.example/x", "postgres://db.example/…"],
  ["key ffk_R_5300000000000000000000000000000000000000000", "key (secret)"],
  ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "(secret)"],
  ["00000001-0001-8c41-90a8-9a0634e82fb1 sent", "(hidden) sent"],
  ["visitor 9f86d081884c7d65", "visitor (hidden)"],
  ["UNIQUE constraint failed: eyJhbGciOiJSUzI1NiIsImtpZCI6", "UNIQUE constraint failed: (hidden)"],
  ["/api/v1/shares/ffs_0123456789abcdefABCDEF0123456789abcdefABCDE/x", "/api/v1/shares/(secret)/x"],
])("[LOG-2] %s", (text, left) => {
  expect(withoutSecrets(text)).toBe(left);
});

test.each([
  "Error: D1_ERROR: database is locked: SQLITE_BUSY",
  "TypeError: Cannot read properties of undefined (reading 'readSettingsOfMerchants')",
  "assertion failed: merchant-1234567-12 has 20,000 events at 2026-03-10T12:38:04.011Z",
  "12:38:04: /api/v2/query took 30000 ms",
  "footfall-archive-dead-letter is full",
])("[LOG-2] what says what is wrong stays: %s", (text) => {
  expect(withoutSecrets(text)).toBe(text);
});

test("[LOG-3] docs/log.md has each event with its level, its fields and what it means", () => {
  const rows = Object.entries(LOG_EVENTS).map(
    ([name, { level, fields, means }]) =>
      `| \`${name}\` | ${level} | ${fields.map((field) => `\`${field}\``).join(" ")} | ${means} |`,
  );
  const table = ["| event | level | fields | means |", "|---|---|---|---|", ...rows, ""].join("\n");
  const page = readFileSync(PAGE, "utf8");
  const head = page.split("| event |")[0] as string;
  if (process.env["UPDATE"] === "1") writeFileSync(PAGE, head + table);
  expect(readFileSync(PAGE, "utf8")).toBe(head + table);
});
