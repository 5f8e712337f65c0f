// Streams: made, changed, bounded, and whose their hostnames are. DNS is a resolver on this machine.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PROOF_LOOKS_MAX, STREAMS_COUNT_MAX } from "../../../core/limits.ts";
import type { TrackingId } from "../../../core/tracking-id.ts";
import { findSites } from "../../../storage/directory/site.ts";
import { resolverOf } from "../../../workers/background/resolve.ts";
import { type DnsStub, startDnsStub } from "../../support/dns-stub.ts";
import { ADMIN_TOKEN, type QueryWorker, type Reply, startQueryWorker } from "../../support/query-worker.ts";

interface Shop {
  readonly id: string;
  readonly tracking_id: string;
  readonly api_key: string;
  /** A key of scope admin: what the merchant's own people have. */
  readonly admin: string;
}

let dns: DnsStub;
let worker: QueryWorker;
let shop: Shop;
let other: Shop;

const as = (token: string, method: string, path: string, body?: unknown): Promise<Reply> =>
  worker.ask(method, path, { token, body });
const own = ({ id, admin }: Shop, method: string, path = "", body?: unknown) =>
  as(admin, method, `/api/v1/merchants/${id}/streams${path}`, body);
const given = ({ id }: Shop, method: string, path = "", body?: unknown) =>
  as(ADMIN_TOKEN, method, `/api/v1/merchants/${id}/streams${path}`, body);
const says = async (whose: Shop, hostname: string) => (await own(whose, "POST", "", { name: "Web", hostname })).body;
const verify = (whose: Shop, number = 2) => own(whose, "POST", `/${number}/verify`);
const site = async (hostname: string): Promise<TrackingId | undefined> =>
  (await findSites(worker.directory, [hostname])).get(hostname);
const record = ({ tracking_id }: Shop) => `footfall=${tracking_id}`;

async function start(limits?: object): Promise<void> {
  worker = startQueryWorker(limits);
  worker.readTexts = async (name) =>
    await resolverOf(dns.url, fetch)
      .texts(name)
      .catch(() => undefined);
  const make = async (name: string): Promise<Shop> => {
    const merchant = (await as(ADMIN_TOKEN, "POST", "/api/v1/merchants", { name, time_zone: "UTC", currency: "EUR" }))
      .body;
    const path = `/api/v1/merchants/${merchant.id}/keys`;
    return {
      ...merchant,
      admin: (await as(ADMIN_TOKEN, "POST", path, { name: "admin", scope: "admin" })).body.api_key,
    };
  };
  shop = await make("Shop");
  other = await make("Other");
}

beforeEach(async () => {
  dns = await startDnsStub();
  await start();
});
afterEach(() => dns.close());

describe("a hostname", () => {
  test("[MER-11] that a merchant's own people give is said, and nothing looks it up", async () => {
    const made = await own(shop, "POST", "", { name: "Web", hostname: "www.Shop.example" });
    const { tracking_id } = made.body;
    expect(made).toMatchObject({
      status: 201,
      body: {
        hostname: "shop.example",
        hostname_proof: null,
        proof_record: { name: "_footfall.shop.example", type: "TXT", text: `footfall=${tracking_id}` },
      },
    });
    expect(await site("shop.example")).toBeUndefined();
    const question = { site_id: "shop.example", metrics: ["pageviews"], date_range: "day" };
    expect((await as(shop.api_key, "POST", "/api/v2/query", question)).status).toBe(401);
    // Nor does it keep another one from saying it, or tell it of the first.
    expect(await own(other, "POST", "", { name: "Web", hostname: "shop.example" })).toMatchObject({ status: 201 });
  });

  test("[MER-3] that the deployment gives needs no proof, and is given once", async () => {
    expect((await given(shop, "POST", "", { name: "Web", hostname: "shop.example" })).body).toMatchObject({
      hostname_proof: "given",
      proof_record: null,
    });
    expect(await site("shop.example")).toEqual({ merchant: 1, stream: 2 });
    const taken = { status: 409, body: { error: { code: "conflict", field: "hostname" } } };
    expect(await given(other, "POST", "", { name: "Web", hostname: "shop.example" })).toMatchObject(taken);
    const { number } = await says(other, "shop.example");
    expect(await given(other, "PATCH", `/${number}`, { hostname: "shop.example" })).toMatchObject(taken);
    await given(shop, "PATCH", "/2", { hostname: null });
    const moved = await given(other, "PATCH", `/${number}`, { hostname: "shop.example" });
    expect(moved.body.hostname_proof).toBe("given");
    expect(await site("shop.example")).toEqual({ merchant: 2, stream: number });
  });

  test("[MER-12] is proven by a record of DNS that names the merchant, and then looked up", async () => {
    await says(shop, "shop.example");
    const { body: listed } = await own(shop, "GET");
    const { name, text } = listed.streams[1].proof_record;
    dns.texts.set(name, ["v=spf1 -all", text]);
    expect(await verify(shop)).toMatchObject({ status: 200, body: { hostname_proof: "dns", proof_record: null } });
    expect(await site("shop.example")).toEqual({ merchant: 1, stream: 2 });
    const question = { site_id: "www.shop.example", metrics: ["pageviews"], date_range: "day" };
    expect((await as(shop.api_key, "POST", "/api/v2/query", question)).status).toBe(200);
    const asked = dns.asked.length;
    expect((await verify(shop)).status).toBe(200); // nothing is left to prove
    expect(dns.asked.length).toBe(asked);
    const { body: log } = await as(shop.admin, "GET", "/api/v1/audit");
    expect(log.audit[0]).toMatchObject({ act: "stream.verify", target: "2", details: { hostname: "shop.example" } });
  });

  test("[MER-12] that is not proven is answered with what to put where, and what was found instead", async () => {
    const { tracking_id } = await says(shop, "shop.example");
    const refused = async () => {
      const { status, body } = await verify(shop);
      return [status, body.error.code, body.error.message];
    };
    const put = `Put a TXT record at _footfall.shop.example with the text "footfall=${tracking_id}".`;
    expect(await refused()).toEqual([409, "conflict", expect.stringContaining(`${put} Found there: no such record.`)]);
    dns.texts.set("_footfall.shop.example", ["one", "x".repeat(9_000), "3", "4", "5", "6", record(other)]);
    const [, , message] = await refused();
    expect(message).toContain(`${put} Found there: "one", "${"x".repeat(80)}", "3", "4", "5" and 2 more.`);
    worker.readTexts = async () => ["\u001b[2J\u202e\ud800 odd"];
    expect((await refused())[2]).not.toMatch(/[\p{Cc}\p{Cs}]/u);
    worker.readTexts = async () => undefined;
    expect(await refused()).toEqual([503, "unavailable", expect.stringContaining("_footfall.shop.example")]);
    expect(await site("shop.example")).toBeUndefined();
    const { body: log } = await as(shop.admin, "GET", "/api/v1/audit");
    expect(log.audit.map(({ act }: { act: string }) => act)).not.toContain("stream.verify");
  });

  test("[MER-12] a neighbour's record proves nothing to whoever else has said the hostname", async () => {
    await says(shop, "shop.example");
    await says(other, "shop.example");
    dns.texts.set("_footfall.shop.example", [record(shop)]);
    expect((await verify(other)).status).toBe(409);
    expect((await verify(shop)).status).toBe(200);
    expect((await verify(other)).status).toBe(409);
    expect(await site("shop.example")).toEqual({ merchant: 1, stream: 2 });
  });

  test("[MER-13] goes to whom its present owner names, and the audit log of the former one says so", async () => {
    await says(shop, "shop.example");
    await says(other, "shop.example");
    dns.texts.set("_footfall.shop.example", [record(shop)]);
    await verify(shop);
    dns.texts.set("_footfall.shop.example", [record(shop), record(other)]);
    const held = await verify(other);
    expect([held.status, held.body.error.message]).toEqual([409, expect.stringContaining("Take it away")]);
    expect(await site("shop.example")).toEqual({ merchant: 1, stream: 2 });
    dns.texts.set("_footfall.shop.example", [record(other)]);
    expect((await verify(other)).status).toBe(200);
    expect(await site("shop.example")).toEqual({ merchant: 2, stream: 2 });
    expect((await own(shop, "GET")).body.streams[1]).toMatchObject({ hostname: "shop.example", hostname_proof: null });
    const { body: log } = await as(shop.admin, "GET", "/api/v1/audit");
    expect(log.audit[0]).toMatchObject({
      ...{ act: "hostname.lost", actor: "deployment", merchant: shop.id, target: "2", outcome: "done" },
      details: { hostname: "shop.example" },
    });
    expect(JSON.stringify(log)).not.toContain(other.id); // who has it now is not told
    expect((await verify(shop)).status).toBe(409); // and is not taken back by asking again
  });

  test("[MER-13] of two proofs at once one holds, and each loss is logged once", async () => {
    await says(shop, "shop.example");
    await says(other, "shop.example");
    dns.texts.set("_footfall.shop.example", [record(shop), record(other)]);
    const both = await Promise.all([verify(shop), verify(other)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    const { results } = await worker.db.prepare("SELECT * FROM streams WHERE hostname_proof IS NOT NULL").all();
    expect(results).toHaveLength(1);
    expect((await worker.db.prepare("SELECT * FROM audit WHERE act = 'hostname.lost'").all()).results).toEqual([]);
  });

  test("[MER-13] that the deployment gave goes to nobody by a record", async () => {
    await given(shop, "POST", "", { name: "Web", hostname: "shop.example" });
    await says(other, "shop.example");
    dns.texts.set("_footfall.shop.example", [record(other)]);
    const refused = await verify(other);
    expect([refused.status, refused.body.error.message]).toEqual([
      409,
      expect.stringContaining("Ask those who run it"),
    ]);
    expect(await site("shop.example")).toEqual({ merchant: 1, stream: 2 });
  });

  test("[MER-13] of a merchant that has ended is free", async () => {
    await says(shop, "shop.example");
    dns.texts.set("_footfall.shop.example", [record(shop)]);
    await verify(shop);
    await as(ADMIN_TOKEN, "DELETE", `/api/v1/merchants/${shop.id}`);
    expect(await site("shop.example")).toBeUndefined();
  });
});

describe("a change", () => {
  beforeEach(async () => {
    await says(shop, "shop.example");
    dns.texts.set("_footfall.shop.example", [record(shop)]);
    await verify(shop);
  });

  test("[MER-14] of the name, or to the hostname that is there, leaves the proof", async () => {
    const changed = await own(shop, "PATCH", "/2", { name: "Till", hostname: "WWW.shop.example" });
    expect(changed.body).toMatchObject({ name: "Till", hostname: "shop.example", hostname_proof: "dns" });
    expect((await own(shop, "PATCH", "/2", {})).body).toEqual(changed.body);
    const { body } = await given(shop, "PATCH", "/2", { hostname: "shop.example" });
    expect(body.hostname_proof).toBe("given"); // the deployment's word is more
  });

  test("[MER-14] takes a hostname away at once, and gives another one, which is said", async () => {
    const question = { site_id: "shop.example", metrics: ["pageviews"], date_range: "day" };
    const ask = async () => (await as(shop.api_key, "POST", "/api/v2/query", question)).status;
    expect(await ask()).toBe(200);
    const none = await own(shop, "PATCH", "/2", { hostname: null });
    expect(none.body).toMatchObject({ hostname: null, hostname_proof: null, proof_record: null });
    expect([await site("shop.example"), await ask()]).toEqual([undefined, 401]);
    expect((await verify(shop)).body.error.message).toContain("no hostname");
    const again = await own(shop, "PATCH", "/2", { hostname: "shop.example" });
    expect(again.body).toMatchObject({ hostname: "shop.example", hostname_proof: null });
    expect((await verify(shop)).status).toBe(200);
    expect((await own(shop, "PATCH", "/2", { hostname: "till.example" })).body.hostname_proof).toBeNull();
    expect(await site("shop.example")).toBeUndefined();
  });

  test("[MER-14] to a hostname of another stream of the merchant is refused, as is what is none", async () => {
    const refused = { status: 409, body: { error: { code: "conflict", field: "hostname" } } };
    expect(await own(shop, "PATCH", "/1", { hostname: "shop.example" })).toMatchObject(refused);
    expect(await own(shop, "POST", "", { name: "x", hostname: "shop.example" })).toMatchObject(refused);
    for (const hostname of ["", "https://shop.example", 7, "a b"])
      expect(await own(shop, "PATCH", "/2", { hostname })).toMatchObject({
        status: 400,
        body: { error: { code: "invalid_field", field: "hostname" } },
      });
  });

  test("[MER-14] of no stream of the merchant's own is 404", async () => {
    for (const path of ["/9", "/0", "/x", "/99999999", "/1.0", "/-1"]) {
      expect((await own(shop, "PATCH", path, { name: "x" })).status).toBe(404);
      expect((await own(shop, "POST", `${path}/verify`)).status).toBe(404);
    }
    expect((await as(other.admin, "PATCH", `/api/v1/merchants/${shop.id}/streams/2`, { hostname: null })).status).toBe(
      404,
    );
    expect(await site("shop.example")).toEqual({ merchant: 1, stream: 2 });
  });
});

test("[MER-15] a merchant has so many streams and no more, however many are asked for at once", async () => {
  const rows = Array.from({ length: STREAMS_COUNT_MAX - 11 }, (_, at) => at + 2);
  await worker.db
    .prepare("INSERT INTO streams (merchant, number, name, created_at) SELECT 1, value, 's', 0 FROM json_each(?)")
    .bind(JSON.stringify(rows))
    .run();
  const asked = Array.from({ length: 30 }, (_, at) => own(shop, "POST", "", { name: "x", hostname: `s${at}.example` }));
  const heard = (await Promise.all(asked)).map(({ status, body }) => `${status} ${body.error?.message ?? ""}`);
  expect(heard.filter((one) => one.startsWith("201"))).toHaveLength(10);
  expect(new Set(heard.filter((one) => !one.startsWith("201")))).toEqual(
    new Set([expect.stringMatching(/^409 A merchant has at most 1000 streams/)]),
  );
  expect((await own(other, "POST", "", { name: "x" })).status).toBe(201);
});

test("[MER-12] DNS is asked for a merchant so often, whichever of its people asks, and for another one all the same", async () => {
  const limit = { limit: async () => ({ success: true }) };
  await start({ LIMIT_KEY: limit, LIMIT_ADDRESS: limit, LIMIT_SIGN_IN: limit });
  await says(shop, "shop.example");
  await says(other, "other.example");
  for (let look = 0; look < PROOF_LOOKS_MAX; look++) expect((await verify(shop)).status).toBe(409);
  const second = (
    await as(ADMIN_TOKEN, "POST", `/api/v1/merchants/${shop.id}/keys`, { name: "second", scope: "admin" })
  ).body.api_key;
  for (const admin of [shop.admin, second]) {
    const refused = await verify({ ...shop, admin });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "10"]);
  }
  expect(dns.asked).toHaveLength(PROOF_LOOKS_MAX);
  expect((await verify(other)).status).toBe(409);
});
