// A merchant whose zone was wrong, put right for the past, on the real runtime and by the command line: by Day
// and by Hour the numbers are those that the runtime's own formatting of each event's time gives, from rollups,
// from events and in an export.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CHROME } from "../support/events.ts";
import { Client, type Merchant, startServices, until, untilArchived } from "../support/services.ts";

const run = promisify(execFile);
const SCRIPT = join(import.meta.dirname, "../../scripts/footfall.ts");
const RANGE = { from: "2026-10-03", to: "2026-10-07" };
const [WRONG, RIGHT] = ["Europe/Vienna", "Australia/Adelaide"];
/** Three Days in UTC, an event every 23 minutes; Adelaide changes its clocks in the first night. */
const EVENTS = Array.from({ length: 190 }, (_, index) => ({
  id: `event ${index}`,
  url: `https://shop.example/${index % 5}`,
  visitor_id: `visitor ${index % 11}`,
  user_agent: CHROME,
  props: { plan: index % 2 === 0 ? "pro" : "free" },
  timestamp: Date.UTC(2026, 9, 3, 14) + index * 23 * 60_000,
}));

interface Job {
  readonly id: string;
  readonly state: string;
  readonly time_zone: string | null;
  readonly differences: number;
  readonly in_doubt: number;
}

let services: Awaited<ReturnType<typeof startServices>>;
let own: Client;
let merchant: Merchant;
let key: string;

beforeAll(async () => {
  services = await startServices({ RULES_NOTICE_MS: "100", LATE_COALESCE_MS: "1000" });
  const { client } = services;
  merchant = await client.createMerchant(WRONG);
  const made = await client.admin("POST", `/api/v1/merchants/${merchant.id}/keys`, { name: "runs it", scope: "admin" });
  key = (made as { api_key: string }).api_key;
  own = new Client(client, key);
  const { status, body } = await client.send({ tracking_id: merchant.tracking_id, events: EVENTS });
  expect([status, body.rejected]).toEqual([202, []]);
  await untilArchived(client);
  await until(
    async () => {
      const days = await client.admin("GET", `/api/v1/archive/days?from=${RANGE.from}&to=${RANGE.to}`);
      return (days as { days: readonly { readonly state: string }[] }).days.map(({ state }) => state);
    },
    (states) => states.length >= 3 && states.every((state) => state === "sealed"),
    60_000,
  );
}, 90_000);
afterAll(async () => await services?.stop());

test("[ZON-1] [ZON-2] a zone put on the past gives every Day and Hour its own events; an undo gives the old numbers", async () => {
  const [wrong, right] = [expected(WRONG), expected(RIGHT)];
  expect(wrong).not.toEqual(right);
  expect(await found()).toEqual(wrong);

  const range = ["--from", RANGE.from, "--to", RANGE.to, "--merchant", merchant.id];
  const preview = await footfall("replay", "verify", ...range, "--zone", RIGHT);
  expect(preview).toMatchObject({ state: "done", time_zone: RIGHT, in_doubt: 0 });
  expect(preview.differences).toBeGreaterThan(0);
  expect(await found()).toEqual(wrong);

  const rebuilt = await footfall("replay", "rebuild", ...range, "--zone", RIGHT);
  expect(rebuilt).toMatchObject({ state: "done", time_zone: RIGHT, in_doubt: 0 });
  expect(await found()).toEqual(right);
  expect(await footfall("replay", "verify", ...range)).toMatchObject({ differences: 0, in_doubt: 0 });
  const days = { kind: "verify", from: "2026-10-01", to: "2026-10-10" };
  expect(await ended(((await services.client.admin("POST", "/api/v1/replays", days)) as Job).id)).toMatchObject({
    differences: 0,
    in_doubt: 0,
  });
  expect(await own.admin("GET", `/api/v1/merchants/${merchant.id}`)).toMatchObject({
    time_zone: WRONG,
    past_time_zones: [{ time_zone: RIGHT }],
  });

  const erasure = own.admin("POST", `/api/v1/merchants/${merchant.id}/erasures`, RANGE);
  await expect(erasure).rejects.toThrow(/409.*have got the zone Australia\/Adelaide.*"field":"from"/);

  expect(await footfall("replay", "undo", rebuilt.id)).toMatchObject({ state: "undone" });
  expect(await found()).toEqual(wrong);
  expect(await footfall("replay", "verify", ...range)).toMatchObject({ differences: 0, in_doubt: 0 });
}, 120_000);

test("[ZON-6] a zone is one merchant's, for closed Days, without rules, and a name that is known", async () => {
  const asked = { kind: "rebuild", ...RANGE, time_zone: RIGHT };
  const today = new Date().toISOString().slice(0, 10);
  for (const [client, body, message] of [
    [own, { ...asked, time_zone: "Mars/Olympus" }, '400.*"field":"time_zone"'],
    [own, { ...asked, time_zone: WRONG }, '400.*already.*"field":"time_zone"'],
    [own, { ...asked, from: "0099-12-31", to: "0100-01-02" }, '400.*no events before 2000-01-01.*"field":"from"'],
    [own, { ...asked, kind: "backfill" }, '400.*"field":"time_zone"'],
    [own, { ...asked, rules: "current" }, '400.*"field":"time_zone"'],
    [own, { ...asked, to: today }, '409.*ask for Days until .*"field":"to"'],
    [services.client, asked, '400.*name it in .*"field":"merchants"'],
  ] as const)
    await expect(client.admin("POST", "/api/v1/replays", body)).rejects.toThrow(new RegExp(message));
});

/** What somebody who reads the events with a calendar in hand would say. */
function expected(timeZone: string) {
  const local = (timestamp: number) =>
    new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" }).format(timestamp);
  const count = (labels: readonly string[]) => {
    const counts = new Map<string, number>();
    for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
    return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  };
  const times = EVENTS.map(({ timestamp }) => local(timestamp));
  const visitors = EVENTS.map(({ visitor_id, timestamp }) => `${local(timestamp).slice(0, 10)} ${visitor_id}`);
  const pro = EVENTS.filter(({ props }) => props.plan === "pro").map(({ timestamp }) => local(timestamp).slice(0, 10));
  return {
    days: count(times.map((time) => time.slice(0, 10))),
    hours: count(times.map((time) => `${time.slice(0, 13)}:00:00`)),
    visitors: count([...new Set(visitors)].map((text) => text.slice(0, 10))),
    pro: count(pro),
    exported: EVENTS.map(({ id, timestamp }) => `${local(timestamp).slice(0, 10)} ${id}`).sort(),
  };
}

/** What Footfall says: from rollups, from events, and in an export of the same Days. */
async function found() {
  const ask = async (question: object) => {
    const { results } = await services.client.ask(merchant, { date_range: [RANGE.from, RANGE.to], ...question });
    return results.map(({ dimensions, metrics }) => [dimensions[0], metrics[0]]);
  };
  const filters = [["is", "event:props:plan", ["pro"]]];
  const text = await exportedText();
  return {
    days: await ask({ metrics: ["pageviews"], dimensions: ["time:day"] }),
    hours: await ask({ metrics: ["pageviews"], dimensions: ["time:hour"] }),
    visitors: await ask({ metrics: ["visitors"], dimensions: ["time:day"] }),
    pro: await ask({ metrics: ["pageviews"], dimensions: ["time:day"], filters }),
    exported: text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { date: string; event_id: string })
      .map(({ date, event_id }) => `${date} ${event_id}`)
      .sort(),
  };
}

async function exportedText(): Promise<string> {
  const url = `${services.client.queryUrl}/api/v1/merchants/${merchant.id}/events?from=${RANGE.from}&to=${RANGE.to}`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${key}` } });
  expect(response.status).toBe(200);
  return response.text();
}

async function footfall(...args: readonly string[]): Promise<Job> {
  const options = ["--query-url", services.client.queryUrl, "--admin-token", own.adminToken, "--json"];
  const { stdout } = await run(process.execPath, [SCRIPT, ...options, ...args]);
  return JSON.parse(stdout) as Job;
}

function ended(id: string): Promise<Job> {
  return until(
    async () => (await services.client.admin("GET", `/api/v1/replays/${id}`)) as Job,
    ({ state }) => state !== "running" && state !== "undoing",
  );
}
