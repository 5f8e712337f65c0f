// A rule that was wrong, put right for the past, on the real runtime and by the command line: a bot pattern
// that matched a real browser and an address that should have counted. Preview, rebuild and undo, asked for
// with a merchant's own key.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NO_RULES, type Rules } from "../../core/rules.ts";
import { findScope, writeTimeline } from "../../storage/directory/rules.ts";
import { CHROME, GOOGLEBOT, IPHONE } from "../support/events.ts";
import { Client, databasesOf, type Merchant, startServices, until, untilArchived } from "../support/services.ts";

const run = promisify(execFile);
const SCRIPT = join(import.meta.dirname, "../../scripts/footfall.ts");
const RANGE = { from: "2026-10-05", to: "2026-10-07" };
const OFFICE = "203.0.113.8";
/** Drops Chrome, which is no bot, and the visitors of an address that is one's own no more. */
const WRONG: Rules = {
  ...NO_RULES,
  bots: { drop: ["*Chrome/140*", "*AcmeMonitor*"], admit: [] },
  addresses: [{ name: "office", networks: ["203.0.113.0/24"] }],
};
const RIGHT = { bots: { drop: ["*AcmeMonitor*"] }, goals: [{ name: "bought", event: "purchase" }] };

interface Job {
  readonly id: string;
  readonly state: string;
  readonly rules: string;
  readonly differences: number;
  readonly in_doubt: number;
  readonly replaced: number;
  readonly totals: readonly {
    readonly merchant: string;
    readonly numbers: readonly { readonly what: string; readonly before: number; readonly after: number }[];
  }[];
}

let services: Awaited<ReturnType<typeof startServices>>;
let own: Client;
/** Counted by the wrong rules, and by the right ones from the start. */
let late: Merchant;
let always: Merchant;
let wrong: readonly unknown[];
const folder = mkdtempSync(join(tmpdir(), "footfall-rules-"));

beforeAll(async () => {
  services = await startServices({ RULES_NOTICE_MS: "100", LATE_COALESCE_MS: "1000" });
  const { client } = services;
  [late, always] = [await client.createMerchant("Europe/Vienna"), await client.createMerchant("Europe/Vienna")];
  await holdFromTheStart(late, WRONG);
  await holdFromTheStart(always, { ...NO_RULES, ...RIGHT, bots: { drop: RIGHT.bots.drop, admit: [] } });
  const key = (await client.admin("POST", `/api/v1/merchants/${late.id}/keys`, {
    name: "runs it",
    scope: "admin",
  })) as {
    api_key: string;
  };
  own = new Client(client, key.api_key);
  for (const merchant of [late, always]) await sendTraffic(merchant);
  await untilArchived(client);
  await untilSealed();
  wrong = await numbers(late);
}, 90_000);
afterAll(async () => {
  await services?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("[RPL-14] a merchant's own key sees before and after of a draft, on the command line", async () => {
  const file = join(folder, "draft.json");
  writeFileSync(file, JSON.stringify(RIGHT));
  const { stdout } = await footfall("replay", "verify", "--from", RANGE.from, "--to", RANGE.to, "--rules", file);
  const table = stdout.split("\n").map((line) => line.split(/\s{2,}|\s*[|│]\s*/).filter((cell) => cell !== ""));
  const row = (what: string) => table.find((cells) => cells[0] === late.id && cells[1] === what)?.slice(2);
  const [[before], [after]] = [await totals(late), await totals(always)];
  expect(row("pageviews")).toEqual([before, after, `+${Number(after) - Number(before)}`].map(String));
  expect(row("dropped address")?.[1]).toBe("0");
  expect(await numbers(late)).toEqual(wrong);
});

test("[RPL-15] a wrong rule, put right and rebuilt, shows what the right one would have; undo shows the numbers before", async () => {
  const right = await numbers(always);
  expect(wrong).not.toEqual(right);
  await own.admin("PUT", `/api/v1/merchants/${late.id}/rules`, { rules: RIGHT });
  await untilNobodyWrites();
  expect(await replay({ kind: "verify", ...RANGE })).toMatchObject({ differences: 0, rules: "dated", totals: [] });
  const preview = await replay({ kind: "verify", ...RANGE, rules: "current" });
  expect(preview.totals.map(({ merchant }) => merchant)).toEqual([late.id]);
  const rebuilt = await replay({ kind: "rebuild", ...RANGE, rules: "current" });
  expect(rebuilt).toMatchObject({ state: "done", in_doubt: 0, replaced: preview.differences });
  expect(await numbers(late)).toEqual(right);
  expect(await replay({ kind: "verify", ...RANGE })).toMatchObject({ differences: 0, in_doubt: 0 });

  const { stdout } = await footfall("--json", "replay", "undo", rebuilt.id);
  expect((JSON.parse(stdout) as Job).state).toBe("undone");
  // Goals are those decided last, whatever rules the Days have.
  expect((await numbers(late)).slice(0, -1)).toEqual(wrong.slice(0, -1));
  expect((await numbers(late)).at(-1)).toHaveLength(1);
  await untilNobodyWrites();
  expect(await replay({ kind: "verify", ...RANGE })).toMatchObject({ differences: 0, in_doubt: 0 });
});

test("[RUL-15] [RPL-21] a goal answers for the past at once; the backfill starts by itself, and then rollups answer", async () => {
  await own.admin("PUT", `/api/v1/merchants/${late.id}/rules`, { rules: { ...WRONG, goals: RIGHT.goals } });
  const goals = () =>
    services.client.ask(late, {
      metrics: ["events"],
      date_range: [RANGE.from, RANGE.to],
      dimensions: ["event:goal"],
    });
  const first = await goals();
  expect(first.results.map(({ dimensions }) => dimensions)).toEqual([["bought"]]);
  const { replays } = (await own.admin("GET", "/api/v1/replays")) as { replays: readonly Job[] };
  const own_accord = replays.find(({ rules }) => rules === "goals_due") as Job;
  expect(await ended(own_accord.id)).toMatchObject({ kind: "backfill", state: "done", differences: 0 });
  const sources = async () => (await goals()).meta["sources"] as { readonly from: string };
  await until(sources, ({ from }) => from === "rollups", 90_000);
  expect((await goals()).results).toEqual(first.results);
  expect(await replay({ kind: "verify", ...RANGE })).toMatchObject({ differences: 0 });
}, 120_000);

test("[RPL-20] a backfill with the current rules counts goals and nothing else; it has no undo", async () => {
  const before = await numbers(late);
  await own.admin("PUT", `/api/v1/merchants/${late.id}/rules`, {
    rules: { ...RIGHT, goals: [{ name: "paid", event: "purchase" }] },
  });
  const filled = await replay({ kind: "backfill", ...RANGE, rules: "current" });
  expect(filled).toMatchObject({ state: "done", rules: "goals", differences: 0 });
  expect((await numbers(late)).slice(0, -1)).toEqual(before.slice(0, -1));
  expect(await replay({ kind: "verify", ...RANGE })).toMatchObject({ differences: 0 });
  await expect(own.admin("POST", `/api/v1/replays/${filled.id}/undo`)).rejects.toThrow(/409.*nothing to undo/);
  const wrong = { kind: "backfill", ...RANGE, rules: "current", dimensions: ["channel"] };
  await expect(own.admin("POST", "/api/v1/replays", wrong)).rejects.toThrow(/400.*"field":"dimensions"/);
});

test("[RPL-15] rules are for closed Days, drafts for a verify, dimensions for a backfill: each refusal names its field", async () => {
  const today = new Date().toISOString().slice(0, 10);
  for (const [body, message] of [
    [{ kind: "rebuild", ...RANGE, to: today, rules: "current" }, '409.*the last is .*"field":"to"'],
    [{ kind: "rebuild", ...RANGE, rules: {} }, '400.*"field":"rules"'],
    [{ kind: "verify", ...RANGE, rules: "newest" }, '400.*"field":"rules"'],
    [{ kind: "verify", ...RANGE, rules: { goals: [{ title: "x" }] } }, '400.*"field":"rules"'],
    [{ kind: "verify", ...RANGE, dimensions: ["goal"] }, '400.*"field":"dimensions"'],
    [{ kind: "backfill", ...RANGE, dimensions: ["shoe size"] }, '400.*"field":"dimensions"'],
  ] as const)
    await expect(own.admin("POST", "/api/v1/replays", body)).rejects.toThrow(new RegExp(message));
});

function footfall(...args: readonly string[]): Promise<{ stdout: string }> {
  const options = ["--query-url", services.client.queryUrl, "--admin-token", own.adminToken];
  return run(process.execPath, [SCRIPT, ...options, ...args]);
}

/** Until the backfill of goals that started by itself has ended. */
async function untilNobodyWrites(): Promise<void> {
  const jobs = async () => ((await own.admin("GET", "/api/v1/replays")) as { replays: readonly Job[] }).replays;
  await until(jobs, (all) => all.every(({ state }) => state !== "running"));
}

async function replay(body: object): Promise<Job> {
  return ended(((await own.admin("POST", "/api/v1/replays", body)) as Job).id);
}

function ended(id: string): Promise<Job> {
  return until(
    async () => (await own.admin("GET", `/api/v1/replays/${id}`)) as Job,
    ({ state }) => state !== "running" && state !== "undoing",
  );
}

/** As if a merchant had decided on its rules before its first event. */
async function holdFromTheStart(merchant: Merchant, rules: Rules): Promise<void> {
  const databases = await databasesOf(services.runtime);
  const scope = await findScope(databases.directory, Number.parseInt(merchant.tracking_id.slice(0, 8), 16));
  if (scope === undefined) throw new Error("no such merchant");
  const timeline = [{ version: 1, rules, from: 0 }];
  expect(await writeTimeline(databases, { merchant: scope, timeline })).not.toBe("stale");
}

/** Three closed Days: browsers, a crawler and a monitor, some from the office. */
async function sendTraffic({ tracking_id }: Merchant): Promise<void> {
  for (const address of ["198.51.100.7", OFFICE]) {
    const events = Array.from({ length: 300 }, (_, index) => ({
      id: `${address} ${index}`,
      name: index % 9 === 0 ? "purchase" : "pageview",
      url: `https://shop.example/${index % 7}`,
      visitor_id: `${address} visitor ${index % 23}`,
      user_agent: [CHROME, IPHONE, CHROME, GOOGLEBOT, "AcmeMonitor/1.0"][index % 5],
      timestamp: Date.UTC(2026, 9, 5, 1) + index * 700_000,
    }));
    const { status, body } = await services.client.send({ tracking_id, events }, { "x-footfall-address": address });
    expect([status, body.rejected]).toEqual([202, []]);
  }
}

/** Until every Day is sealed and nothing late waits: late events of long closed Days go through the seal. */
async function untilSealed(): Promise<void> {
  const { client } = services;
  await until(
    async () => {
      const { days } = (await client.admin("GET", `/api/v1/archive/days?from=${RANGE.from}&to=${RANGE.to}`)) as {
        days: readonly { readonly state: string }[];
      };
      return days.map(({ state }) => state);
    },
    (states) => states.length >= 3 && states.every((state) => state === "sealed"),
    60_000,
  );
}

async function totals(merchant: Merchant): Promise<readonly unknown[]> {
  const question = { metrics: ["pageviews", "events"], date_range: [RANGE.from, RANGE.to] };
  return (await services.client.ask(merchant, question)).results[0]?.metrics ?? [];
}

/** All that a reader may ask: totals, by Day and Hour, and by every kind of dimension. */
async function numbers(merchant: Merchant): Promise<readonly unknown[]> {
  const question = { date_range: [RANGE.from, RANGE.to] };
  const ofEvents = { ...question, metrics: ["visitors", "pageviews", "events", "total_revenue"] };
  const ofVisits = { ...question, metrics: ["visitors", "visits", "bounce_rate", "visit_duration"] };
  const asked = [
    ...[[], ["time:day"], ["time:hour"], ["visit:browser"], ["visit:entry_page"]].map((dimensions) => {
      return { ...ofVisits, dimensions };
    }),
    ...[[], ["time:hour"], ["event:page"], ["event:goal"]].map((dimensions) => ({ ...ofEvents, dimensions })),
  ];
  return (await Promise.all(asked.map((one) => services.client.ask(merchant, one)))).map(({ results }) => results);
}
