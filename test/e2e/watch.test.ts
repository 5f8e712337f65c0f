// Watching a real runtime: partitions tell their ledger where they stand, the cron adds it up, and /metrics,
// /health?deep and the list of alerts say it; a receiver is told of what is wrong, and that it is over.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Runtime } from "../../scripts/runtime.ts";
import { type Client, databasesOf, SECRETS, startServices, until } from "../support/services.ts";

const taken: string[] = [];
const receiver = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => {
    body += chunk.toString();
  });
  request.on("end", () => {
    taken.push(`${request.url} ${body}`);
    response.end();
  });
});
let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };

beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  services = await startServices({
    DEVELOPMENT: "", // as in production: only what has told of itself is asked
    ALERT_WEBHOOK_URL: `${url}/hook`,
    ALERT_WEBHOOK_SECRET: `whsec_${Buffer.from("twenty-four bytes or more").toString("base64")}`,
    HEARTBEAT_URL: `${url}/beat`,
    METER_KEPT_EVERY_MS: "0",
  });
});
let metricsToken = "";
beforeAll(async () => {
  const operator = { name: "prometheus", scope: "metrics" };
  metricsToken = ((await services.client.admin("POST", "/api/v1/operators", operator)) as { token: string }).token;
});
afterAll(async () => {
  receiver.close();
  await services?.stop();
});

interface StatusDocument {
  readonly components: readonly { readonly name: string; readonly state: string | null }[];
}

interface Cost {
  readonly lines: readonly { readonly line: string; readonly count: number }[];
}

const get = (path: string, token = metricsToken) =>
  fetch(`${services.client.queryUrl}${path}`, { headers: { authorization: `Bearer ${token}` } });
const metric = (text: string, name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
const partitions = async () =>
  ((await services.client.admin("GET", "/api/v1/partitions")) as { partitions: { partition: string }[] }).partitions;
const crons = () => services.runtime.fireCrons().catch((error: unknown) => error);

test("[WCH-6] before the first cron there is nothing to scrape, and looking makes no partition", async () => {
  expect((await get("/metrics")).status).toBe(503);
  expect((await get("/health?deep")).status).toBe(503);
  expect((await get("/health", "")).status).toBe(200);
  expect(await partitions()).toEqual([]);
});

test("[WCH-6] a partition tells where it stands when it has published; metrics add it up, the same for every scrape", async () => {
  const { client } = services;
  const merchant = await client.createMerchant();
  const events = Array.from({ length: 20 }, (_, index) => ({
    id: `event-${index}`,
    url: "https://shop.example/",
    timestamp: Date.now() - 2 * 3_600_000, // an Hour that is over is published
    visitor_id: `visitor ${index}`,
  }));
  expect((await client.send({ tracking_id: merchant.tracking_id, events })).body.accepted).toBe(20);
  expect(await until(partitions, (rows) => rows.length > 0)).toHaveLength(1);
  const scrape = async () => {
    await crons();
    return (await get("/metrics")).text();
  };
  const text = await until(scrape, (scraped) => metric(scraped, "footfall_events_archived_total") === 20);
  expect(metric(text, "footfall_events_total")).toBe(20);
  expect(metric(text, "footfall_partitions")).toBe(1);
  expect(metric(text, "footfall_directory_bytes")).toBeGreaterThan(0);
  const without = (scrape: string) => scrape.replace(/^footfall_metrics_age_seconds \S+$/m, "");
  expect(without(await (await get("/metrics", SECRETS.ADMIN_TOKEN)).text())).toBe(without(text));
  expect(await (await get("/health?deep")).json()).toEqual({
    ok: true,
    checks: { directory: "ok", ledgers: ["ok", "ok"], archive: "ok", cron: "ok" },
  });
});

test("[WCH-7] what it cost is counted by all Workers, and told by line", async () => {
  const lines = async () => {
    await services.client.admin("GET", "/api/v1/meter"); // a request of the query Worker, which adds up what it did
    await crons();
    const { lines } = (await services.client.admin("GET", "/api/v1/cost")) as Cost;
    return Object.fromEntries(lines.map(({ line, count }) => [line, count]));
  };
  const counted = await until(lines, (all) => (all["partition_rows_written"] ?? 0) > 0 && (all["r2_class_a"] ?? 0) > 0);
  for (const line of ["worker_requests", "partition_requests", "queue_operations", "d1_rows_written", "d1_rows_read"])
    expect([line, (counted[line] ?? 0) > 0]).toEqual([line, true]);
  expect(await (await get("/metrics")).text()).toMatch(
    /^footfall_cost_usd\{line="worker_requests",basis="counted"\} [\d.e-]+$/m,
  );
});

test("[WCH-6] nobody else sees them: not without a token, not with a merchant's key", async () => {
  const { api_key } = await services.client.createMerchant();
  for (const path of ["/metrics", "/health?deep"]) {
    for (const token of ["", "wrong", api_key]) {
      const answer = await get(path, token);
      expect(answer.status).toBe(401);
      expect(await answer.text()).not.toContain("footfall_");
    }
  }
  expect((await get("/api/v1/alerts")).status).toBe(403); // of scope metrics
});

test("[WCH-9] an incident is told at /status and in answers, and its words are only words", async () => {
  const { client } = services;
  const merchant = await client.createMerchant();
  const question = { metrics: ["pageviews"], date_range: "day" };
  await crons();
  const opened = (await client.admin("POST", "/api/v1/incidents", {
    title: "Numbers <b>late</b>",
    text: "We look & tell more at 14:00.",
  })) as { id: string };
  const document = async () => (await fetch(`${client.queryUrl}/status.json`)).json() as Promise<StatusDocument>;
  expect(await document()).toMatchObject({
    components: [
      { name: "collection", state: "working" },
      { name: "numbers", state: "working" },
      { name: "history", state: "working" },
      { name: "api", state: "working" },
    ],
    incidents: [{ id: opened.id, state: "open", updates: [{ text: "We look & tell more at 14:00." }] }],
  });
  const page = await (await fetch(`${client.queryUrl}/status`)).text();
  expect(page).toContain("Numbers &#60;b&#62;late&#60;/b&#62;");
  expect(page).toContain("We look &#38; tell more");
  const feed = await fetch(`${client.queryUrl}/status.atom`);
  expect(feed.headers.get("content-type")).toBe("application/atom+xml; charset=utf-8");
  const text = await feed.text();
  expect(text).toContain("<title>Numbers &#60;b&#62;late&#60;/b&#62;</title>");
  expect(text).toContain('<content type="text">We look &#38; tell more at 14:00.</content>');
  expect(text.match(/<entry>/g)).toHaveLength(1);
  // No answer waits for the look; isolates look once a minute. This one has looked before.
  await client.admin("PATCH", `/api/v1/incidents/${opened.id}`, { text: "Over.", state: "closed" });
  expect(await document()).toMatchObject({ incidents: [{ state: "closed", updates: [{ text: "Over." }, {}] }] });
  expect((await client.ask(merchant, question)).meta["notice"]).toBeUndefined();
});

test("[WCH-8] the status stands when the directory does not", async () => {
  const { client, runtime } = services;
  const { directory } = await databasesOf(runtime);
  await directory.prepare("ALTER TABLE alerts RENAME TO lost").run();
  try {
    await crons();
    // What this isolate remembers of before goes with a change here.
    await client.admin("POST", "/api/v1/incidents", { title: "The directory", text: "It does not answer." });
    const answer = await fetch(`${client.queryUrl}/status.json`);
    expect(answer.headers.get("cache-control")).toBe("public, max-age=30");
    const { components } = (await answer.json()) as StatusDocument;
    expect(components.find(({ name }) => name === "api")?.state).toBe("disturbed");
  } finally {
    await directory.prepare("ALTER TABLE lost RENAME TO alerts").run();
  }
});

test("[WCH-5] a dead letter raises its alert: in the list, in metrics, at the receiver; and it ends when the letter has gone", async () => {
  const bucket = await services.runtime.miniflare.getR2Bucket("BUCKET", "footfall-background");
  const key = `dead-letter/footfall-archive/${"0".repeat(64)}`;
  await bucket.put(key, "poison");
  await crons();
  const listed = await services.client.admin("GET", "/api/v1/alerts");
  expect(listed).toMatchObject({ alerts: [{ name: "dead_letters", says: expect.stringContaining("1 messages") }] });
  expect(await (await get("/metrics")).text()).toContain('footfall_alert{name="dead_letters",severity="ticket"} 1');
  await bucket.delete(key);
  await crons();
  expect(await services.client.admin("GET", "/api/v1/alerts")).toMatchObject({ alerts: [] });
  const hooks = taken.filter((one) => one.startsWith("/hook") && one.includes("dead_letters"));
  expect(hooks.map((one) => JSON.parse(one.slice("/hook ".length)).type)).toEqual(["alert.raised", "alert.ended"]);
  expect(taken.some((one) => one.startsWith("/beat"))).toBe(true);
});
