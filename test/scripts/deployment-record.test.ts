// How `--deployment` finds a deployment that was made from here.

import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, expect, test } from "vitest";
import { addConnectionOptions, connect } from "../../scripts/footfall/connection.ts";
import { readRecord, writeRecord } from "../../scripts/footfall/deployment-record.ts";
import { Problem } from "../../scripts/problem.ts";

const folder = mkdtempSync(join(tmpdir(), "footfall-record-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a record says where a deployment answers, and the admin token while the file of secrets is there", () => {
  const secrets = join(folder, "secrets.json");
  const addresses = { collector: "https://t.shop.example", query: "https://numbers.shop.example" };
  writeRecord(folder, "trial", { ...addresses, secrets });
  expect(statSync(join(folder, "trial.json")).mode & 0o777).toBe(0o600);
  expect(readRecord("trial", folder)).toEqual({ ...addresses, adminToken: undefined });
  writeFileSync(secrets, JSON.stringify({ ADMIN_TOKEN: "one", TRACKING_SECRET: "two" }));
  expect(readRecord("trial", folder)).toEqual({ ...addresses, adminToken: "one" });
  writeFileSync(secrets, "{");
  expect(() => readRecord("trial", folder)).toThrow(Problem);
  expect(() => readRecord("another", folder)).toThrow(
    /no deployment "another" was made from here: run `deploy another`/,
  );
});

test("the admin token of a record goes to the addresses of that record only", async () => {
  const secrets = join(folder, "own-secrets.json");
  writeFileSync(secrets, JSON.stringify({ ADMIN_TOKEN: "one" }));
  writeRecord(folder, "own", { collector: "https://t.shop.example", query: "https://numbers.shop.example", secrets });
  const tokenFor = async (...options: readonly string[]) => {
    const command = addConnectionOptions(new Command());
    command.parse(["--deployment", "own", ...options], { from: "user" });
    return (await connect(command, folder)).adminToken;
  };
  expect(await tokenFor()).toBe("one");
  expect(await tokenFor("--query-url", "https://numbers.shop.example/")).toBe("one");
  for (const option of ["--query-url", "--collector-url"])
    expect(await tokenFor(option, "https://other.example")).not.toBe("one");
});
