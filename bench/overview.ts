// `npm run bench:query -- --overview`: how many questions of the demo shop's overview one core answers. Five questions
// are asked in turn on 16 connections, for --seconds each (8 unless said), over ranges that end now, of closed Days,
// and of Days of which some are open. What counts is the runtime's processor time for a question, everything in it:
// HTTP, the query Worker, partitions and D1. Other people's work changes it less than the clock's.

import { firstOpenDay } from "../core/counting/closed.ts";
import type { Metered } from "../core/meter.ts";
import { dateOf } from "../core/time.ts";
import { type Demo, startDemoShop } from "./demo-shop.ts";
import { cpuMs, descendants, print, rounded } from "./measure.ts";

const CONNECTIONS = 16;

const NUMBERS = ["visitors", "visits", "pageviews", "bounce_rate", "visit_duration"];
const TOP = { metrics: ["visitors", "pageviews"], pagination: { limit: 10 } };
/** What the overview asks first: its tiles, its chart, and the first tab of three panels. */
const OVERVIEW = [
  { metrics: NUMBERS },
  { metrics: ["visitors", "pageviews"], dimensions: ["time"] },
  { ...TOP, dimensions: ["visit:source"] },
  { ...TOP, dimensions: ["event:page"] },
  { ...TOP, dimensions: ["visit:country"] },
];

/** What some seconds of questions came to. */
interface Measured {
  readonly asked: number;
  readonly seconds: number;
  readonly cpu: number;
  readonly statements: number;
  readonly roundTrips: number;
  readonly ms: readonly number[];
}

export async function measureOverview(seconds: number): Promise<void> {
  const { demo, stop } = await startDemoShop();
  try {
    const lastClosed = firstOpenDay(Date.now()) - 1;
    const ranges: Readonly<Record<string, unknown>> = {
      day: "day",
      "7d": "7d",
      "seven closed Days": [dateOf(lastClosed - 6), dateOf(lastClosed)],
    };
    const rows = [];
    for (const [name, range] of Object.entries(ranges)) {
      await ask(demo, range, 2); // code that is not compiled yet, and what isolates remember
      const { asked, cpu, statements, roundTrips, ms, seconds: taken } = await ask(demo, range, seconds);
      const sorted = ms.toSorted((a, b) => a - b);
      rows.push({
        range: name,
        questions: asked,
        "a second of a core": Math.round((1_000 * asked) / cpu),
        "CPU ms each": rounded(cpu / asked, 3),
        "a second here": Math.round(asked / taken),
        "p50 ms": rounded(sorted[Math.floor(sorted.length * 0.5)] as number),
        "p95 ms": rounded(sorted[Math.floor(sorted.length * 0.95)] as number),
        "statements each": rounded(statements / asked, 3),
        "round trips each": rounded(roundTrips / asked, 3),
      });
    }
    print("overview", rows, { connections: CONNECTIONS, seconds });
  } finally {
    await stop();
  }
}

async function ask(demo: Demo, range: unknown, seconds: number): Promise<Measured> {
  const headers = { authorization: `Bearer ${demo.api_key}`, "content-type": "application/json" };
  const bodies = OVERVIEW.map((question) =>
    JSON.stringify({ site_id: demo.tracking_id, date_range: range, ...question }),
  );
  const before = await meterOf(demo);
  const workers = descendants("workerd");
  const cpuBefore = cpuMs(workers);
  const startedAt = performance.now();
  const until = startedAt + 1_000 * seconds;
  const ms: number[] = [];
  let next = 0;
  const connection = async () => {
    while (performance.now() < until) {
      const askedAt = performance.now();
      const body = bodies[next++ % bodies.length] as string;
      const response = await fetch(`${demo.query}/api/v2/query`, { method: "POST", headers, body });
      const text = await response.text();
      if (!response.ok) throw new Error(`${response.status} ${text}`);
      ms.push(performance.now() - askedAt);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  const cpu = cpuMs(workers) - cpuBefore;
  const taken = (performance.now() - startedAt) / 1_000;
  const after = await meterOf(demo);
  return {
    asked: ms.length,
    seconds: taken,
    cpu,
    statements: after.ledger_statements - before.ledger_statements,
    roundTrips: after.ledger_round_trips - before.ledger_round_trips,
    ms,
  };
}

async function meterOf({ query, admin_token }: Demo): Promise<Metered> {
  const response = await fetch(`${query}/api/v1/meter`, { headers: { authorization: `Bearer ${admin_token}` } });
  return (await response.json()) as Metered;
}
