// The demo as a person runs it, against the Workers: every answer has something to show, and the numbers are the
// shop's own.

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeLocalStart } from "../../scripts/local-state.ts";
import { type Client, startServices } from "../support/services.ts";

const ROOT = join(import.meta.dirname, "../..");

let services: { client: Client; stop: () => Promise<void> };
let folder: string;

beforeAll(async () => {
  services = await startServices({ LATE_COALESCE_MS: "1000" });
  folder = await mkdtemp(join(tmpdir(), "footfall-demo-"));
  const { client } = services;
  const { id: merchant, tracking_id, api_key } = await client.createMerchant();
  const urls = { collector: client.collectorUrl, query: client.queryUrl, admin_token: client.adminToken };
  const sign_in = { email: "owner@demo.example", password: "nobody signs in here" };
  await writeLocalStart(folder, { ...urls, merchant, tracking_id, api_key, sign_in });
});
afterAll(async () => {
  await services?.stop();
  await rm(folder, { recursive: true });
});

const SECTIONS = [
  ...["In total", "Sales", "By day", "Top pages", "Top sources", "Campaigns", "Products", "Goals"],
  ...["From the basket to the order", "Visitors who came again, by week", "First pages", "Countries"],
  "Kept and not counted",
];

test("[DMO-2] the demo has something to show for every answer, and its numbers are the shop's", {
  timeout: 240_000,
}, async () => {
  const env = { PATH: process.env["PATH"] ?? "", STATE_DIR: folder };
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, "scripts/demo.ts")], { env });
  const sections = new Map(stdout.split("\n\n").map((text) => [text.split("\n")[0], text.split("\n").slice(3)]));
  for (const title of SECTIONS) expect([title, sections.get(title)?.length ?? 0]).not.toEqual([title, 0]);
  expect(stdout).not.toContain("(nothing");
  for (const reason of ["bot", "referrer", "hostname", "prefetch"])
    expect(sections.get("Kept and not counted")?.join("\n")).toContain(reason);
  expect(stdout).toMatch(/\d+ of them came when their Day was closed and counted/);
  expect(stdout).toContain("The shop's own books say the same");
});
