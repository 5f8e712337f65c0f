// The query Worker's routes: statuses, texts, and who may ask for what.

import { beforeEach, describe, expect, test } from "vitest";
import { replay } from "../../../core/counting/replay.ts";
import { RULES_NOTICE_MS } from "../../../core/limits.ts";
import { rulesTakeEffectAt } from "../../../core/rules.ts";
import { DAY_MS, dayAt } from "../../../core/time.ts";
import { hashKey } from "../../../storage/directory/credential.ts";
import { readSettings } from "../../../storage/directory/settings.ts";
import { writeRollups } from "../../../storage/ledger/rollup-write.ts";
import { eventOf, settingsOf } from "../../support/events.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../../support/query-worker.ts";
import { rowOf } from "../../support/rollup-rows.ts";

interface Made {
  readonly id: string;
  readonly tracking_id: string;
  readonly api_key: string;
}

const today = dayAt("UTC", Date.now());
let worker: QueryWorker;
let shop: Made;
let other: Made;

const admin = (method: string, path: string, body?: unknown) => worker.ask(method, path, { token: ADMIN_TOKEN, body });
const make = async (name: string, extra: object = {}): Promise<Made> =>
  (await admin("POST", "/api/v1/merchants", { name, time_zone: "UTC", currency: "EUR", ...extra })).body;
const query = (token: string | undefined, body: unknown) =>
  worker.ask("POST", "/api/v2/query", { ...(token !== undefined && { token }), body });
const asked = (site_id: unknown, change: object = {}) => ({
  site_id,
  metrics: ["pageviews"],
  date_range: "day",
  ...change,
});

beforeEach(async () => {
  worker = startQueryWorker();
  shop = await make("Shop", { hostname: "www.Shop.example" });
  other = await make("Other", { hostname: "other.example" });
});

describe("questions", () => {
  test("[MER-2] a merchant is named by its id, a tracking ID or a hostname", async () => {
    const stream = await admin("POST", `/api/v1/merchants/${shop.id}/streams`, {
      name: "Till",
      hostname: "till.example",
    });
    const names = [
      shop.id,
      shop.tracking_id,
      `G-${shop.tracking_id.toUpperCase()}`,
      "shop.example",
      "WWW.SHOP.EXAMPLE",
    ];
    for (const name of [...names, stream.body.tracking_id, "till.example"])
      expect(await query(shop.api_key, asked(name))).toMatchObject({ status: 200, body: { query: { site_id: name } } });
  });

  test("[MER-2] whether the key or the name is wrong, the answer is the same", async () => {
    const wrong: readonly (readonly [key: string, site: string])[] = [
      ["nonsense", shop.id],
      [`ffk_${"A".repeat(43)}`, shop.id],
      [shop.api_key, other.id],
      [shop.api_key, other.tracking_id],
      [shop.api_key, "other.example"],
      [shop.api_key, "nobody.example"],
      [shop.api_key, "00000001-0001-8000-8000-000000000000"],
      [shop.api_key, "\u0000%/…"],
    ];
    const answers = await Promise.all(wrong.map(([key, site]) => query(key, asked(site))));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({
      status: 401,
      body: { error: expect.stringMatching(/^Invalid API key or site ID\./) },
    });
  });

  const REFUSED: readonly (readonly [what: string, status: number, error: RegExp, key: boolean, body: unknown])[] = [
    ["no key", 401, /^Missing API key\. /, false, asked("x")],
    ["no site", 400, /^Missing site ID\. /, true, {}],
    ["a site that is no text", 400, /^Missing site ID\. /, true, asked(7)],
    ["null", 400, /^Missing site ID\. /, true, null],
    ["no JSON", 400, /JSON/, true, "{"],
    ["endless nesting", 400, /JSON/, true, "[".repeat(30_000)],
    ["a body that is too large", 413, /65536 bytes/, true, "x".repeat(70_000)],
  ];

  test.each(REFUSED)("[QRY-2] %s is answered with %d and {error}", async (_, status, error, withKey, body) => {
    const answer = await query(withKey ? shop.api_key : undefined, body);
    expect([answer.status, answer.body]).toEqual([
      status,
      expect.objectContaining({ error: expect.stringMatching(error), code: expect.any(String) }),
    ]);
  });

  test("[QRY-2] a wrong question is a 400 that says where", async () => {
    expect(await query(shop.api_key, asked(shop.id, { metrics: ["baa"] }))).toMatchObject({
      status: 400,
      body: { error: '#/metrics/0: Invalid metric "baa"' },
    });
  });

  test("[QRY-21] live and stored rows are joined; more stored rows than one page are all read", async () => {
    const merchant = 1;
    const days = Array.from({ length: 450 }, (_, index) => today - index);
    const rows = days.map((bucket) => ({
      ...rowOf({ bucket, version: 5, seen: { pageviews: 1, who: [bucket] } }),
      merchant,
    }));
    await writeRollups(worker.db, rows);
    worker.live.push({ ...rowOf({ bucket: today, version: 6, seen: { pageviews: 3, who: [today] } }), merchant });
    worker.live.push({ ...rowOf({ bucket: today - 500, version: 6, seen: { pageviews: 9, who: [1] } }), merchant });
    const answer = await query(shop.api_key, asked(shop.id, { date_range: "all", metrics: ["pageviews", "visitors"] }));
    expect(answer.body.results).toEqual([{ metrics: [449 + 3 + 9, 451], dimensions: [] }]);
    expect((await query(other.api_key, asked(other.id, { date_range: "all" }))).body.results).toEqual([
      { metrics: [0], dimensions: [] },
    ]);
  });

  test("[QRY-21] a partition that does not answer makes a 503, never half an answer", async () => {
    worker.broken = true;
    expect(await query(shop.api_key, asked(shop.id))).toMatchObject({
      status: 503,
      body: { error: expect.any(String) },
    });
  });
});

describe("keys", () => {
  test("[MER-4] a key is shown once, stored as a hash, and opens nothing once revoked", async () => {
    const made = await admin("POST", `/api/v1/merchants/${shop.id}/keys`, { name: "second" });
    expect(made).toMatchObject({
      status: 201,
      body: { name: "second", api_key: expect.stringMatching(/^ffk_[\w-]{43}$/) },
    });
    const list = await admin("GET", `/api/v1/merchants/${shop.id}/keys`);
    expect(list.body.keys).toHaveLength(2);
    expect(JSON.stringify(list.body)).not.toContain(made.body.api_key);
    expect(JSON.stringify(list.body)).not.toContain(hashKey(made.body.api_key));
    expect((await query(made.body.api_key, asked(shop.id))).status).toBe(200);
    const gone = await admin("DELETE", `/api/v1/merchants/${shop.id}/keys/${made.body.id}`);
    expect(gone.body).toEqual({ id: made.body.id, revoked: true });
    expect((await query(made.body.api_key, asked(shop.id))).status).toBe(401);
  });

  test("[MER-4] a key that expired opens nothing", async () => {
    const expires_at = new Date(Date.now() + 50).toISOString();
    const made = await admin("POST", `/api/v1/merchants/${shop.id}/keys`, { name: "short", expires_at });
    await expect
      .poll(async () => (await query(made.body.api_key, asked(shop.id))).status, { timeout: 2_000 })
      .toBe(401);
  });

  test("[MER-4] a merchant's key cannot be revoked through another merchant", async () => {
    const [key] = (await admin("GET", `/api/v1/merchants/${shop.id}/keys`)).body.keys;
    expect((await admin("DELETE", `/api/v1/merchants/${other.id}/keys/${key.id}`)).status).toBe(404);
    expect((await query(shop.api_key, asked(shop.id))).status).toBe(200);
  });
});

describe("admin", () => {
  test("[MER-5] creating a merchant answers with exactly its six fields", async () => {
    const made = await admin("POST", "/api/v1/merchants", { name: "New", time_zone: "Asia/Kolkata", currency: "INR" });
    expect(made.status).toBe(201);
    expect(Object.keys(made.body)).toEqual(["id", "name", "time_zone", "currency", "tracking_id", "api_key"]);
    expect(made.body.id).toMatch(/^mer_[a-z2-7]{24}$/);
  });

  const MERCHANT = { name: "x", time_zone: "UTC", currency: "USD" };
  const REFUSED: readonly (readonly [body: unknown, status: number, code: string, field: string | undefined])[] = [
    ["{", 400, "invalid_json", undefined],
    [[], 400, "invalid_body", undefined],
    [{ ...MERCHANT, name: " " }, 400, "invalid_field", "name"],
    [{ ...MERCHANT, name: "x".repeat(121) }, 400, "invalid_field", "name"],
    [{ ...MERCHANT, time_zone: "+05:30" }, 400, "invalid_field", "time_zone"],
    [{ ...MERCHANT, currency: "usd" }, 400, "invalid_field", "currency"],
    [{ ...MERCHANT, currency: undefined }, 400, "missing_field", "currency"],
    [{ ...MERCHANT, timezone: "UTC" }, 400, "unknown_field", "timezone"],
    [{ ...MERCHANT, hostname: "https://a.example/" }, 400, "invalid_field", "hostname"],
    [{ ...MERCHANT, hostname: "shop.example" }, 409, "conflict", "hostname"],
    ["x".repeat(70_000), 413, "body_too_large", undefined],
  ];

  test.each(REFUSED)("[MER-5] the merchant %j is refused with %d %s", async (body, status, code, field) => {
    const answer = await admin("POST", "/api/v1/merchants", body);
    expect(answer).toMatchObject({ status, body: { error: { code, message: expect.any(String) } } });
    expect(answer.body.error.field).toBe(field);
    expect((await admin("GET", "/api/v1/merchants")).body.merchants).toHaveLength(2);
  });

  test("[MER-5] without a credential nothing is told, not even what exists", async () => {
    for (const path of ["/api/v1/merchants", `/api/v1/merchants/${shop.id}`, "/api/v1/meter", "/api/v1/nothing"]) {
      for (const token of [undefined, "", "wrong", `ffk_${"A".repeat(43)}`])
        expect(await worker.ask("GET", path, token === undefined ? {} : { token })).toMatchObject({ status: 401 });
    }
  });

  test("[MER-5] lists go on where the page before ended", async () => {
    const first = await admin("GET", "/api/v1/merchants?limit=1");
    const second = await admin("GET", `/api/v1/merchants?limit=1&after=${first.body.next}`);
    const third = await admin("GET", `/api/v1/merchants?limit=1&after=${second.body.next}`);
    expect([first, second, third].map(({ body }) => body.merchants.map(({ name }: { name: string }) => name))).toEqual([
      ["Shop"],
      ["Other"],
      [],
    ]);
    expect(third.body.next).toBeNull();
    expect(await admin("GET", "/api/v1/merchants?limit=0")).toMatchObject({
      status: 400,
      body: { error: { field: "limit" } },
    });
  });

  test("[MER-3] a hostname belongs to one stream of the deployment, whoever asks first", async () => {
    const path = `/api/v1/merchants/${other.id}/streams`;
    const taken = { status: 409, body: { error: { code: "conflict", field: "hostname" } } };
    expect(await admin("POST", path, { name: "till", hostname: "SHOP.example" })).toMatchObject(taken);
    expect(await admin("POST", path, { name: "till", hostname: "other.example" })).toMatchObject(taken);
    expect(await admin("POST", path, { name: "till", hostname: "till.other.example" })).toMatchObject({ status: 201 });
  });

  test("[RUL-11] rules are changed from an announced instant on, by version, and nothing is forgotten", async () => {
    const path = `/api/v1/merchants/${shop.id}/rules`;
    expect((await admin("GET", path)).body).toMatchObject({ version: 0, applies_from: null, timeline: [] });
    const rules = { hostnames: ["Shop.example."], goals: [{ name: "order", event: "purchase" }] };
    const before = Date.now();
    const changed = await admin("PUT", path, { rules, note: "only our own shop", if_version: 0 });
    expect(changed).toMatchObject({ status: 200, body: { version: 1, rules: { hostnames: ["shop.example"] } } });
    const from = Date.parse(changed.body.applies_from);
    expect(from).toBeGreaterThanOrEqual(rulesTakeEffectAt(before, RULES_NOTICE_MS));
    expect(from).toBeLessThanOrEqual(rulesTakeEffectAt(Date.now(), RULES_NOTICE_MS));
    expect(worker.refreshed).toEqual([1]);
    expect(await admin("PUT", path, { rules })).toEqual(changed);
    expect(await admin("PUT", path, { rules: {}, if_version: 0 })).toMatchObject({
      status: 409,
      body: { error: { code: "conflict", field: "if_version" } },
    });
    expect((await admin("PUT", path, { rules: {}, note: "all of it again" })).body.version).toBe(2);
    expect((await admin("GET", path)).body.timeline).toMatchObject([{ version: 1 }, { version: 2 }]);
    const listed = await admin("GET", `${path}/versions?limit=1`);
    expect(listed.body).toMatchObject({ versions: [{ version: 2, note: "all of it again" }], next: "2" });
    expect((await admin("GET", `${path}/versions?limit=1&after=2`)).body.versions).toMatchObject([{ version: 1 }]);
    expect((await admin("GET", `${path}/versions/1`)).body).toMatchObject({
      version: 1,
      note: "only our own shop",
      rules: { hostnames: ["shop.example"] },
    });
    for (const version of ["0", "3", "x", "1e0"])
      expect((await admin("GET", `${path}/versions/${version}`)).status).toBe(404);
    expect((await admin("GET", `/api/v1/merchants/${other.id}/rules`)).body.version).toBe(0);
  });

  test("[RUL-14] hostnames that most of the last events are not on are a warning, and hold", async () => {
    const path = `/api/v1/merchants/${shop.id}/rules`;
    const timestamp = Date.now() - 2 * DAY_MS;
    const hosts = ["shop.example", "www.shop.example", "shop.example", "old.example"];
    const events = hosts.map((host, position) => {
      const event = eventOf({ merchant: 1, timestamp, id: `on ${position}`, url: `https://${host}/` });
      return { event, partition: "pool-0", position };
    });
    await writeRollups(
      worker.db,
      replay(events, (merchant) => settingsOf("UTC", { merchant })),
    );
    const set = async (hostnames: readonly string[]) => (await admin("PUT", path, { rules: { hostnames } })).body;
    expect(await set(["shop.example"])).not.toHaveProperty("warnings");
    expect(await set(["shpo.example"])).toMatchObject({
      rules: { hostnames: ["shpo.example"] },
      warnings: [
        "Of 4 events of the last 7 Days 4 would not have counted: hostnames allows shpo.example, and most of them were on shop.example.",
      ],
    });
    expect(await set([])).not.toHaveProperty("warnings");
  });

  test("[RUL-11] the deployment's rules have a path of their own, are no merchant, and are pushed to nobody", async () => {
    const rules = { referrers: { drop: ["spam.example"] } };
    expect((await admin("PUT", "/api/v1/rules", { rules })).body).toMatchObject({ version: 1 });
    expect((await admin("GET", "/api/v1/rules/versions/1")).body.rules).toMatchObject(rules);
    expect(worker.refreshed).toEqual([]);
    const { merchants } = (await admin("GET", "/api/v1/merchants")).body;
    expect(merchants.map(({ id }: Made) => id)).toEqual([shop.id, other.id]);
    expect((await admin("GET", "/api/v1/merchants/global")).status).toBe(404);
    expect(await readSettings(worker.db, 0)).toMatchObject({ merchant: 0, version: 2 });
  });

  test("[RUL-6] what is the merchant's alone is refused in the deployment's rules", async () => {
    for (const rules of [{ hostnames: ["shop.example"] }, { goals: [{ name: "signed up", page: "/welcome" }] }]) {
      const refused = await admin("PUT", "/api/v1/rules", { rules });
      expect(refused).toMatchObject({ status: 400, body: { error: { code: "invalid_field", field: "rules" } } });
      expect((await admin("PUT", `/api/v1/merchants/${shop.id}/rules`, { rules })).status).toBe(200);
    }
  });

  test("[RUL-4] wrong rules are refused with the place and what belongs there", async () => {
    const body = { rules: { goals: [{ name: "x", pages: "/" }] } };
    expect(await admin("PUT", "/api/v1/rules", body)).toMatchObject({
      status: 400,
      body: {
        error: {
          code: "invalid_field",
          field: "rules",
          message: "rules/goals/0/pages is not known; known: name, event, page.",
        },
      },
    });
    expect((await admin("PUT", "/api/v1/rules", {})).body.error).toMatchObject({
      code: "missing_field",
      field: "rules",
    });
  });

  test("[WCH-6] a change is pushed to no partition that holds nothing: that would make it, near whoever changes", async () => {
    await worker.db.prepare("DELETE FROM partition_status").run();
    expect((await admin("PATCH", `/api/v1/merchants/${shop.id}`, { name: "Better" })).status).toBe(200);
    expect(worker.refreshed).toEqual([]);
  });

  test("[MER-6] a change raises the version and is pushed to the partition", async () => {
    const change = { name: "Better", time_zone: "Asia/Kolkata" };
    const changed = await admin("PATCH", `/api/v1/merchants/${shop.id}`, change);
    expect(changed.body).toMatchObject({
      name: "Better",
      time_zone: "UTC",
      coming_time_zones: [{ time_zone: "Asia/Kolkata" }],
    });
    expect(worker.refreshed).toEqual([1]);
    expect(await readSettings(worker.db, 1)).toMatchObject({ merchant: 1, version: 2, currency: "EUR" });
  });

  test("[MER-6] a change holds even when the partition cannot be told", async () => {
    worker.broken = true;
    expect((await admin("PATCH", `/api/v1/merchants/${shop.id}`, { name: "Best" })).body.name).toBe("Best");
  });

  test("[MER-6] two changes at once do not undo each other", async () => {
    const changes = await Promise.all(
      ["USD", "CHF"].map((currency) => admin("PATCH", `/api/v1/merchants/${shop.id}`, { currency })),
    );
    const statuses = changes.map(({ status }) => status);
    const settings = await readSettings(worker.db, 1);
    expect(settings?.version).toBe(1 + statuses.filter((status) => status === 200).length);
    expect(statuses.every((status) => status === 200 || status === 409)).toBe(true);
  });

  const ELSEWHERE: readonly (readonly [method: string, path: string, status: number, body: object])[] = [
    ["GET", "/health", 200, { ok: true }],
    ["POST", "/health", 405, { error: { code: "method_not_allowed" } }],
    ["GET", "/nothing", 404, { error: { code: "not_found" } }],
    ["GET", "/api/v1/nothing", 404, { error: { code: "not_found" } }],
    ["GET", "/api/v1/merchants/mer_unknown", 404, { error: { code: "not_found" } }],
    ["PUT", "/api/v1/merchants", 405, { error: { code: "method_not_allowed" } }],
    ["GET", "/api/v2/query", 405, { error: expect.any(String) }],
    ["GET", "/api/v2/nothing", 404, { error: expect.any(String) }],
  ];

  test.each(ELSEWHERE)("[MER-5] %s %s is answered with %d as JSON", async (method, path, status, body) => {
    expect(await admin(method, path)).toMatchObject({ status, body });
  });

  test("[MER-5] the meter counts what this Worker was billed", async () => {
    const before = (await admin("GET", "/api/v1/meter")).body.worker_requests;
    expect((await admin("GET", "/api/v1/meter")).body.worker_requests).toBe(before + 1);
  });
});
