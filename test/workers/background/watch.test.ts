// The cron's look at the deployment, on real databases, telling a real HTTP server.

import { createHmac } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { causeOf } from "../../../core/outcome.ts";
import type { Alert } from "../../../core/watch/alert.ts";
import { nameOf } from "../../../storage/directory/backup.ts";
import { listAlerts, readStanding } from "../../../storage/directory/standing.ts";
import { writeStatus } from "../../../storage/ledger/partition-status.ts";
import { mailerOf } from "../../../workers/background/mailer.ts";
import { receiversOf, type TellDeps, tellAlert } from "../../../workers/background/tell.ts";
import { watch } from "../../../workers/background/watch.ts";
import { type Databases, dyingStorage, makeDatabases } from "../../support/databases.ts";
import { memoryArchive } from "../../support/memory-bucket.ts";
import { type Receiver, startReceiver as start } from "../../support/receiver.ts";

const AT = Date.parse("2026-11-29T12:00:00Z");
const MINUTE = 60_000;
const SECRET = `whsec_${Buffer.from("a secret of the receiver, 24+").toString("base64")}`;
const PACE = { sealAfterMs: 48 * 60 * MINUTE, lateCoalesceMs: 0, sealGraceMs: 0 };

const servers: { close: () => void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Somebody who is told, and answers as it is told to. */
async function startReceiver(): Promise<Receiver> {
  const receiver = await start();
  servers.push(receiver);
  return receiver;
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
  slowedAt: null,
  hotAt: null,
};

/** What sends mail, through a provider's API there. */
function mailerAt(url: string) {
  const env = { MAIL_FROM: "footfall@shop.example", MAIL_KEY: "mail key", MAIL_URL: `${url}/mail` };
  return mailerOf(env, { fetch, now: () => AT });
}

function cron(databases: Databases, url = "") {
  const lines: object[] = [];
  const env = url === "" ? {} : { ALERT_WEBHOOK_URL: `${url}/hook`, ALERT_WEBHOOK_SECRET: SECRET };
  const pager = url === "" ? {} : { PAGERDUTY_URL: `${url}/pager`, PAGERDUTY_KEY: "routing" };
  const mail = url === "" ? {} : { ALERT_MAIL_TO: "anna@shop.example, boris@shop.example" };
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
      receivers: receiversOf({ ...env, ...pager, ...mail }, mailerAt(url)),
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
      slowedAt: AT - 3 * MINUTE,
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
      slowedAt: AT - 3 * MINUTE,
      hotAt: null,
      silentLedgers: 0,
    });
  });

  test("when a partition slowed somebody stays known after it has started anew", async () => {
    const databases = makeDatabases();
    const [ledger] = databases.ledgers.all;
    await writeStatus(ledger as D1Database, { ...STATUS, toldAt: AT - 2, slowedAt: AT - 9, hotAt: AT - 8 });
    await writeStatus(ledger as D1Database, { ...STATUS, toldAt: AT - 1, hotAt: AT - 7 });
    await writeStatus(ledger as D1Database, { ...STATUS, toldAt: AT });
    const { run, lines } = cron(databases);
    await run(AT);
    expect(await readStanding(databases.directory)).toMatchObject({ slowedAt: AT - 9, hotAt: AT - 7 });
    expect(lines).toMatchObject([
      { event: "alert_raised", name: "merchant_slowed", severity: "ticket" },
      { event: "alert_raised", name: "merchant_too_hot", severity: "ticket" },
    ]);
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
      expect.objectContaining({ event: "alert_raised", name: "ledger_silent", severity: "page" }),
    ]);
  });
});

async function raisedIn(databases: Databases): Promise<readonly Alert[]> {
  await cron(databases).run(AT);
  return listAlerts(databases.directory);
}

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

  test("get mail that says what it is, under a key by which a second copy is known", async () => {
    const databases = makeDatabases();
    const [ledger] = databases.ledgers.all;
    const { url, taken, answers } = await startReceiver();
    const { run } = cron(databases, url);
    await writeStatus(ledger as D1Database, { ...STATUS, failing: "drain" });
    answers.status = 503;
    await expect(run(AT)).rejects.toThrow("alerts could not be told");
    answers.status = 200;
    await run(AT + 5 * MINUTE);
    await run(AT + 400 * MINUTE); // told again after six hours
    await writeStatus(ledger as D1Database, { ...STATUS, toldAt: AT + 401 * MINUTE });
    await run(AT + 405 * MINUTE);
    const mails = taken.filter(({ path, body }) => path === "/mail" && body.includes("partition_failing"));
    const to = (address: string) => mails.filter(({ body }) => JSON.parse(body).to[0] === address);
    for (const address of ["anna@shop.example", "boris@shop.example"])
      expect(to(address).map(({ headers }) => headers["idempotency-key"])).toEqual([
        `footfall:partition_failing:${AT}:raised:${address}`,
        `footfall:partition_failing:${AT}:raised:${address}`,
        `footfall:partition_failing:${AT}:${AT + 5 * MINUTE}:${address}`,
        `footfall:partition_failing:${AT}:ended:${address}`,
      ]);
    const annas = to("anna@shop.example");
    expect(annas[0]?.headers.authorization).toBe("Bearer mail key");
    expect(JSON.parse(annas[0]?.body ?? "")).toMatchObject({
      from: "footfall@shop.example",
      to: ["anna@shop.example"],
      subject: "[footfall] ticket: partition_failing",
      text: expect.stringMatching(
        /could not do a duty\.\nSince 2026-11-29T12:00:00\.000Z\.\n\n.*runbook\.md#partition_failing\n$/,
      ),
    });
    expect(JSON.parse(annas[3]?.body ?? "")).toMatchObject({ subject: "[footfall] ended: partition_failing" });
    expect(() => receiversOf({ ALERT_MAIL_TO: "anna@shop.example" }, undefined)).toThrow("MAIL_FROM");
  });

  test("a mail that the provider says it has under another text is told", async () => {
    const databases = makeDatabases();
    const [ledger] = databases.ledgers.all;
    const { url, answers } = await startReceiver();
    await writeStatus(ledger as D1Database, { ...STATUS, failing: "drain" });
    answers.status = 409;
    const [mail] = receiversOf({ ALERT_MAIL_TO: "anna@shop.example" }, mailerAt(url));
    const [alert] = await raisedIn(databases);
    if (mail === undefined || alert === undefined) throw new Error("there is a receiver, and an alert");
    const deps = { now: () => AT, log: () => undefined, fetch, deployment: "footfall", receivers: [mail] };
    expect(await tellAlert(alert, deps as TellDeps)).toBe(true);
    const hook = receiversOf({ ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: SECRET }, undefined);
    expect(await tellAlert(alert, { ...deps, receivers: hook } as TellDeps)).toBe(false);
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
    expect(() => receiversOf({ ALERT_WEBHOOK_URL: "https://x.example" }, undefined)).toThrow(
      "ALERT_WEBHOOK_SECRET is not",
    );
    expect(receiversOf({}, undefined)).toEqual([]);
  });
});

test("[WCH-7] once an hour the cron adds up what sealed Days take in R2", async () => {
  const databases = makeDatabases();
  const { run } = cron(databases);
  const seal = (day: number, bytes: number) =>
    databases.database
      .prepare(
        `INSERT INTO archive_days (day, "partition", generation, folder, rows, merchants, bytes, duplicates, differences,
         shown, late_marks, attempts, error) VALUES (?, 'pool-0', 1, 'f', 1, 1, ?, 0, 0, '[]', 0, 0, '')`,
      )
      .run(day, bytes);
  const told = async () => (await readStanding(databases.directory))?.archiveBytes;
  seal(20_000, 5_000);
  seal(20_001, 700);
  await run(AT);
  expect(await told()).toBe(5_700);
  seal(20_002, 30);
  await run(AT + 55 * MINUTE);
  expect(await told()).toBe(5_700);
  await run(AT + 60 * MINUTE);
  expect(await told()).toBe(5_730);
});
