// Who an event is from, on the real runtime: API keys of merchants' servers, sites named by their hostnames, what is
// believed of whom, apps that were offline, and what is kept without being counted.

import { deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROUTES } from "../../core/formats/route.ts";
import { REQUEST_BYTES_MAX } from "../../core/limits.ts";
import type { Runtime } from "../../scripts/runtime.ts";
import { queryArchive } from "../support/duckdb.ts";
import { CHROME, IPHONE } from "../support/events.ts";
import { type Client, type Merchant, startServices, until, untilArchived } from "../support/services.ts";

const HOUR_MS = 3_600_000;

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
let client: Client;

beforeAll(async () => {
  services = await startServices({ LATE_COALESCE_MS: "100" }); // what is late for a closed Day is counted at once
  client = services.client;
});
afterAll(() => services?.stop());

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const sent = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  const response = await fetch(client.collectorUrl + path, { method: "POST", headers, body: sent as BodyInit });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

interface Sender extends Merchant {
  /** A key that sends events. */
  readonly write_key: string;
}

async function createSender(): Promise<Sender> {
  const merchant = await client.createMerchant();
  return { ...merchant, write_key: await client.createWriteKey(merchant) };
}

const bearer = ({ write_key }: { readonly write_key: string }) => ({ authorization: `Bearer ${write_key}` });
const basic = (user: string) => ({ authorization: `Basic ${btoa(`${user}:`)}` });

async function countOf(merchant: Merchant, metrics = ["visitors", "events"]): Promise<readonly unknown[] | undefined> {
  return (await client.ask(merchant, { metrics, date_range: "all" })).results[0]?.metrics;
}

async function addStream(merchant: Merchant, hostname?: string): Promise<{ number: number; tracking_id: string }> {
  const body = { name: "Another", ...(hostname === undefined ? {} : { hostname }) };
  return (await client.admin("POST", `/api/v1/merchants/${merchant.id}/streams`, body)) as never;
}

async function createSite(hostname: string): Promise<Merchant> {
  const body = { name: hostname, time_zone: "UTC", currency: "EUR", hostname };
  return (await client.admin("POST", "/api/v1/merchants", body)) as Merchant;
}

describe("a merchant's server", () => {
  test("[SRV-1] a key stands for the tracking ID of the only stream, and chooses among several by number", async () => {
    const shop = await createSender();
    expect((await post("/v1/events", { name: "paid" }, bearer(shop))).status).toBe(202);
    const { number, tracking_id } = await addStream(shop);
    const unnamed = await until(
      () => post("/v1/events", { name: "paid" }, bearer(shop)),
      ({ status }) => status === 202 || status === 400,
    );
    expect(unnamed.status).toBe(202); // the isolate remembers the key for a minute, streams included
    const named = await post("/v1/events", [{ name: "a", tracking_id }], bearer(shop));
    expect(JSON.parse(named.text)).toMatchObject({ accepted: 1 });
    const fresh = { write_key: await client.createWriteKey(shop) };
    const events = [{ name: "b", stream: number }, { name: "c" }, { name: "d", stream: 9 }];
    expect(JSON.parse((await post("/v1/events", events, bearer(fresh))).text)).toMatchObject({
      accepted: 1,
      rejected: [
        { index: 1, code: "missing_field", message: expect.stringContaining("2 streams") },
        { index: 2, code: "invalid_field", message: expect.stringContaining("stream 9") },
      ],
    });
    expect(await countOf(shop, ["events"])).toEqual([4]);
  });

  test("[SRV-1] whatever is wrong with a key, the words are the same and nothing is taken, by any format", async () => {
    const [shop, other] = [await createSender(), await createSender()];
    const ends = Date.now() + 3_000; // a busy machine takes longer than a moment to make the key
    const expires_at = new Date(ends).toISOString();
    const path = `/api/v1/merchants/${shop.id}/keys`;
    const expired = (await client.admin("POST", path, { name: "short", scope: "write", expires_at })) as Merchant;
    await new Promise((settle) => setTimeout(settle, ends + 50 - Date.now()));
    const wrong = [other.write_key, expired.api_key, `ffk_${"A".repeat(43)}`, shop.tracking_id, "garbage"];
    const said = new Set<string>();
    for (const key of wrong) {
      const event = { name: "paid", tracking_id: shop.tracking_id, address: "203.0.113.1" };
      const answer = await post("/v1/events", [event], { authorization: `Bearer ${key}` });
      said.add(`${answer.status} ${answer.text}`);
      const message = { website: shop.tracking_id, name: "paid" };
      expect(
        (await post("/api/send", { type: "event", payload: message }, { authorization: `Bearer ${key}` })).status,
      ).toBe(401);
    }
    expect([...said]).toEqual([expect.stringMatching(/^401 .*"unauthorized"/)]);
    const measurement = `/mp/collect?measurement_id=G-${shop.tracking_id}&api_secret=${other.write_key}`;
    expect((await post(measurement, { client_id: "1", events: [{ name: "x" }] })).status).toBe(401);
    expect((await post("/v1/track", { event: "x", userId: "u" }, basic(`ffk_${"A".repeat(43)}`))).status).toBe(401);
    const reading = await post("/v1/events", { name: "paid" }, { authorization: `Bearer ${shop.api_key}` });
    expect([reading.status, reading.text]).toEqual([403, expect.stringContaining("scope write or admin")]);
    expect(await countOf(shop)).toEqual([0, 0]);
    expect(await countOf(other)).toEqual([0, 0]);
  });

  test("[SRV-1] a rotated key sends for its grace; that it sent is noted", async () => {
    const shop = await createSender();
    const path = `/api/v1/merchants/${shop.id}/keys`;
    const { keys } = (await client.admin("GET", path)) as { keys: { id: string; scope: string }[] };
    const id = keys.find(({ scope }) => scope === "write")?.id;
    const rotated = (await client.admin("POST", `${path}/${id}/rotate`, { grace_seconds: 60 })) as Merchant;
    for (const write_key of [shop.write_key, rotated.api_key])
      expect((await post("/v1/events", { name: "paid" }, bearer({ write_key }))).status).toBe(202);
    const used = await until(
      async () => ((await client.admin("GET", path)) as { keys: { id: string; last_used_at: string | null }[] }).keys,
      (list) => list.some((key) => key.id === id && key.last_used_at !== null),
    );
    expect(used.length).toBe(2);
    expect(await countOf(shop, ["events"])).toEqual([2]);
  });

  test("[SRV-2] with a key, address and agent are the visitor's; the server's own place is nobody's", async () => {
    const shop = await createSender();
    const at = (address: string, user_agent = CHROME) => ({ name: "seen", address, user_agent });
    const events = [
      at("203.0.113.1"),
      at("203.0.113.1"),
      at("203.0.113.2"),
      at("2001:db8::1"),
      at("203.0.113.2", IPHONE),
    ];
    const place = { "x-footfall-place": JSON.stringify({ country: "DE", asn: 1 }) };
    expect((await post("/v1/events", events, { ...bearer(shop), ...place })).status).toBe(202);
    expect(await countOf(shop)).toEqual([4, 5]);
    const { results } = await client.ask(shop, {
      metrics: ["events"],
      date_range: "all",
      dimensions: ["visit:country"],
    });
    expect(results.map(({ dimensions }) => dimensions[0])).not.toContain("DE");
    const refused = await post("/v1/events", { tracking_id: shop.tracking_id, address: "203.0.113.1" });
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining("address needs an API key")]);
  });

  const FORWARDED: readonly (readonly [
    rule: string,
    send: (id: string, address: string, headers: Record<string, string>) => Promise<Answer>,
  ])[] = [
    [
      "[PLA-4] X-Forwarded-For to Plausible's API",
      (id, address, headers) =>
        post(
          "/api/event",
          { n: "seen", u: "https://shop.test/", d: id },
          { "user-agent": CHROME, "x-forwarded-for": `${address}, 10.0.0.1`, ...headers },
        ),
    ],
    [
      "[UMA-3] payload.ip to Umami's",
      (id, ip, headers) =>
        post(
          "/api/send",
          { type: "event", payload: { website: id, name: "seen", ip, userAgent: CHROME } },
          { "user-agent": CHROME, ...headers },
        ),
    ],
    [
      "[GAF-2] ip_override to the Measurement Protocol",
      (id, ip_override, headers) => {
        const secret = headers["authorization"]?.slice(7) ?? "s";
        const body = { ip_override, user_agent: CHROME, events: [{ name: "seen" }] };
        return post(`/mp/collect?measurement_id=G-${id}&api_secret=${secret}`, body);
      },
    ],
  ];
  test.each(FORWARDED)("%s is believed from a request with a key, and only then", async (_, send) => {
    const shop = await createSender();
    for (const address of ["203.0.113.1", "203.0.113.2"]) {
      await send(shop.tracking_id, address, {});
      await send(shop.tracking_id, address, bearer(shop));
    }
    expect(await countOf(shop)).toEqual([3, 4]); // the two strangers are one: both came from this machine
  });

  test("[UMA-3] an API key may stand where a protocol has room for one id, and is never repeated", async () => {
    const shop = await createSender();
    const payload = { website: shop.write_key, name: "seen", ip: "203.0.113.7" };
    expect((await post("/api/send", { type: "event", payload })).status).toBe(200);
    const batch = { batch: [{ type: "track", event: "seen", userId: "u", messageId: "1" }] };
    expect((await post("/v1/batch", batch, basic(shop.write_key))).status).toBe(200);
    expect(await countOf(shop, ["events"])).toEqual([2]);
    const misplaced = await post("/v1/events", { tracking_id: shop.write_key });
    expect([misplaced.status, misplaced.text.includes(shop.write_key)]).toEqual([400, false]);
  });
});

describe("a site named by its hostname", () => {
  const event = (d: string) => ({ n: "pageview", u: `https://${d}/`, d });

  test("[FMT-2] it is counted for the stream that owns the hostname, also with www and in capitals", async () => {
    const shop = await createSite("named.example");
    for (const name of ["named.example", "www.named.example", "Named.Example."])
      expect((await post("/api/event", event(name), { "user-agent": CHROME })).headers.has("x-plausible-dropped")).toBe(
        false,
      );
    const unknown = await post("/api/event", event("nobody.example"), { "user-agent": CHROME });
    expect([unknown.status, unknown.headers.get("x-plausible-dropped")]).toEqual([202, "1"]);
    expect(await countOf(shop)).toEqual([1, 3]);
  });

  test("[FMT-2] one look-up serves many hits; while the database is away, known sites count and others are 503", async () => {
    const shop = await createSite("asked.example");
    const meter = async () => {
      const response = await fetch(`${client.collectorUrl}/v1/meter`, {
        headers: { authorization: "Bearer test-admin-token" },
      });
      return ((await response.json()) as { d1_rows_read: number }).d1_rows_read;
    };
    await post("/api/event", event("asked.example"), { "user-agent": CHROME });
    const before = await meter();
    for (let hit = 0; hit < 20; hit++) await post("/api/event", event("asked.example"), { "user-agent": CHROME });
    expect((await meter()) - before).toBeLessThan(10); // publishing and settings may read; 20 look-ups would show
    const database = await services.runtime.miniflare.getD1Database("DIRECTORY", "footfall-query");
    await database.exec("ALTER TABLE streams RENAME TO streams_away");
    try {
      expect((await post("/api/event", event("asked.example"), { "user-agent": CHROME })).status).toBe(202);
      const unknown = await post("/api/event", event("not-asked-before.example"), { "user-agent": CHROME });
      expect([unknown.status, unknown.headers.get("retry-after")]).toEqual([503, "5"]);
    } finally {
      await database.exec("ALTER TABLE streams_away RENAME TO streams");
    }
    expect(await countOf(shop, ["events"])).toEqual([22]);
  });

  test("[FMT-2] a request names twenty sites at most", async () => {
    const many = Array.from({ length: 21 }, (_, index) => `s${index}.example`).join(",");
    const answer = await post("/api/event", { n: "x", u: "https://s.example/", d: many });
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining("more than 20 sites")]);
  });
});

test("[SRV-3] an app that was offline for 72 hours and for 30 days: each event counts in its own Day, once", async () => {
  const shop = await client.createMerchant();
  const noon = Math.floor(Date.now() / (24 * HOUR_MS)) * 24 * HOUR_MS - 12 * HOUR_MS;
  const instants = [noon, noon - 72 * HOUR_MS, noon - 720 * HOUR_MS];
  const events = instants.map((timestamp, index) => ({
    id: `offline ${index}`,
    visitor_id: "install-17",
    url: "app://com.example.shop/Cart",
    user_agent: "Mozilla/5.0 (Linux; Android 16; Pixel 9) ExampleShop/4.2",
    timestamp: new Date(timestamp).toISOString(),
  }));
  for (let time = 0; time < 2; time++)
    expect((await post("/v1/events", { tracking_id: shop.tracking_id, events })).status).toBe(202);
  const question = { metrics: ["pageviews"], date_range: "all", dimensions: ["time:day"] };
  const days = await until(
    async () => {
      await services.runtime.fireCrons();
      const { results } = await client.ask(shop, question);
      return results.filter(({ metrics }) => metrics[0] === 1).map(({ dimensions }) => dimensions[0]);
    },
    ({ length }) => length === instants.length,
  );
  expect(days).toEqual(instants.map((instant) => new Date(instant).toISOString().slice(0, 10)).toSorted());
});

test("[FMT-1] identify, group, alias and performance are archived by their names and make no visit", async () => {
  const shop = await client.createMerchant();
  const message = (type: string, index: number) => ({
    type,
    messageId: `m${index}`,
    userId: "u",
    previousId: "a",
    groupId: "g",
    traits: { email: "someone@shop.test" },
  });
  const batch = ["identify", "group", "alias"].map(message);
  expect((await post("/v1/batch", { writeKey: shop.tracking_id, batch })).status).toBe(200);
  const performance = { type: "performance", payload: { website: shop.tracking_id, url: "/", lcp: 1200 } };
  expect((await post("/api/send", performance, { "user-agent": CHROME })).status).toBe(200);
  const start = { client_id: "1", events: [{ name: "session_start" }] };
  expect((await post(`/mp/collect?measurement_id=G-${shop.tracking_id}`, start)).status).toBe(204);
  expect(await countOf(shop, ["visitors", "visits", "pageviews", "events"])).toEqual([0, 0, 0, 0]);
  await untilArchived(client);
  const rows = await queryArchive(
    services.runtime,
    "SELECT name, dropped, props FROM events WHERE dropped = 'metadata' ORDER BY name",
  );
  expect(rows.map((row) => row["name"])).toEqual(["$alias", "$group", "$identify", "$performance", "$session"]);
  expect(JSON.stringify(rows)).not.toContain("someone@shop.test");
});

test("[POS-7] what PostHog's client records by itself makes no event, no visit, and no reader of one who bounced", async () => {
  const shop = await client.createMerchant();
  const recorded = ["$autocapture", "$rageclick", "$dead_click", "$copy_autocapture", "$$heatmap", "$web_vitals"];
  const described = [
    "$feature_flag_called",
    "$identify",
    "$set",
    "$groupidentify",
    "$opt_in",
    "$snapshot",
    "$pageleave",
  ];
  const capture = (distinct_id: string, names: readonly string[]) => ({
    api_key: shop.tracking_id,
    batch: names.map((event, index) => ({
      uuid: `${distinct_id} ${index}`,
      event,
      distinct_id,
      properties: { $current_url: "https://shop.example/" },
    })),
  });
  expect((await post("/batch/", capture("reader", ["$pageview", ...recorded, ...described]))).status).toBe(200);
  expect((await post("/batch/", capture("nobody", recorded))).status).toBe(200);
  expect(await countOf(shop, ["visitors", "visits", "pageviews", "events", "bounce_rate"])).toEqual([1, 1, 1, 1, 100]);
});

test("[POS-4] [SGM-5] pages of any origin may ask what their client is to do", async () => {
  const shop = await client.createMerchant();
  const origin = "https://shop.example";
  for (const path of [
    `/array/${shop.tracking_id}/config`,
    `/array/${shop.tracking_id}/config.js`,
    `/sourceConfig/?writeKey=${shop.tracking_id}`,
  ]) {
    const asked = { origin, "access-control-request-method": "GET", "access-control-request-headers": "authorization" };
    const preflight = await fetch(client.collectorUrl + path, { method: "OPTIONS", headers: asked });
    expect([path, preflight.headers.get("access-control-allow-headers")]).toEqual([path, "authorization"]);
    const response = await fetch(client.collectorUrl + path, { headers: { origin } });
    expect([path, response.status]).toEqual([path, 200]);
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
    expect(await response.text()).toContain(shop.tracking_id);
  }
  expect((await fetch(`${client.collectorUrl}/array/a%22b/config.js`)).status).toBe(400);
});

test("[FMT-9] with an API key in place of an ID the visitor's address is believed by every such protocol", async () => {
  const shop = await createSender();
  const key = shop.write_key;
  const addresses = ["203.0.113.7", "203.0.113.8"];
  for (const address of addresses) {
    const forwarded = { "user-agent": CHROME, "x-forwarded-for": `${address}, 10.0.0.1` };
    const paths = [
      `/collect?sid=${key}&p=%2F&h=https%3A%2F%2Fshop.example`,
      `/${key}/count?p=%2F`,
      `/g/collect?v=2&tid=${key}&en=page_view&dl=https%3A%2F%2Fshop.example%2F`,
      `/i?e=pv&aid=${key}&ip=${address}&url=https%3A%2F%2Fshop.example%2F`,
    ];
    for (const path of paths)
      expect((await fetch(client.collectorUrl + path, { headers: forwarded })).status).toBeLessThan(300);
    const event = { name: "pageview", url: "https://shop.example/", domain: key };
    expect((await post("/api/event", event, forwarded)).status).toBe(202);
  }
  expect(await countOf(shop, ["visitors", "pageviews"])).toEqual([2, 10]);
});

describe("packed bodies", () => {
  const capture = (shop: Merchant, event = "packed") =>
    JSON.stringify({ api_key: shop.tracking_id, event, distinct_id: "u", uuid: "packed 1" });

  test("[POS-3] gzip and zlib are known by their first bytes, with a word about it, without, and with a wrong one", async () => {
    const shop = await client.createMerchant();
    const named: Record<string, string>[] = [{}, { "content-encoding": "gzip" }, { "content-encoding": "identity" }];
    for (const headers of [...named, { "content-type": "text/plain" }]) {
      expect((await post("/capture/", gzipSync(capture(shop)), headers)).status).toBe(200);
      expect((await post("/i/v0/e/?compression=gzip-js&ip=1", deflateSync(capture(shop)), headers)).status).toBe(200);
    }
    // Something on its way has unpacked the body and left the header.
    expect((await post("/capture/", capture(shop), { "content-encoding": "gzip" })).status).toBe(200);
    expect(await countOf(shop)).toEqual([1, 1]);
  });

  test("[FMT-5] every way in takes packed bodies, and a slash at its end", async () => {
    const ways = ROUTES.filter((route) => "format" in route).flatMap(({ methods, paths }) =>
      (methods as readonly string[]).includes("POST") ? paths : [],
    );
    for (const path of ways) {
      const named = path.replace(":site", "shop.example");
      const plain = await post(named, "{}");
      for (const spelling of [named, `${named}/`, `/${named}/`]) {
        const packed = await post(spelling, gzipSync("{}"));
        expect([spelling, packed.status]).toEqual([spelling, plain.status]);
      }
    }
    expect(ways.length).toBeGreaterThan(20);
  });

  test("[POS-3] a bomb is cut off at the bound of any body; half a packing and other packings are refused", async () => {
    const shop = await client.createMerchant();
    const bomb = gzipSync(Buffer.alloc(64 * 1_048_576, " "));
    expect(bomb.length).toBeLessThan(REQUEST_BYTES_MAX);
    const packed = { "content-encoding": "gzip" };
    expect((await post("/batch/", bomb, packed)).status).toBe(413);
    expect((await post("/v1/batch", bomb, packed)).status).toBe(400); // Segment's word for too large
    expect((await post("/batch/", gzipSync(capture(shop)).subarray(0, 40), packed)).status).toBe(400);
    expect((await post("/batch/", "no gzip", packed)).status).toBe(400);
    expect((await post("/batch/", capture(shop), { "content-encoding": "br" })).status).toBe(415);
    expect((await post("/api/event", bomb)).status).toBe(413);
    expect(await countOf(shop)).toEqual([0, 0]);
  });
});
