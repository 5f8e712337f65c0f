// What the keys of a merchant may do, and no more: scopes, rotation, use, limits, and replays of one's own.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import {
  KEY_GRACE_SECONDS_MAX,
  KEY_USE_NOTED_EVERY_MS,
  KEYS_COUNT_MAX,
  RATE_LIMIT_PERIOD_SECONDS,
  REPLAYS_OF_MERCHANT_MAX,
} from "../../../core/limits.ts";
import { zeroMeter } from "../../../core/meter.ts";
import { noteKeyUse } from "../../../storage/directory/api-keys.ts";
import { hashKey } from "../../../storage/directory/credential.ts";
import { SCOPES } from "../../../storage/directory/schema.ts";
import { meteredD1 } from "../../../storage/metered.ts";
import { createJob } from "../../../storage/replay.ts";
import { GUARDED_ROUTES } from "../../../workers/query/api.ts";
import { OPENS } from "../../../workers/query/principal.ts";
import { storageOf } from "../../support/databases.ts";
import { ADMIN_TOKEN, type QueryWorker, type Reply, startQueryWorker } from "../../support/query-worker.ts";

interface Made {
  readonly id: string;
  readonly api_key: string;
}

let worker: QueryWorker;
let shop: Made;
let other: Made;
let admin: string;

const as = (token: string, method: string, path: string, body?: unknown): Promise<Reply> =>
  worker.ask(method, path, { token, body });
const make = async (name: string): Promise<Made> =>
  (await as(ADMIN_TOKEN, "POST", "/api/v1/merchants", { name, time_zone: "UTC", currency: "EUR" })).body;
const keyOf = async (merchant: Made, scope: string, extra: object = {}): Promise<Made> =>
  (await as(ADMIN_TOKEN, "POST", `/api/v1/merchants/${merchant.id}/keys`, { name: scope, scope, ...extra })).body;
const asking = (token: string, merchant: Made) =>
  as(token, "POST", "/api/v2/query", { site_id: merchant.id, metrics: ["pageviews"], date_range: "day" });

beforeEach(async () => {
  worker = startQueryWorker();
  shop = await make("Shop");
  other = await make("Other");
  admin = (await keyOf(shop, "admin")).api_key;
});

describe("scopes", () => {
  test("[HOS-1] a number that is an object with tricks is refused, and no failure of ours", async () => {
    const worker = startQueryWorker();
    const body = { name: "A", time_zone: "UTC", currency: "EUR" };
    const { body: made } = await worker.ask("POST", "/api/v1/merchants", { token: ADMIN_TOKEN, body });
    const path = `/api/v1/merchants/${made.id}/keys/x/rotate`;
    const trick = { grace_seconds: { toString: 1, valueOf: 1 } };
    const reply = await worker.ask("POST", path, { token: ADMIN_TOKEN, body: trick });
    expect([reply.status, reply.body.error.field]).toEqual([400, "grace_seconds"]);
  });

  test("[KEY-1] a key is of scope read unless said, and of no scope that is not on the list", async () => {
    const path = `/api/v1/merchants/${shop.id}/keys`;
    const plain = await as(ADMIN_TOKEN, "POST", path, { name: "plain" });
    expect(plain.body).toMatchObject({ scope: "read", last_used_at: null, previous_secret_until: null });
    const { keys } = (await as(ADMIN_TOKEN, "GET", path)).body;
    expect(keys.map(({ scope }: { scope: string }) => scope).sort()).toEqual(["admin", "read", "read"]);
    for (const scope of ["owner", "", null, 1, ["read"], "Read"]) {
      expect(await as(ADMIN_TOKEN, "POST", path, { name: "x", scope })).toMatchObject({
        status: 400,
        body: { error: { field: "scope", message: '"scope" must be "read" or "write" or "admin".' } },
      });
    }
  });

  test("[KEY-1] questions are for read and admin; a key of scope write is told so, whatever it names", async () => {
    expect((await asking(shop.api_key, shop)).status).toBe(200);
    expect((await asking(admin, shop)).status).toBe(200);
    const write = (await keyOf(shop, "write")).api_key;
    const refused = { status: 403, body: { error: expect.stringMatching(/^This key may only send events\./) } };
    expect(await asking(write, shop)).toMatchObject(refused);
    expect(await asking(write, other)).toMatchObject(refused);
  });

  test("[KEY-2] each route opens to the scopes of its door, for one's own merchant", async () => {
    for (const scope of SCOPES) {
      const { api_key } = await keyOf(shop, scope);
      for (const { method, path, door, personal } of GUARDED_ROUTES) {
        if (personal) continue; // a key has no session to tell of or to end, no preferences, no views, and hears so
        const own = path.replace(":id", path.includes("replays") ? "rpl_none" : shop.id).replace(":key_id", "key_none");
        const { status, body } = await as(api_key, method, own);
        const text = `${scope} ${method} ${own}: ${status} ${JSON.stringify(body)}`;
        if (OPENS[scope].includes(door)) expect([200, 400, 404], text).toContain(status);
        else expect([status, body.error.code], text).toEqual([403, "forbidden"]);
      }
    }
  });

  test("[KEY-2] another's merchant and one that does not exist are the same answer, to the byte", async () => {
    const nobody = `mer_${"a".repeat(24)}`;
    const own = GUARDED_ROUTES.filter(
      ({ path, door }) => path.includes("/merchants/:id") && !["deployment", "operate"].includes(door),
    );
    for (const { method, path, personal } of own) {
      for (const token of [admin, shop.api_key]) {
        const answers = new Set<string>();
        for (const id of [other.id, nobody, "nonsense"]) {
          const named = path.replace(":id", id).replace(":key_id", "key_none");
          const { status, body } = await as(
            token,
            method,
            named,
            method === "GET" ? undefined : { name: "Taken over" },
          );
          answers.add(`${status} ${JSON.stringify(body)}`);
          expect(personal ? [409] : [403, 404], `${method} ${path}: ${JSON.stringify(body)}`).toContain(status);
        }
        expect([...answers], `${method} ${path}`).toHaveLength(1);
      }
    }
    expect((await as(ADMIN_TOKEN, "GET", `/api/v1/merchants/${other.id}`)).body.name).toBe("Other");
  });

  test("[KEY-2] a merchant's admin key runs its merchant: settings, streams and keys", async () => {
    const path = `/api/v1/merchants/${shop.id}`;
    expect((await as(admin, "PATCH", path, { name: "Mine" })).body.name).toBe("Mine");
    expect((await as(admin, "POST", `${path}/streams`, { name: "Till" })).status).toBe(201);
    const made = await as(admin, "POST", `${path}/keys`, { name: "panel" });
    expect((await asking(made.body.api_key, shop)).status).toBe(200);
    expect((await as(admin, "DELETE", `${path}/keys/${made.body.id}`)).status).toBe(200);
    expect((await asking(made.body.api_key, shop)).status).toBe(401);
  });

  test("[KEY-2] a revoked admin key does nothing more, at once", async () => {
    const { id, api_key } = await keyOf(shop, "admin");
    expect((await as(api_key, "GET", `/api/v1/merchants/${shop.id}`)).status).toBe(200);
    await worker.db.prepare("DELETE FROM api_keys WHERE id = ?").bind(id).run(); // as another isolate would
    expect((await as(api_key, "GET", `/api/v1/merchants/${shop.id}`)).status).toBe(401);
  });
});

describe("rotation", () => {
  const rotate = (id: string, body: object, token = admin) =>
    as(token, "POST", `/api/v1/merchants/${shop.id}/keys/${id}/rotate`, body);

  test("[KEY-3] a rotated key has a new secret, and the old one stays good for a day", async () => {
    const before = await keyOf(shop, "read");
    const after = await rotate(before.id, {});
    expect(after.body).toMatchObject({
      id: before.id,
      scope: "read",
      api_key: expect.stringMatching(/^ffk_[\w-]{43}$/),
    });
    expect(after.body.api_key).not.toBe(before.api_key);
    const left = Date.parse(after.body.previous_secret_until) - Date.now();
    expect([left > 86_000_000, left <= 86_400_000]).toEqual([true, true]);
    for (const secret of [before.api_key, after.body.api_key]) expect((await asking(secret, shop)).status).toBe(200);
    const again = await rotate(before.id, {});
    expect((await asking(before.api_key, shop)).status).toBe(401);
    expect((await asking(after.body.api_key, shop)).status).toBe(200);
    expect((await asking(again.body.api_key, shop)).status).toBe(200);
    await as(admin, "DELETE", `/api/v1/merchants/${shop.id}/keys/${before.id}`);
    for (const secret of [after.body.api_key, again.body.api_key])
      expect((await asking(secret, shop)).status).toBe(401);
  });

  test("[KEY-3] without a grace the old secret ends at once, also where it was just used", async () => {
    const before = await keyOf(shop, "read");
    expect((await asking(before.api_key, shop)).status).toBe(200);
    const after = await rotate(before.id, { grace_seconds: 0 });
    expect((await asking(before.api_key, shop)).status).toBe(401);
    expect((await asking(after.body.api_key, shop)).status).toBe(200);
  });

  test("[KEY-3] a rotation neither prolongs an expiry nor reaches another merchant's key", async () => {
    const expires_at = new Date(Date.now() + 60_000).toISOString();
    const mine = await keyOf(shop, "read", { expires_at });
    expect((await rotate(mine.id, {})).body.expires_at).toBe(expires_at);
    const theirs = await keyOf(other, "read");
    const refused = { status: 404, body: { error: { message: "The merchant has no key with this id." } } };
    expect(await rotate(theirs.id, {})).toMatchObject(refused);
    expect(await rotate("key_none", {})).toMatchObject(refused);
    expect((await asking(theirs.api_key, other)).status).toBe(200);
    for (const grace_seconds of [-1, KEY_GRACE_SECONDS_MAX + 1, "soon", 1.5])
      expect(await rotate(mine.id, { grace_seconds })).toMatchObject({ status: 400 });
  });

  test("[KEY-3] neither lists nor the log of what was done hold a secret or its hash", async () => {
    const before = await keyOf(shop, "read");
    const after = await rotate(before.id, {});
    const shown = [
      (await as(admin, "GET", `/api/v1/merchants/${shop.id}/keys`)).body,
      (await as(ADMIN_TOKEN, "GET", "/api/v1/audit")).body,
    ].map((body) => JSON.stringify(body));
    for (const secret of [before.api_key, after.body.api_key, admin]) {
      for (const text of shown) for (const form of [secret, hashKey(secret)]) expect(text).not.toContain(form);
    }
  });
});

describe("use", () => {
  const usedAt = async (id: string): Promise<string | null> => {
    const { keys } = (await as(ADMIN_TOKEN, "GET", `/api/v1/merchants/${shop.id}/keys`)).body;
    return keys.find((key: { id: string }) => key.id === id).last_used_at;
  };

  test("[KEY-4] the last use of a key shows, of questions and of administration", async () => {
    const [panel, runner] = [await keyOf(shop, "read"), await keyOf(shop, "admin")];
    expect([await usedAt(panel.id), await usedAt(runner.id)]).toEqual([null, null]);
    const before = Date.now();
    await asking(panel.api_key, shop);
    await as(runner.api_key, "GET", `/api/v1/merchants/${shop.id}`);
    for (const { id } of [panel, runner]) {
      const at = Date.parse((await usedAt(id)) ?? "");
      expect([at >= before, at <= Date.now()]).toEqual([true, true]);
    }
  });

  test("[KEY-4] it is written once an hour, whoever notes it", async () => {
    const { id } = await keyOf(shop, "read");
    const meter = zeroMeter();
    const times = [0, 1, KEY_USE_NOTED_EVERY_MS, KEY_USE_NOTED_EVERY_MS + 1, KEY_USE_NOTED_EVERY_MS + 2];
    for (const time of times) await noteKeyUse(meteredD1(worker.db, meter), { id, now: 1_000_000 + time });
    expect(meter.d1_rows_written).toBe(2);
    expect(Date.parse((await usedAt(id)) ?? "")).toBe(1_000_000 + KEY_USE_NOTED_EVERY_MS + 1);
  });

  test("[KEY-4] questions go on being answered where the use cannot be written", async () => {
    const { api_key } = await keyOf(shop, "read");
    await worker.directory
      .prepare("CREATE TRIGGER no BEFORE UPDATE ON api_keys BEGIN SELECT RAISE(FAIL, 'full'); END")
      .run();
    expect((await asking(api_key, shop)).status).toBe(200);
  });
});

describe("replays of one's own", () => {
  const DAYS = { kind: "verify", from: "2026-11-01", to: "2026-11-02" };
  /** Jobs as another request left them: a Node test has no archive to replay. */
  const addJob = (id: string, merchants: readonly number[] | null, kind = "verify", state = "paused") =>
    worker.db
      .prepare(
        "INSERT INTO replay_jobs (id, kind, state, from_day, to_day, merchants, created_at) VALUES (?,?,?,1,2,?,?)",
      )
      .bind(id, kind, state, merchants && JSON.stringify(merchants), Date.now())
      .run();

  test("[KEY-5] a merchant sees its own jobs; all others are as if they were not there", async () => {
    await addJob("rpl_own", [1]);
    for (const [id, merchants] of [
      ["rpl_theirs", [2]],
      ["rpl_both", [1, 2]],
      ["rpl_all", null],
    ] as const)
      await addJob(id, merchants);
    const ids = (reply: Reply) => reply.body.replays.map(({ id }: { id: string }) => id).sort();
    expect(ids(await as(admin, "GET", "/api/v1/replays"))).toEqual(["rpl_own"]);
    expect(ids(await as(ADMIN_TOKEN, "GET", "/api/v1/replays"))).toEqual([
      "rpl_all",
      "rpl_both",
      "rpl_own",
      "rpl_theirs",
    ]);
    expect((await as(admin, "GET", "/api/v1/replays/rpl_own")).status).toBe(200);
    for (const [method, verb] of [
      ["GET", ""],
      ["POST", "/cancel"],
      ["POST", "/pause"],
      ["POST", "/resume"],
      ["POST", "/undo"],
    ]) {
      const answers = new Set<string>();
      for (const id of ["rpl_theirs", "rpl_both", "rpl_all", "rpl_none", "nonsense"]) {
        const { status, body } = await as(admin, method as string, `/api/v1/replays/${id}${verb}`);
        answers.add(`${status} ${JSON.stringify(body)}`);
      }
      expect([...answers]).toEqual([expect.stringMatching(/^404 .*There is no replay with this id/)]);
    }
  });

  test("[KEY-5] another merchant cannot be named, and a foreign id is as good as a made-up one", async () => {
    const answers = new Set<string>();
    for (const id of [other.id, `mer_${"a".repeat(24)}`]) {
      for (const merchants of [[id], [shop.id, id]]) {
        const { status, body } = await as(admin, "POST", "/api/v1/replays", { ...DAYS, merchants });
        answers.add(`${status} ${JSON.stringify(body)}`);
      }
    }
    expect([...answers]).toEqual([expect.stringMatching(/^400 .*must be ids of merchants that exist/)]);
  });

  test("[KEY-5] one merchant's rebuild holds up no other's, and the deployment's holds up all", async () => {
    const parts = (id: string) => [{ job: id, day: 20_000, partition: "pool-1" }];
    const rebuild = (id: string, merchants: readonly number[] | undefined) => {
      const days = { fromDay: 20_000, toDay: 20_001, createdAt: 0, finishedAt: null };
      const plain = { rules: "dated" as const, draft: undefined, applied: undefined, dimensions: undefined };
      const job = { id, kind: "rebuild" as const, state: "running" as const, merchants, ...days, ...plain };
      return createJob(storageOf(worker.db), { job, parts: parts(id), applies: [] });
    };
    expect(await rebuild("rpl_a", [1])).toBe("created");
    expect(await rebuild("rpl_b", [2, 3])).toBe("created");
    expect(await rebuild("rpl_c", [3])).toBe("overlaps");
    expect(await rebuild("rpl_d", undefined)).toBe("overlaps");
    expect((await as(admin, "POST", "/api/v1/replays/rpl_a/cancel")).body.state).toBe("cancelled");
    const undone = await as(admin, "POST", "/api/v1/replays/rpl_a/undo");
    expect([undone.status, undone.body.state]).toEqual([200, "undoing"]);
  });

  test("[RPL-19] what ended long ago is neither undone nor resumed, and the answer says why", async () => {
    await addJob("rpl_old", [1], "rebuild", "done");
    await worker.db.prepare("UPDATE replay_jobs SET finished_at = 1 WHERE id = 'rpl_old'").run();
    for (const verb of ["undo", "resume"])
      expect(await as(admin, "POST", `/api/v1/replays/rpl_old/${verb}`)).toMatchObject({
        status: 409,
        body: {
          error: { code: "conflict", message: expect.stringMatching(/more than 90 days ago.*Ask for a new one/) },
        },
      });
  });

  test("[KEY-5] a merchant has so many replays at once, and so many a day", async () => {
    for (let index = 0; index < REPLAYS_OF_MERCHANT_MAX; index++) await addJob(`rpl_${index}`, [1]);
    const refused = (message: RegExp) => ({
      status: 409,
      body: { error: { message: expect.stringMatching(message) } },
    });
    expect(await as(admin, "POST", "/api/v1/replays", DAYS)).toMatchObject(refused(/go on at once/));
    await worker.db.prepare("UPDATE replay_jobs SET state = 'done'").run();
    for (let index = 0; index < 50; index++) await addJob(`rpl_done${index}`, [1], "verify", "done");
    expect(await as(admin, "POST", "/api/v1/replays", DAYS)).toMatchObject(refused(/in 24 hours/));
  });
});

describe("limits", () => {
  test("[KEY-6] the headers promise what the platform is told to allow", () => {
    const text = readFileSync(join(import.meta.dirname, "../../../wrangler.toml"), "utf8");
    const [, allowed, period] = /"LIMIT_KEY"[^[]*limit = (\d+), period = (\d+)/.exec(text) ?? [];
    expect([allowed, period]).toEqual([/KEY_REQUESTS_MAX = "(\d+)"/.exec(text)?.[1], `${RATE_LIMIT_PERIOD_SECONDS}`]);
  });

  test("[KEY-6] answers name the policy; who comes too often gets 429 with what to wait", async () => {
    const seen = new Map<string, number>();
    const limit = async ({ key }: { key: string }) => {
      seen.set(key, (seen.get(key) ?? 0) + 1);
      return { success: (seen.get(key) ?? 0) <= 2 };
    };
    const mine = startQueryWorker({ LIMIT_KEY: { limit }, KEY_REQUESTS_MAX: "2" });
    const made = await mine.ask("POST", "/api/v1/merchants", {
      token: ADMIN_TOKEN,
      body: { name: "Shop", time_zone: "UTC", currency: "EUR" },
    });
    const { id, api_key: token } = made.body;
    expect(made.headers.get("ratelimit-policy")).toBeNull();
    const ask = () => mine.ask("GET", `/api/v1/merchants/${id}`, { token });
    const question = { site_id: id, metrics: ["pageviews"], date_range: "day" };
    const first = await ask();
    expect([first.status, first.headers.get("ratelimit-policy"), first.headers.get("ratelimit")]).toEqual([
      200,
      '"key";q=2;w=10',
      null,
    ]);
    expect((await mine.ask("POST", "/api/v2/query", { token, body: question })).status).toBe(200);
    for (const refused of [await ask(), await mine.ask("POST", "/api/v2/query", { token, body: question })]) {
      expect(refused.status).toBe(429);
      const names = ["ratelimit-policy", "ratelimit", "retry-after"];
      expect(names.map((name) => refused.headers.get(name))).toEqual(['"key";q=2;w=10', '"key";r=0;t=10', "10"]);
    }
    expect((await mine.ask("GET", `/api/v1/merchants/${id}`, { token: ADMIN_TOKEN })).status).toBe(200);
    expect([...seen.keys()]).toEqual([expect.stringMatching(/^key_/)]);
  });
});

test("[KEY-7] a merchant has at most 1,000 keys", async () => {
  await worker.db
    .prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO api_keys (id, merchant, name, hash, hint, created_at) SELECT 'key_' || i, 1, 'x', 'h' || i, 'ffk_', 0 FROM n`,
    )
    .bind(KEYS_COUNT_MAX - 2) // the first key and the admin's own are there
    .run();
  const path = `/api/v1/merchants/${shop.id}/keys`;
  expect((await as(admin, "POST", path, { name: "one more" })).status).toBe(409);
  await as(admin, "DELETE", `${path}/key_1`);
  expect((await as(admin, "POST", path, { name: "one more" })).status).toBe(201);
});
