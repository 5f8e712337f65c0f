// Exchange rates on the real runtime: the command line imports the central bank's files, the cron fetches one, D1 keeps
// them, and a merchant decides its own.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseDate } from "../../core/time.ts";
import { unpacked } from "../../scripts/footfall/rate-source.ts";
import { type Merchant, startServices } from "../support/services.ts";

const ROOT = join(import.meta.dirname, "../..");
const TODAY = "20 November 2026";
const HISTORY = [
  "Date,USD,JPY,CYP,",
  "2026-11-19,1.0518,163.07,N/A,",
  "2026-11-18,1.0578,163.98,N/A,",
  "1999-01-04,1.1789,133.73,0.58231,",
  "",
].join("\n");

let services: Awaited<ReturnType<typeof startServices>>;
let bank: Server;
let folder: string;
let shop: Merchant;
/** What the bank answers, and how often it was asked. */
let file = "busy";
let asked = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "footfall-rates-"));
  bank = createServer((_, response) => {
    asked += 1;
    response.writeHead(file === "busy" ? 503 : 200, { "content-encoding": "gzip" });
    response.end(gzipSync(file));
  }).listen(0, "127.0.0.1");
  await new Promise((settle) => bank.once("listening", settle));
  const url = `http://127.0.0.1:${(bank.address() as AddressInfo).port}/eurofxref.csv`;
  services = await startServices({ RATES_URL: url });
  shop = await services.client.createMerchant();
});
afterAll(async () => {
  await services?.stop();
  bank?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `footfall rates …`. */
async function footfall(...args: readonly string[]): Promise<{ stdout: string; stderr: string; code: unknown }> {
  const { queryUrl, adminToken } = services.client;
  const connection = ["--query-url", queryUrl, "--admin-token", adminToken];
  return await new Promise((settle) => {
    const all = ["scripts/footfall.ts", ...connection, "rates", ...args];
    execFile(process.execPath, all, { cwd: ROOT }, (error, stdout, stderr) =>
      settle({ stdout, stderr, code: error?.code ?? 0 }),
    );
  });
}

const written = (name: string, bytes: string | Buffer) => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const imported = async (...args: readonly string[]) =>
  JSON.parse((await footfall("import", ...args, "--json")).stdout || "{}");
const listed = async () =>
  (await services.client.admin("GET", "/api/v1/rates")) as {
    rates: readonly { date: string; per_euro: Record<string, string> }[];
    fetched_at: string | null;
  };

/** A zip archive of one file, as the European Central Bank offers it. */
function zipped(name: string, text: string): Buffer {
  const data = deflateRawSync(text);
  const sizes = Buffer.alloc(12);
  sizes.writeUInt32LE(crc32(text), 0);
  sizes.writeUInt32LE(data.length, 4);
  sizes.writeUInt32LE(Buffer.byteLength(text), 8);
  const common = Buffer.concat([
    Buffer.from([20, 0, 0, 0, 8, 0, 0, 0, 0, 0]),
    sizes,
    Buffer.from([name.length, 0, 0, 0]),
  ]);
  const local = Buffer.concat([Buffer.from("PK\u0003\u0004", "latin1"), common, Buffer.from(name), data]);
  const entry = Buffer.concat([
    Buffer.from("PK\u0001\u0002\u0014\u0000", "latin1"),
    common,
    Buffer.alloc(14),
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006", "latin1");
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, entry, end]);
}

test("[RAT-5] the command line imports the historical file, as CSV and packed, and says what is new", async () => {
  expect(await imported(written("hist.csv", HISTORY), "--from", "2026-01-01")).toEqual({
    days: 2,
    added: 2,
    changed: 0,
    unchanged: 0,
  });
  const zip = written("hist.zip", zipped("eurofxref-hist.csv", HISTORY.replace("163.98", "164")));
  expect(await imported(zip)).toEqual({ days: 3, added: 1, changed: 1, unchanged: 1 });
  expect((await listed()).rates).toEqual([
    { date: "2026-11-19", per_euro: { USD: "1.0518", JPY: "163.07" } },
    { date: "2026-11-18", per_euro: { USD: "1.0578", JPY: "164" } },
    { date: "1999-01-04", per_euro: { USD: "1.1789", JPY: "133.73", CYP: "0.58231" } },
  ]);
  const { stdout } = await footfall("list", "--days", "2");
  expect(stdout).toBe(
    "2026-11-19  USD 1.0518  JPY 163.07\n2026-11-18  USD 1.0578  JPY 164\n\nthe cron has never fetched any\n",
  );
});

test("[RAT-5] a long history comes in whole", { timeout: 60_000 }, async () => {
  const first = parseDate("2001-01-01") as number;
  const codes = ["USD", "JPY", "GBP", "CHF", "SEK", "NOK", "DKK", "CZK", "HUF", "PLN", "RON", "TRY", "AUD", "BRL"];
  const lines = Array.from({ length: 2_500 }, (_, at) => {
    return [
      new Date((first + at) * 86_400_000).toISOString().slice(0, 10),
      ...codes.map((_, one) => `${one + 1}.${at}`),
    ];
  });
  const text = [["Date", ...codes], ...lines].map((cells) => `${cells.join(",")},`).join("\n");
  expect(await imported(written("long.csv", text))).toEqual({ days: 2_500, added: 2_500, changed: 0, unchanged: 0 });
  expect(await imported(written("long.csv", text))).toEqual({ days: 2_500, added: 0, changed: 0, unchanged: 2_500 });
});

test.each([
  ["a file that is not there", () => join(folder, "none.csv"), /none\.csv cannot be read: /],
  ["another file", () => written("bad.csv", "a,b\n1,2"), /is no file of rates\. The file must begin with "Date"/],
  [
    "half an archive",
    () => written("half.zip", zipped("x.csv", HISTORY).subarray(0, 60)),
    /zip archive that cannot be read \(its end is missing\)/,
  ],
  [
    "an address that answers 503",
    () => `http://127.0.0.1:${(bank.address() as AddressInfo).port}/`,
    /cannot be read: it answers 503/,
  ],
])("[RAT-5] %s is refused in a sentence", async (_, source, message) => {
  const { stderr, code } = await footfall("import", source());
  expect(stderr).toMatch(message);
  expect(code).toBe(1);
});

test("[RAT-5] an archive that is none, or of several files, is no file", () => {
  expect(unpacked(Buffer.from("Date"), "x").toString()).toBe("Date");
  const several = zipped("x.csv", HISTORY);
  several.writeUInt16LE(2, several.length - 12);
  expect(() => unpacked(several, "x.zip")).toThrow(/more than one file/);
});

test("[RAT-6] the cron fetches what a bank offers, once, and again after a failure", async () => {
  const before = asked;
  await services.runtime.fireCrons();
  expect([asked - before, (await listed()).fetched_at]).toEqual([1, null]);
  file = `Date, USD, JPY, \n${TODAY}, 1.0562, 164.18, \n`;
  await services.runtime.fireCrons();
  await services.runtime.fireCrons();
  const { rates, fetched_at } = await listed();
  expect([asked - before, fetched_at === null]).toEqual([2, false]);
  expect(rates[0]).toEqual({ date: "2026-11-20", per_euro: { USD: "1.0562", JPY: "164.18" } });
});

test("[RAT-7] the command line decides a merchant's own rates, and takes them back", async () => {
  const of = ["--merchant", shop.id];
  const preview = await footfall("set", "AED", "USD", "0.2723", "--from", "2026-01-01", ...of, "--preview");
  expect([preview.stderr, preview.code]).toEqual(["", 0]);
  expect((await footfall("list", ...of, "--json")).stdout).toBe("[]\n");
  await footfall("set", "AED", "USD", "0.2723", "--from", "2026-01-01", ...of);
  const own = { currency: "AED", in: "USD", rate: "0.2723", from: "2026-01-01" };
  expect(JSON.parse((await footfall("list", ...of, "--json")).stdout)).toEqual([own]);
  const removed = await footfall("remove", "AED", "USD", "--from", "2026-01-01", ...of, "--json");
  expect(JSON.parse(removed.stdout)).toMatchObject({ changed: 1, before: [own] });
  expect((await footfall("list", ...of, "--json")).stdout).toBe("[]\n");
});

test("[MER-8] the command line changes a merchant's currency after events were counted", async () => {
  await services.client.send({ tracking_id: shop.tracking_id, name: "purchase", revenue: { amount: 5 } });
  const { queryUrl, adminToken } = services.client;
  const args = ["merchant", "update", shop.id, "--currency", "USD", "--json", "--query-url", queryUrl];
  const stdout = await new Promise<string>((settle) => {
    const all = ["scripts/footfall.ts", ...args, "--admin-token", adminToken];
    execFile(process.execPath, all, { cwd: ROOT }, (_, text) => settle(text));
  });
  expect(JSON.parse(stdout)).toMatchObject({
    currency: "USD",
    currencies: [
      { currency: "EUR", from: null },
      { currency: "USD", from: expect.any(String) },
    ],
  });
});
