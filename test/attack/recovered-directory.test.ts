// The directory is lost or restored, and recovered: what was taken away stays away, what was made since gets no number
// of before, and a backup tells nobody anything who has no secret of the deployment.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import {
  BACKUP_OBJECT_BYTES_MAX,
  BACKUPS_ALL_KEPT_MS,
  BACKUPS_DAILY_KEPT_MS,
  RULE_TIMELINE_LENGTH_MAX,
} from "../../core/limits.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import {
  BACKED_UP,
  type BackupDeps,
  backUp,
  backUpWhenDue,
  instantOf,
  keptOf,
  LEFT_OUT,
  listBackups,
  nameOf,
  readBackup,
} from "../../storage/directory/backup.ts";
import { logChanges } from "../../storage/directory/change-log.ts";
import { readEpochs } from "../../storage/directory/epoch.ts";
import { type Recovered, recoverDirectory } from "../../storage/directory/recovery.ts";
import { dyingStorage, makeDatabases } from "../support/databases.ts";
import { memoryArchive } from "../support/memory-bucket.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../support/query-worker.ts";

const NOW = Date.parse("2026-11-29T12:00:00Z");

/** Each look at the clock is a millisecond later: the first backup of a test has the name of NOW. */
function depsOf(worker: QueryWorker, directory: D1Database = worker.directory) {
  const bucket = memoryArchive(worker.objects);
  let now = NOW + worker.objects.size;
  const clock = () => (worker.objects.has(`backup/directory/${nameOf(NOW)}.json`) ? ++now : NOW);
  return { directory, bucket, claims: { bucket }, ledgers: 1, sealSecrets: ["secret"], now: clock };
}

async function world() {
  const worker = startQueryWorker();
  const ask = (method: string, path: string, body?: object, token = ADMIN_TOKEN) =>
    worker.ask(method, `/api/v1/merchants${path}`, { token, body });
  const make = async () => (await ask("POST", "", { name: "Shop", time_zone: "UTC", currency: "EUR" })).body;
  return { worker, ask, make };
}

/** Every row of the directory that is not its own account of itself. */
async function rowsOf(directory: D1Database) {
  const tables: Record<string, unknown> = {};
  for (const { name } of BACKED_UP) {
    if (["deployment", "audit", "settings_changes"].includes(name)) continue;
    const { results } = await directory.prepare(`SELECT * FROM "${name}" ORDER BY 1, 2`).all<{ version: number }>();
    tables[name] = name === "merchants" ? results.map(({ version, ...row }) => [version % 1_000_000, row]) : results;
  }
  return tables;
}

test("[RCV-1] every table of the directory is backed up, or left out on purpose", () => {
  const folder = join(import.meta.dirname, "../../storage/directory/migrations");
  const database = new DatabaseSync(":memory:");
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".sql")))
    database.exec(readFileSync(join(folder, file), "utf8"));
  const tables = database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all();
  const known = [...BACKED_UP.map(({ name }) => name), ...LEFT_OUT].sort();
  expect(tables.map(({ name }) => name).sort()).toEqual(known);
  for (const { name, key } of BACKED_UP) {
    const columns = database.prepare("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk").all(name);
    expect([name, columns.map((column) => column["name"])]).toEqual([name, key]);
  }
});

test("[RCV-2] a lost directory comes back row by row from a backup, whatever is in it, and takes up its numbers", async () => {
  const { worker, ask, make } = await world();
  const shop = await make();
  await ask("PATCH", `/${shop.id}`, {
    name: `it's "quoted", ünïcode — \u2028 and {"json":[1]}`,
    time_zone: "Asia/Tokyo",
  });
  await ask("PUT", `/${shop.id}/rules`, { rules: { hostnames: ["shop.example"] }, note: "null" });
  const many = Array.from({ length: 4_321 }, (_, at) => [at, `{"x":"${at}","y":null}`]);
  await worker.directory
    .prepare("INSERT INTO rates (day, per_euro) SELECT value ->> 0, value ->> 1 FROM json_each(?)")
    .bind(JSON.stringify(many))
    .run();
  const { parts } = await backUp(depsOf(worker));
  const before = await rowsOf(worker.directory);
  expect(parts.filter(({ table }) => table === "rates").map(({ rows }) => rows)).toEqual([4_321]);
  await make(); // is in no backup, and in no log
  for (const key of [...worker.objects.keys()]) if (key.startsWith("backup/changes/")) worker.objects.delete(key);
  const { directory: empty } = makeDatabases();
  const recovered = (await recoverDirectory({}, depsOf(worker, empty))) as Recovered;
  expect(recovered).toMatchObject({ backup: nameOf(NOW), at: NOW, revoked: 0, merchantsUnknown: 1 });
  expect(await rowsOf(empty)).toEqual(before);
  const { own, known } = await readEpochs(depsOf(worker, empty));
  expect(own).toBe(known);
  const [change] = (await empty.prepare("SELECT min(change) AS first FROM settings_changes").all<{ first: number }>())
    .results;
  expect(change?.first).toBeGreaterThan(1_000_000); // partitions take all of it for newer than what they know
  expect(await recoverDirectory({}, depsOf(worker, empty))).toBe("whole");
});

test("[RCV-11] what was made, changed and deleted after the backup comes back with it, while it is made as well", async () => {
  const { worker, ask, make } = await world();
  const shop = await make();
  await ask("POST", `/${shop.id}/streams`, { name: "Moved", hostname: "moved.example" });
  const rules = (hostnames: readonly string[]) => ask("PUT", `/${shop.id}/rules`, { rules: { hostnames }, note: "n" });
  const segment = (name: string) =>
    ask("POST", `/${shop.id}/segments`, { name, filters: [["is", "event:page", ["/"]]] });
  const gone = (await segment("goes")).body;
  const stays = (await segment("stays")).body;
  const deps = depsOf(worker);
  const { deps: slow, isRead } = whileReading(deps, "streams", async () => {
    await ask("PATCH", `/${shop.id}`, { name: "While it is made" }); // merchants were read before
    await segment("while it is made"); // and segments will be
  });
  await backUp(slow);
  expect(isRead()).toBe(true);
  const younger = await make();
  const key = (await ask("POST", `/${younger.id}/keys`, { name: "after", scope: "admin" })).body;
  await rules(["a.example"]);
  await rules(["b.example"]);
  await ask("DELETE", `/${shop.id}/segments/${gone.id}`);
  await ask("PATCH", `/${shop.id}/segments/${stays.id}`, { name: "goes" }); // the name of what is gone
  await ask("DELETE", `/${shop.id}/streams/2`);
  await ask("POST", `/${younger.id}/streams`, { name: "Moved", hostname: "moved.example" });
  const erased = await make();
  await ask("DELETE", `/${erased.id}`);
  const before = await rowsOf(worker.directory);
  expect(JSON.stringify(before)).toContain("b.example");
  const audit = async (directory: D1Database) =>
    (await directory.prepare("SELECT * FROM audit WHERE act <> 'directory.recover' ORDER BY id").all()).results;
  const acts = await audit(worker.directory);
  const { directory: empty } = makeDatabases();
  const recovered = (await recoverDirectory({}, depsOf(worker, empty))) as Recovered;
  expect(recovered).toMatchObject({ backup: nameOf(NOW), merchantsUnknown: 1 }); // the erased one
  expect(recovered.changes).toBeGreaterThan(20);
  expect(await rowsOf(empty)).toEqual(before);
  expect(await audit(empty)).toEqual(acts);
  const keys = await empty.prepare("SELECT id FROM api_keys WHERE name = 'after'").all();
  expect(keys.results).toEqual([{ id: key.id }]);
  // What follows is logged above what was, and comes back when it is lost again before the next backup.
  await empty.prepare("UPDATE merchants SET name = 'after that' WHERE number = 1").run();
  await logChanges(0, depsOf(worker, empty));
  const { directory: again } = makeDatabases();
  expect(await recoverDirectory({}, depsOf(worker, again))).toMatchObject({ changes: 1 });
  const { results } = await again.prepare("SELECT name FROM merchants WHERE number = 1").all();
  expect(results).toEqual([{ name: "after that" }]);
  // Who names a backup wants what was then.
  expect(await recoverDirectory({ name: nameOf(NOW) }, depsOf(worker, again))).toMatchObject({ changes: 0 });
});

/** Does something once, after a table was read and before the next one is. */
function whileReading<Deps extends BackupDeps>(deps: Deps, table: string, act: () => Promise<void>) {
  let done = false;
  const prepare = (text: string) => deps.directory.prepare(text);
  const directory = {
    ...deps.directory,
    prepare: (text: string) => {
      if (done || !text.startsWith(`SELECT * FROM "${table}"`)) return prepare(text);
      done = true;
      const bind = (...values: unknown[]) => {
        const bound = prepare(text).bind(...values);
        return { all: () => act().then(() => bound.all()) };
      };
      return { bind };
    },
  } as unknown as D1Database;
  return { deps: { ...deps, directory }, isRead: () => done };
}

test("[RCV-3] keys, members and share links that were taken away since the backup stay so; a merchant that was erased as well", async () => {
  const { worker, ask, make } = await world();
  const [shop, other, gone] = [await make(), await make(), await make()];
  const key = async (name: string) => (await ask("POST", `/${shop.id}/keys`, { name, scope: "admin" })).body;
  const [kept, revoked, rotated] = [await key("kept"), await key("revoked"), await key("rotated")];
  const share = (await ask("POST", `/${shop.id}/shares`, { name: "all" })).body;
  for (const [id, role] of [
    ["mem_1", "owner"],
    ["mem_2", "viewer"],
  ])
    await worker.directory
      .prepare("INSERT INTO members (id, merchant, email, role, created_at) VALUES (?, 1, ?, ?, 0)")
      .bind(id, `${id}@shop.example`, role)
      .run();
  const operators = (method: string, path: string, body?: object) =>
    worker.ask(method, `/api/v1/operators${path}`, { token: ADMIN_TOKEN, body });
  const operator = (await operators("POST", "", { name: "anna", scope: "owner" })).body;
  await operators("POST", "", { name: "boris", scope: "read" });
  await worker.directory.prepare("INSERT INTO sessions (hash, member, expires_at) VALUES ('x', 'mem_1', 9e15)").run();
  await backUp(depsOf(worker));
  await ask("DELETE", `/${shop.id}/keys/${revoked.id}`);
  await ask("POST", `/${shop.id}/keys/${rotated.id}/rotate`, {});
  await ask("DELETE", `/${shop.id}/shares/${share.id}`);
  await operators("DELETE", `/${operator.id}`);
  await ask("DELETE", `/${shop.id}/members/mem_2`);
  expect((await ask("DELETE", `/${shop.id}/members/mem_1`)).status).toBe(409); // the last owner stays
  // Nobody's note is about another's key.
  await ask("DELETE", `/${other.id}/keys/${kept.id}`);
  await ask("DELETE", `/${gone.id}`);
  const recovered = (await recoverDirectory({ name: nameOf(NOW) }, depsOf(worker))) as Recovered;
  expect(recovered.revoked).toBe(5);
  const ids = async (text: string) =>
    (await worker.directory.prepare(text).all<{ id: string }>()).results.map(({ id }) => id);
  expect(await ids("SELECT id FROM api_keys WHERE merchant = 1 AND scope = 'admin'")).toEqual([kept.id]);
  expect(await ids("SELECT id FROM members")).toEqual(["mem_1"]);
  expect(await ids("SELECT id FROM shares")).toEqual([]);
  expect(await ids("SELECT name AS id FROM operators")).toEqual(["boris"]);
  expect(await ids("SELECT hash AS id FROM sessions")).toEqual([]);
  expect(await ids("SELECT id FROM merchants WHERE number > 0")).toEqual([shop.id, other.id]);
  expect((await ask("GET", `/${shop.id}`, undefined, kept.api_key)).status).toBe(200);
});

test("[RCV-4] a directory that Time Travel has restored keeps its rows where they are newer than any backup", async () => {
  const { worker, make } = await world();
  await make();
  await backUp(depsOf(worker));
  await make();
  const { own } = await readEpochs(depsOf(worker));
  await make(); // and that is what the restore takes back
  await worker.directory.prepare("DELETE FROM merchants WHERE number = 3").run();
  await worker.directory.prepare("UPDATE sqlite_sequence SET seq = 2 WHERE name = 'merchants'").run();
  await worker.directory.prepare("UPDATE deployment SET epoch = ?").bind(own).run();
  expect(await recoverDirectory({}, depsOf(worker))).toMatchObject({ backup: null, at: null, merchantsUnknown: 1 });
  expect((await make()).tracking_id.slice(0, 8)).toBe("00000004");
});

test("[RCV-2] [RCV-3] whoever dies while it is recovered leaves a database that is refused, or a directory without what was revoked", async () => {
  const { worker, ask, make } = await world();
  const shop = await make();
  const key = (await ask("POST", `/${shop.id}/keys`, { name: "revoked", scope: "admin" })).body;
  await backUp(depsOf(worker));
  await ask("DELETE", `/${shop.id}/keys/${key.id}`);
  const before = await rowsOf(worker.directory);
  const kept = new Map(worker.objects);
  const recover = (directory: D1Database) => recoverDirectory({}, depsOf(worker, directory));
  const counting = dyingStorage(makeDatabases(), { fatal: Number.POSITIVE_INFINITY, isAfter: false });
  await recover(counting.directory);
  expect(counting.calls()).toBeGreaterThan(40);
  for (let fatal = 0; fatal < counting.calls(); fatal++)
    for (const isAfter of [false, true]) {
      worker.objects.clear();
      for (const [name, bytes] of kept) worker.objects.set(name, bytes);
      const made = makeDatabases();
      await recover(dyingStorage(made, { fatal, isAfter }).directory).catch(() => undefined);
      const isOne = (await made.directory.prepare("SELECT 1 FROM deployment").all()).results.length > 0;
      const keys = await made.directory.prepare("SELECT 1 FROM api_keys WHERE id = ?").bind(key.id).all();
      if (isOne) expect([fatal, keys.results]).toEqual([fatal, []]);
      await recover(made.directory);
      expect([fatal, await rowsOf(made.directory)]).toEqual([fatal, before]);
    }
});

test("[RCV-2] going back to a backup on purpose can be undone, and the newest backup is what it came to", async () => {
  const { worker, make } = await world();
  const count = async () =>
    (await worker.directory.prepare("SELECT count(*) AS n FROM merchants").first<{ n: number }>())?.n;
  await make();
  const deps = depsOf(worker);
  await backUp(deps);
  await make();
  await recoverDirectory({ name: nameOf(NOW) }, deps);
  expect(await count()).toBe(2); // one, and the row of the deployment's own rules
  const [after = "", before = "", first] = await listBackups(deps);
  expect(first).toBe(nameOf(NOW));
  await recoverDirectory({ name: before }, deps);
  expect(await count()).toBe(3);
  await recoverDirectory({ name: after }, deps);
  expect(await count()).toBe(2);
});

test("[RCV-5] a backup is sealed: without the secret, or with a byte changed, nothing is read and nothing is deleted", async () => {
  const { worker, make } = await world();
  const { id } = await make();
  await backUp(depsOf(worker));
  for (const [key, bytes] of worker.objects)
    if (key.startsWith("backup/")) expect(Buffer.from(bytes).includes(Buffer.from(id))).toBe(false);
  const asked = { name: nameOf(NOW) };
  const before = await rowsOf(worker.directory);
  await expect(recoverDirectory(asked, { ...depsOf(worker), sealSecrets: ["other"] })).rejects.toThrow(
    "sealed under another TRACKING_SECRET",
  );
  await expect(recoverDirectory(asked, { ...depsOf(worker), sealSecrets: ["new", "secret"] })).resolves.toBeTruthy();
  const [key, bytes] = [...worker.objects].find(([name]) => name.endsWith("-audit.bin")) as [string, Uint8Array];
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  worker.objects.set(key, bytes);
  await expect(recoverDirectory(asked, depsOf(worker))).rejects.toThrow("is what the backup's manifest says");
  expect(await rowsOf(worker.directory)).toEqual(before);
  expect(await recoverDirectory({ name: "2026-01-01T00-00-00-000Z" }, depsOf(worker))).toBe("unknown_backup");
  expect(await recoverDirectory({}, depsOf(startQueryWorker(), makeDatabases().directory))).toBe("no_backup");
});

test("[RCV-6] the cron backs up once an hour, not from a directory that is behind, and keeps a bounded number", async () => {
  const { worker, make } = await world();
  await make();
  let now = NOW;
  const lines: object[] = [];
  const deps: BackupDeps & { log: (line: object) => void } = {
    ...depsOf(worker),
    now: () => now,
    log: (line) => void lines.push(line),
  };
  for (let minutes = 0; minutes < 240; minutes += 5) {
    await backUpWhenDue(deps);
    now += 300_000;
  }
  expect((await listBackups(deps)).length).toBe(4);
  expect(lines).toHaveLength(4);
  worker.objects.set(`backup/directory/${nameOf(NOW + 1)}/000000-merchants.bin`, new Uint8Array()); // of one that died
  now = NOW + BACKUPS_ALL_KEPT_MS + 10 * HOUR_MS;
  await backUpWhenDue(deps);
  expect((await listBackups(deps)).map((name) => instantOf(name))).toEqual([now, NOW]);
  expect([...worker.objects.keys()].some((key) => key.includes(nameOf(NOW + 1)))).toBe(false);
  now += HOUR_MS;
  await worker.directory.prepare("UPDATE deployment SET epoch = 0").run();
  await backUpWhenDue(deps);
  expect((await listBackups(deps)).length).toBe(2);
  const hourly = Array.from({ length: 24 * 60 }, (_, hour) => nameOf(NOW - hour * HOUR_MS));
  const kept = [...keptOf(hourly, NOW)];
  expect(kept.length).toBeLessThanOrEqual(49 + 34);
  expect(instantOf(kept.at(-1) ?? "")).toBeGreaterThanOrEqual(NOW - BACKUPS_DAILY_KEPT_MS);
  const daily = kept.filter((name) => instantOf(name) < NOW - 3 * DAY_MS && instantOf(name) > NOW - 34 * DAY_MS);
  expect(daily.length).toBe(31);
  expect(daily.every((name) => /T0[0-9]-/.test(name))).toBe(true);
});

test("[RCV-6] a directory that is too large for one cron is backed up by several, whoever dies or runs beside them", async () => {
  const { worker, make } = await world();
  for (let shops = 0; shops < 3; shops += 1) await make();
  const many = Array.from({ length: 4_321 }, (_, at) => [at, `{"x":"${at}"}`]);
  await worker.directory
    .prepare("INSERT INTO rates (day, per_euro) SELECT value ->> 0, value ->> 1 FROM json_each(?)")
    .bind(JSON.stringify(many))
    .run();
  const before = await rowsOf(worker.directory);
  const tables = BACKED_UP.length;
  let now = NOW;
  const deps = { ...depsOf(worker), now: () => now, log: () => undefined };
  // Two pages a cron. The second cron dies after its objects, before its note; two of the fourth run at once.
  for (let cron = 1; (await listBackups(deps)).length === 0; cron += 1, now += 300_000) {
    expect(cron).toBeLessThan(tables + 3);
    if (cron === 2) {
      const dying = { ...deps.bucket, put: dyingAt(deps.bucket.put, /draft/) };
      await expect(backUpWhenDue({ ...deps, bucket: dying }, 2)).rejects.toThrow("killed");
    } else if (cron === 4) await Promise.all([backUpWhenDue(deps, 2), backUpWhenDue(deps, 2)]);
    else await backUpWhenDue(deps, 2);
  }
  expect(await listBackups(deps)).toEqual([nameOf(NOW)]);
  expect([...worker.objects.keys()].some((key) => key.includes("draft"))).toBe(false);
  const { directory: empty } = makeDatabases();
  expect(await recoverDirectory({}, depsOf(worker, empty))).toMatchObject({ backup: nameOf(NOW) });
  expect(await rowsOf(empty)).toEqual(before);

  // One that was begun and left lying is not gone on with.
  const recovered = { ...deps, directory: empty };
  now = NOW + 2 * HOUR_MS;
  await backUpWhenDue(recovered, 2);
  expect([...worker.objects.keys()].some((key) => key.includes("draft"))).toBe(true);
  now += 7 * HOUR_MS;
  await backUpWhenDue(recovered, 1_000);
  expect((await listBackups(deps))[0]).toBe(nameOf(now));
  // Pages share objects, since each object of a backup is billed.
  const { parts } = await readBackup(nameOf(now), deps);
  expect(parts.filter(({ table }) => table === "rates").map(({ rows }) => rows)).toEqual([many.length]);
});

test.each([["named"], ["newest"]])(
  "[RCV-19] names that go from row to row while a backup is read cost no row of it: the %s one",
  async (which) => {
    const { worker, make } = await world();
    await make();
    await make();
    const run = (sql: string, ...values: unknown[]) =>
      worker.directory
        .prepare(sql)
        .bind(...values)
        .run();
    const fill = Array.from({ length: 2_500 }, (_, at) => at + 2);
    await run(
      `INSERT INTO streams (merchant, number, name, created_at) SELECT 2, value, 'till', 1 FROM json_each(?)`,
      JSON.stringify(fill),
    );
    const LAST = 2_501;
    const host = (merchant: number, number: number, hostname: string | null) =>
      run(
        "UPDATE streams SET hostname = ?3, hostname_proof = ?4 WHERE merchant = ?1 AND number = ?2",
        ...[merchant, number, hostname, hostname && "dns"],
      );
    await host(1, 1, "shop.example");
    await host(2, LAST, "other.example");
    await host(2, 2, "gone.example");
    let now = NOW;
    const deps = { ...depsOf(worker), now: () => now, log: () => undefined };
    await backUpWhenDue(deps, 2); // merchants, and the first page of streams
    await host(2, LAST, null);
    await host(1, 1, "other.example");
    await logChanges(0, deps); // some lie in R2 already, some are only noted
    await run("DELETE FROM streams WHERE merchant = 2 AND number = 2");
    await host(2, LAST, "shop.example");
    await host(2, LAST - 1, "gone.example");
    now += 60_000;
    await backUpWhenDue(deps, 1_000);
    expect(await listBackups(deps)).toEqual([nameOf(NOW)]);
    const then = await rowsOf(worker.directory);
    if (which === "named") await host(1, 1, "later.example"); // who names a backup wants what was then
    await logChanges(0, deps);
    const { directory: empty } = makeDatabases();
    await recoverDirectory(which === "named" ? { name: nameOf(NOW) } : {}, depsOf(worker, empty));
    expect(await rowsOf(empty)).toEqual(then);
  },
);

function dyingAt<Put extends (key: string, ...rest: never[]) => Promise<unknown>>(put: Put, fatal: RegExp): Put {
  return ((key: string, ...rest: never[]) =>
    fatal.test(key) ? Promise.reject(new Error("killed")) : put(key, ...rest)) as Put;
}

test("[RCV-11] a shop with all the rules that fit changes its name again and again: what is logged of it can be read", async () => {
  const { worker, ask, make } = await world();
  const shop = await make();
  await backUp(depsOf(worker));
  const timeline = JSON.stringify([{ version: 1, from: 0, rules: {}, x: "x".repeat(RULE_TIMELINE_LENGTH_MAX - 60) }]);
  await worker.directory.prepare("UPDATE merchants SET rules = ? WHERE number = 1").bind(timeline).run();
  const times = Math.ceil((1.2 * BACKUP_OBJECT_BYTES_MAX) / RULE_TIMELINE_LENGTH_MAX);
  const rename = worker.directory.prepare("UPDATE merchants SET name = ? WHERE number = 1");
  for (let at = 0; at < times; at++) await rename.bind(`Shop ${at}`).run();
  await logChanges(0, depsOf(worker));
  const left = await worker.directory.prepare("SELECT count(*) AS n FROM row_changes").first<{ n: number }>();
  const objects = [...worker.objects.keys()].filter((key) => key.startsWith("backup/changes/"));
  console.log(`  ${times} changes of ${timeline.length} characters: ${objects.length} objects, ${left?.n} left`);
  expect(left?.n).toBe(0);
  const { directory: empty } = makeDatabases();
  expect(await recoverDirectory({}, depsOf(worker, empty))).toMatchObject({ backup: nameOf(NOW) });
  const { results } = await empty.prepare("SELECT name FROM merchants WHERE id = ?").bind(shop.id).all();
  expect(results).toEqual([{ name: `Shop ${times - 1}` }]);
  expect((await ask("GET", `/${shop.id}`)).status).toBe(200);
});
