// The cron's look at the deployment, on real databases, telling a real HTTP server.

import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { causeOf } from "../../../core/outcome.ts";
import { nameOf } from "../../../storage/directory/backup.ts";
import { listAlerts, readStanding } from "../../../storage/directory/standing.ts";
import { writeStatus } from "../../../storage/ledger/partition-status.ts";
import { receiversOf } from "../../../workers/background/tell.ts";
import { watch } from "../../../workers/background/watch.ts";
import { type Databases, dyingStorage, makeDatabases } from "../../support/databases.ts";
import { memoryArchive } from "../../support/memory-bucket.ts";

const AT = Date.parse("2026-11-29T12:00:00Z");
const MINUTE = 60_000;
const SECRET = `whsec_${Buffer.from("a secret of the receiver, 24+").toString("base64")}`;
const PACE = { sealAfterMs: 48 * 60 * MINUTE, lateCoalesceMs: 0, sealGraceMs: 0 };

interface Taken {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const servers: { close: () => void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Somebody who is told, and answers as it is told to. */
async function startReceiver(): Promise<{ url: string; taken: Taken[]; answers: { status: number } }> {
  const taken: Taken[] = [];
  const answers = { status: 200 };
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      taken.push({ path: request.url ?? "", headers: request.headers, body });
      response.writeHead(answers.status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push(server);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, taken, answers };
}

const STATUS = {
  partition: "pool-0",
  toldAt: AT,
  publishDue: null,
  events: 10,
  archivedEvents: 10,
  unarchivedSince: null,
  unconfirmedBundles: 0,
  heldBytes: 0,
  merchants: 1,
  failing: "",
};

function cron(databases: Databases, url = "") {
  const lines: object[] = [];
  const env = url === "" ? {} : { ALERT_WEBHOOK_URL: `${url}/hook`, ALERT_WEBHOOK_SECRET: SECRET };
  const pager = url === "" ? {} : { PAGERDUTY_URL: `${url}/pager`, PAGERDUTY_KEY: "routing" };
  const run = (now: number) =>
    watch({
      directory: databases.directory,
      ledgers: databases.ledgers,
      objects: memoryArchive() as unknown as R2Bucket,
      bucket: memoryArchive(new Map([[`backup/directory/${nameOf(AT - MINUTE)}.json`, new Uint8Array(1)]])),
      pace: PACE,
      now: () => now,
      log: (line) => void lines.push(line),
      fetch: (address, init) => fetch(address, init),
      deployment: "footfall",
      receivers: receiversOf({ ...env, ...pager }),
      heartbeatUrl: url === "" ? "" : `${url}/beat`,
    });
  return { run, lines };
}

describe("[WCH-1] the cron adds up what partitions and ledgers know", () => {
  test("over two ledgers, of which none wakes a partition", async () => {
    const databases = makeDatabases(2);
    const [first, second] = databases.ledgers.all;
    await writeStatus(first as D1Database, { ...STATUS, events: 7, archivedEvents: 5, unarchivedSince: AT - MINUTE });
    await writeStatus(second as D1Database, {
      ...STATUS,
      partition: "pool-1",
      publishDue: AT - 2 * MINUTE,
      failing: "drain",
    });
    await cron(databases).run(AT);
    expect(await readStanding(databases.directory)).toMatchObject({
      at: AT,
      partitions: 2,
      events: 17,
      archivedEvents: 15,
      unarchivedSince: AT - MINUTE,
      publishDueSince: AT - 2 * MINUTE,
      failingPartitions: 1,
      silentLedgers: 0,
    });
  });

  test("what a partition told later stays", async () => {
    const databases = makeDatabases();
    const [ledger] = databases.ledgers.all;
    await writeStatus(ledger as D1Database, { ...STATUS, toldAt: AT, events: 12 });
    await writeStatus(ledger as D1Database, { ...STATUS, toldAt: AT - 1, events: 11 });
    await cron(databases).run(AT);
    expect(await readStanding(databases.directory)).toMatchObject({ partitions: 1, events: 12 });
  });

  test("a Day that is closed and not sealed, one in doubt, and one with late events", async () => {
    const databases = makeDatabases();
    const day = Math.floor(AT / 86_400_000) - 4;
    databases.database.exec(`INSERT INTO archive_days (day, "partition", generation, folder, rows, merchants, bytes, duplicates,
        differences, shown, late_marks, due_at, attempts, error, late_since) VALUES
      (${day}, 'pool-0', 0, '', 0, 0, 0, 0, 0, '[]', 0, 1, 0, '', NULL),
      (${day}, 'pool-1', 0, '', 0, 0, 0, 0, 0, '[]', 0, 1, 3, 'broken', NULL),
      (${day - 1}, 'pool-0', 1, 'f', 0, 0, 0, 0, 0, '[]', 1, 1, 0, '', ${AT - 7 * 60 * MINUTE})`);
    await cron(databases).run(AT);
    expect(await readStanding(databases.directory)).toMatchObject({
      daysInDoubt: 1,
      unsealedSince: day * 86_400_000 + PACE.sealAfterMs,
      lateSince: AT - 7 * 60 * MINUTE,
    });
    expect((await listAlerts(databases.directory)).map(({ name }) => name)).toEqual([
      "days_unsealed",
      "late_days_waiting",
      "seal_in_doubt",
    ]);
  });

  test("a ledger that does not answer is said, and keeps nothing else from being added up", async () => {
    const databases = makeDatabases(2);
    const [first, second] = databases.ledgers.all;
    await writeStatus(first as D1Database, STATUS);
    await (second as D1Database).prepare("DROP TABLE partition_status").run();
    const { run, lines } = cron(databases);
    await run(AT);
    expect(await readStanding(databases.directory)).toMatchObject({ partitions: 1, silentLedgers: 1 });
    expect(lines).toEqual([
      expect.objectContaining({ event: "ledger_failed", ledger: 1 }),
      expect.objectContaining({ alert: "ledger_silent", severity: "page" }),
    ]);
  });
});

describe("[WCH-5] receivers", () => {
  test("get an alert once, signed, and its end; and the heartbeat with every cron", async () => {
    const databases = makeDatabases();
    const [ledger] = databases.ledgers.all;
    const { url, taken } = await startReceiver();
    const { run } = cron(databases, url);
    await writeStatus(ledger as D1Database, { ...STATUS, failing: "drain" });
    await run(AT);
    await run(AT + 5 * MINUTE);
    await writeStatus(ledger as D1Database, { ...STATUS, toldAt: AT + 6 * MINUTE });
    await run(AT + 10 * MINUTE);
    await run(AT + 15 * MINUTE);
    const at = (path: string) => taken.filter((one) => one.path === path);
    expect(at("/beat")).toHaveLength(4);

    const [raised, ended] = at("/hook").map(({ body }) => JSON.parse(body) as { type: string; data: object });
    expect(at("/hook")).toHaveLength(2);
    expect(raised).toMatchObject({
      type: "alert.raised",
      data: {
        deployment: "footfall",
        name: "partition_failing",
        severity: "ticket",
        since: "2026-11-29T12:00:00.000Z",
        until: null,
      },
    });
    expect(ended).toMatchObject({ type: "alert.ended", data: { until: "2026-11-29T12:10:00.000Z" } });
    for (const { headers, body } of at("/hook")) {
      const key = Buffer.from(SECRET.slice(6), "base64");
      const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
      const signature = createHmac("sha256", key).update(signed).digest("base64");
      expect(headers["webhook-signature"]).toBe(`v1,${signature}`);
    }

    const pages = at("/pager").map(({ body }) => JSON.parse(body) as { event_action: string; dedup_key: string });
    expect(pages.map(({ event_action }) => event_action)).toEqual(["trigger", "resolve"]);
    expect(new Set(pages.map(({ dedup_key }) => dedup_key)).size).toBe(1);
    expect(pages[0]).toMatchObject({ routing_key: "routing", payload: { severity: "warning", source: "footfall" } });
  });

  test("that do not take it are told by the next cron, under the same id; the cron has failed, and the API shows it", async () => {
    const databases = makeDatabases();
    const [ledger] = databases.ledgers.all;
    const { url, taken, answers } = await startReceiver();
    const { run, lines } = cron(databases, url);
    await writeStatus(ledger as D1Database, { ...STATUS, failing: "drain" });
    answers.status = 500;
    await expect(run(AT)).rejects.toThrow("alerts could not be told: partition_failing");
    expect(await listAlerts(databases.directory)).toMatchObject([{ name: "partition_failing", toldAt: null }]);
    expect(lines).toContainEqual(expect.objectContaining({ event: "tell_failed", receiver: "webhook" }));
    answers.status = 204;
    await run(AT + 5 * MINUTE);
    expect(await listAlerts(databases.directory)).toMatchObject([{ toldAt: AT + 5 * MINUTE, since: AT }]);
    const ids = taken.filter(({ path }) => path === "/hook").map(({ headers }) => headers["webhook-id"]);
    expect(new Set(ids).size).toBe(1);
    expect(ids).toHaveLength(2);
  });

  test.each([false, true])(
    "learn of an alert under one id wherever the cron dies (after the call took effect: %s)",
    async (isAfter) => {
      const tellings = new Set<number>();
      for (let fatal = 0, died = true; died; fatal++) {
        const databases = makeDatabases();
        const [ledger] = databases.ledgers.all;
        const { url, taken } = await startReceiver();
        await writeStatus(ledger as D1Database, { ...STATUS, failing: "drain" });
        const dying = dyingStorage(databases, { fatal, isAfter });
        const end = await cron({ ...databases, ...dying }, url)
          .run(AT)
          .then(() => "ran", causeOf);
        died = dying.calls() > fatal;
        expect(end, `death at call ${fatal}`).toMatch(died ? /killed|Failed query/ : /^ran$/);
        await cron(databases, url).run(AT + 5 * MINUTE);
        await cron(databases, url).run(AT + 10 * MINUTE);
        const ids = taken.filter(({ path }) => path === "/hook").map(({ headers }) => headers["webhook-id"]);
        expect(new Set(ids).size, `death at call ${fatal}`).toBe(1);
        tellings.add(ids.length);
        expect(await listAlerts(databases.directory)).toMatchObject([{ name: "partition_failing" }]);
      }
      // Twice only where it died between the telling and the note of it.
      expect([...tellings].sort()).toEqual(isAfter ? [1] : [1, 2]);
    },
  );

  test("of a webhook need a secret that signs", () => {
    expect(() => receiversOf({ ALERT_WEBHOOK_URL: "https://x.example" })).toThrow("ALERT_WEBHOOK_SECRET is not");
    expect(receiversOf({})).toEqual([]);
  });
});
