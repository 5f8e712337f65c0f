// A neighbour says that another shop's hostname is its own, first, or does so with thousands. Clients that name their
// site by its hostname, as Plausible's do, sent their hits to whoever had said it first, and its owner was refused.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plausible } from "../../core/formats/plausible.ts";
import { BLANK_HIT } from "../../core/hit.ts";
import { parseTxt } from "../../core/hostname-proof.ts";
import { SITES_KEPT_MS, STREAMS_COUNT_MAX } from "../../core/limits.ts";
import type { TrackingId } from "../../core/tracking-id.ts";
import { findSites } from "../../storage/directory/site.ts";
import type { CollectorEnv } from "../../workers/collector/env.ts";
import { sendersOf } from "../../workers/collector/sender.ts";
import { type DnsStub, startDnsStub } from "../support/dns-stub.ts";
import { CHROME } from "../support/events.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../support/query-worker.ts";
import { type Client, type Merchant, startServices } from "../support/services.ts";

const ROOT = join(import.meta.dirname, "../..");

interface Shop extends Merchant {
  /** A key of scope admin, as the merchant's own people have. */
  readonly admin: string;
}

describe("through the Workers", () => {
  let dns: DnsStub;
  let services: Awaited<ReturnType<typeof startServices>>;
  let client: Client;
  let victim: Shop;
  let neighbour: Shop;

  beforeAll(async () => {
    dns = await startDnsStub();
    services = await startServices({ DNS_URL: dns.url });
    client = services.client;
    [victim, neighbour] = [await newShop(), await newShop()];
  });
  afterAll(async () => {
    await services?.stop();
    dns?.close();
  });

  async function newShop(): Promise<Shop> {
    const merchant = await client.createMerchant();
    const path = `/api/v1/merchants/${merchant.id}/keys`;
    const key = (await client.admin("POST", path, { name: "admin", scope: "admin" })) as Merchant;
    return { ...merchant, admin: key.api_key };
  }

  async function own({ id, admin }: Shop, method: string, path: string, body?: object) {
    const response = await fetch(`${client.queryUrl}/api/v1/merchants/${id}/streams${path}`, {
      method,
      headers: { authorization: `Bearer ${admin}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  /** A page view as Plausible's script sends it; whether it was taken. */
  async function visit(hostname: string): Promise<boolean> {
    const body = JSON.stringify({ n: "pageview", u: `https://${hostname}/`, d: hostname });
    const headers = { "user-agent": CHROME };
    const response = await fetch(`${client.collectorUrl}/api/event`, { method: "POST", headers, body });
    expect(response.status).toBe(202);
    return !response.headers.has("x-plausible-dropped");
  }

  const countOf = async (merchant: Merchant) =>
    (await client.ask(merchant, { metrics: ["pageviews"], date_range: "all" })).results[0]?.metrics[0];

  test("[MER-11] hits of a shop do not go to a neighbour that said its hostname first", async () => {
    expect((await own(neighbour, "POST", "", { name: "Mine", hostname: "victim.example" })).status).toBe(201);
    expect(await visit("victim.example")).toBe(false);
    // What comes by a tracking ID is the neighbour's, whatever the hostname of its page.
    const hit = { tracking_id: neighbour.tracking_id, url: "https://victim.example/" };
    expect((await client.send(hit)).status).toBe(202);
    expect([await countOf(neighbour), await countOf(victim)]).toEqual([1, 0]);
  });

  test("[MER-12] the shop says it as well, proves it, and is counted", async () => {
    const before = [await countOf(neighbour), await countOf(victim)] as [number, number];
    expect((await own(neighbour, "POST", "", { name: "Mine", hostname: "proven.example" })).status).toBe(201);
    const made = await own(victim, "POST", "", { name: "Shop", hostname: "proven.example" });
    expect(made.status).toBe(201);
    const path = `/${made.body["number"]}/verify`;
    const refused = await own(victim, "POST", path);
    expect([refused.status, JSON.stringify(refused.body)]).toEqual([409, expect.stringContaining("no such record")]);
    dns.texts.set("_footfall.proven.example", [`footfall=${made.body["tracking_id"]}`]);
    expect(await own(victim, "POST", path)).toMatchObject({ status: 200, body: { hostname_proof: "dns" } });
    expect((await own(neighbour, "POST", "/3/verify")).status).toBe(409);
    expect([await visit("proven.example"), await visit("www.proven.example")]).toEqual([true, true]);
    expect([await countOf(neighbour), await countOf(victim)]).toEqual([before[0], before[1] + 2]);
  });

  test("[MER-12] [MER-14] the command line says what to put where, proves it, changes it and takes it away", async () => {
    const footfall = async (...args: readonly string[]) => {
      const command = [join(ROOT, "scripts/footfall.ts"), "stream", ...args, "--query-url", client.queryUrl, "--json"];
      const env = { PATH: process.env["PATH"] ?? "", FOOTFALL_ADMIN_TOKEN: victim.admin };
      return JSON.parse((await promisify(execFile)(process.execPath, command, { env })).stdout) as Record<
        string,
        unknown
      >;
    };
    const made = await footfall("create", victim.id, "--name", "Web", "--hostname", "cli.example");
    const number = String(made["number"]);
    const put = /Put a TXT record at _footfall\.cli\.example with the text "footfall=[0-9a-f-]{36}"/;
    await expect(footfall("verify", victim.id, number)).rejects.toThrow(put);
    dns.texts.set("_footfall.cli.example", [`footfall=${victim.tracking_id}`]); // of another stream of the merchant
    expect(await footfall("verify", victim.id, number)).toMatchObject({ hostname_proof: "dns", proof_record: null });
    const changed = await footfall("update", victim.id, number, "--name", "Till", "--hostname", "www.cli.example");
    expect(changed).toMatchObject({ name: "Till", hostname: "cli.example", hostname_proof: "dns" });
    expect(await footfall("update", victim.id, number, "--no-hostname")).toMatchObject({
      name: "Till",
      hostname: null,
    });
    await expect(footfall("update", victim.id, number)).rejects.toThrow("nothing to change");
  });
});

describe("in one isolate", () => {
  const NOW = Date.UTC(2027, 0, 10);
  let worker: QueryWorker;
  let env: CollectorEnv;
  let shops: readonly [Shop, Shop];

  beforeAll(async () => {
    worker = startQueryWorker();
    const { directory, ledgers } = worker;
    env = {
      ...{ DIRECTORY: directory, LEDGER_0: ledgers.all[0], POOL_SIZE: "4", TRACKING_SECRET: "secret" },
    } as unknown as CollectorEnv;
    shops = [await newShop(), await newShop()];
  });

  async function newShop(): Promise<Shop> {
    const ask = async (path: string, body: object) =>
      (await worker.ask("POST", `/api/v1/merchants${path}`, { token: ADMIN_TOKEN, body })).body;
    const merchant = await ask("", { name: "Shop", time_zone: "UTC", currency: "EUR" });
    const key = await ask(`/${merchant.id}/keys`, { name: "admin", scope: "admin" });
    return { ...merchant, admin: key.api_key };
  }

  const own = ({ id, admin }: Shop, method: string, path: string, body?: object) =>
    worker.ask(method, `/api/v1/merchants/${id}/streams${path}`, { token: admin, body });

  /** Whose a page view of a site is, or the code of its refusal. */
  async function senderOf(hostname: string, now: number): Promise<TrackingId | string | undefined> {
    const body = JSON.stringify({ n: "pageview", u: `https://${hostname}/`, d: hostname });
    const drafts = plausible.parse({ ...BLANK_HIT, path: "/api/event", body, receivedAt: now });
    if (!drafts.ok) return drafts.rejection.code;
    const senders = await sendersOf(drafts.value, undefined, { env, now, later: () => {} });
    const [sender] = senders.ok ? senders.value.all : [];
    if (sender === undefined || !sender.ok) return sender?.rejection.code;
    return { merchant: sender.value.merchant, stream: sender.value.stream };
  }

  test("[MER-13] a hostname that was sold goes to its new owner, and no isolate remembers the former one for long", async () => {
    const [seller, buyer] = shops;
    const says = (shop: Shop) => own(shop, "POST", "", { name: "Web", hostname: "sold.example" });
    const [sold, bought] = [(await says(seller)).body, (await says(buyer)).body];
    worker.readTexts = async () => [sold.proof_record.text];
    expect((await own(seller, "POST", `/${sold.number}/verify`)).status).toBe(200);
    expect(await senderOf("sold.example", NOW)).toEqual({ merchant: 1, stream: sold.number });
    // A record that was left in place keeps it where it is.
    worker.readTexts = async () => [sold.proof_record.text, bought.proof_record.text];
    expect((await own(buyer, "POST", `/${bought.number}/verify`)).status).toBe(409);
    worker.readTexts = async () => [bought.proof_record.text];
    expect((await own(buyer, "POST", `/${bought.number}/verify`)).status).toBe(200);
    expect(await senderOf("sold.example", NOW + SITES_KEPT_MS - 1)).toEqual({ merchant: 1, stream: sold.number });
    expect(await senderOf("sold.example", NOW + SITES_KEPT_MS)).toEqual({ merchant: 2, stream: bought.number });
    expect((await own(buyer, "PATCH", `/${bought.number}`, { hostname: null })).status).toBe(200);
    expect(await senderOf("sold.example", NOW + 2 * SITES_KEPT_MS)).toBe("unknown_tracking_id");
  });

  test("[MER-12] what DNS has instead is shown without marks that a terminal or a reader obeys", async () => {
    const [shop] = shops;
    const made = (await own(shop, "POST", "", { name: "Web", hostname: "marks.example" })).body;
    const data = ["\\027[31m", "\\155[31m", "\u202e", "\u2066", "\u2028", "\u200b"].map((mark) => `"a${mark}b"`);
    for (const one of data) {
      worker.readTexts = async () => [parseTxt(one)];
      const { status, body } = await own(shop, "POST", `/${made.number}/verify`);
      expect([status, body.error.message]).toEqual([409, expect.stringMatching(/Found there: "a(\[31m)?b"/)]);
    }
  });

  test("[MER-15] nor does anybody say twenty thousand hostnames, and none of those said is found", async () => {
    const [attacker] = shops;
    const tried = STREAMS_COUNT_MAX + 100;
    const heard: number[] = [];
    for (let at = 0; at < tried; at++)
      heard.push((await own(attacker, "POST", "", { name: "x", hostname: `shop-${at}.example` })).status);
    expect(heard.filter((status) => status === 201).length).toBeLessThan(STREAMS_COUNT_MAX);
    expect(new Set(heard.slice(STREAMS_COUNT_MAX))).toEqual(new Set([409]));
    const names = Array.from({ length: 100 }, (_, at) => `shop-${at}.example`);
    expect(await findSites(worker.directory, names)).toEqual(new Map());
  });
});
