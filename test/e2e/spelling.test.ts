// One thing, one spelling, and where visitors come from, on the real runtime: sent by several protocols, asked in any
// spelling.

import { afterAll, beforeAll, expect, test } from "vitest";
import { CHROME } from "../support/events.ts";
import { type Client, type Merchant, startServices, untilArchived } from "../support/services.ts";

let services: Awaited<ReturnType<typeof startServices>>;
let client: Client;

beforeAll(async () => {
  services = await startServices();
  client = services.client;
});
afterAll(() => services?.stop());

const DAY = { date_range: "day" };

async function rowsOf(shop: Merchant, question: Record<string, unknown>): Promise<readonly unknown[]> {
  const { results } = await client.ask(shop, { ...DAY, ...question });
  return results.map(({ dimensions, metrics }) => [...dimensions, ...metrics]);
}

/** Page views of as many visitors. */
const hits = (shop: Merchant, changes: readonly Record<string, unknown>[]) => ({
  tracking_id: shop.tracking_id,
  events: changes.map((change, index) => ({
    url: "https://shop.example/",
    user_agent: CHROME,
    visitor_id: `visitor ${index + 1}`,
    ...change,
  })),
});

test("[SPL-1] [SPL-3] a page in three spellings is one, by rollups and by events, asked in any of them", async () => {
  const shop = await client.createMerchant();
  const paths = ["/über-uns", "/%C3%BCber-uns", "/%c3%bcber-uns"];
  await client.send(
    hits(
      shop,
      paths.map((path) => ({ url: `https://shop.example${path}` })),
    ),
  );
  await untilArchived(client);
  const metrics = ["pageviews"];
  expect(await rowsOf(shop, { metrics, dimensions: ["event:page"] })).toEqual([["/über-uns", 3]]);
  for (const path of [...paths, "/u\u0308ber-uns"]) {
    for (const attribute of ["event:page", "visit:entry_page", "visit:exit_page"]) {
      const filters = [["is", attribute, [path]]];
      expect(await rowsOf(shop, { metrics, filters })).toEqual([[3]]);
      const two = { metrics, filters, dimensions: ["event:page", "visit:source"] };
      expect(await rowsOf(shop, two)).toEqual([["/über-uns", "Direct / None", 3]]);
    }
  }
});

test("[SPL-2] a host in several spellings is one, in answers, in filters and for streams", async () => {
  const body = { name: "Müller", time_zone: "UTC", currency: "EUR", hostname: "www.Müller-eins.example" };
  const shop = (await client.admin("POST", "/api/v1/merchants", body)) as Merchant;
  const hosts = ["müller-eins.example", "xn--mller-eins-9db.example", "MÜLLER-EINS.example.:443"];
  await client.send(
    hits(
      shop,
      hosts.map((host) => ({ url: `https://${host}/` })),
    ),
  );
  const response = await fetch(`${client.collectorUrl}/api/event`, {
    method: "POST",
    headers: { "user-agent": CHROME },
    body: JSON.stringify({
      n: "pageview",
      d: "müller-eins.example",
      u: "https://müller-eins.example/#/cart?utm_source=x",
      h: 1,
    }),
  });
  expect(response.headers.get("x-plausible-dropped")).toBe(null);
  const metrics = ["pageviews"];
  const [row, ...others] = await rowsOf(shop, { metrics, dimensions: ["event:hostname"] });
  expect([row, others]).toEqual([[expect.stringContaining("xn--"), 4], []]);
  for (const host of [...hosts.slice(0, 2), "Müller-Eins.example"])
    expect(await rowsOf(shop, { metrics, filters: [["is", "event:hostname", [host]]] })).toEqual([[4]]);
  expect(await rowsOf(shop, { metrics, filters: [["contains", "event:hostname", ["müller"]]] })).toEqual([[4]]);
  expect(await rowsOf({ ...shop, id: "MÜLLER-eins.example" }, { metrics })).toEqual([[4]]);
  const routes = await rowsOf(shop, {
    metrics,
    dimensions: ["event:page", "visit:source"],
    filters: [["is", "event:page", ["/#/cart"]]],
  });
  expect(routes).toEqual([["/#/cart", "X", 1]]);
});

test("[SPL-4] an address is one in each of its spellings, so a cookieless visitor is one too", async () => {
  const shop = await client.createMerchant();
  const key = await client.createWriteKey(shop);
  const addresses = ["203.0.113.7", "::ffff:203.0.113.7", "::FFFF:cb00:7107", "2001:db8::9", "2001:0DB8:0:0:0:0:0:9"];
  for (const address of addresses) {
    const events = [{ url: "https://shop.example/", user_agent: CHROME, address }];
    await client.send({ events }, { authorization: `Bearer ${key}` });
    await client.send(hits(shop, [{ visitor_id: "" }]), { "x-footfall-address": address });
  }
  expect(await rowsOf(shop, { metrics: ["visitors", "pageviews"] })).toEqual([[2, 10]]);
});

test("[SPL-5] a number that JSON cannot hold is asked for as it was written", async () => {
  const shop = await client.createMerchant();
  const sent = JSON.stringify(hits(shop, [{ props: { card: "#" } }]));
  for (const written of ["12345678901234567890", "12345678901234567891", "1e400", "12"])
    expect((await client.send(sent.replace('"#"', written))).body.accepted).toBe(1);
  const rows = await rowsOf(shop, { metrics: ["events"], dimensions: ["event:props:card"] });
  expect(rows.toSorted()).toEqual([
    ["12", 1],
    ["12345678901234567890", 1],
    ["12345678901234567891", 1],
    ["1e400", 1],
  ]);
});

test("[SPL-7] visitors whose page has no id for them are themselves", async () => {
  const shop = await client.createMerchant();
  for (const address of ["203.0.113.1", "203.0.113.2", "203.0.113.3"])
    await client.send(hits(shop, [{ visitor_id: "undefined" }]), { "x-footfall-address": address });
  expect(await rowsOf(shop, { metrics: ["visitors"] })).toEqual([[3]]);
});

test("[ENR-8] [ENR-10] signing in is no search, and a medium in parentheses is nobody's payment", async () => {
  const shop = await client.createMerchant();
  const referrers = ["https://accounts.google.com/", "https://docs.google.com/d/1", "https://mail.yandex.ru/"];
  const queries = ["?utm_source=newsletter&utm_medium=(none)", "?utm_source=partner&utm_medium=(referral)"];
  await client.send(
    hits(shop, [
      ...referrers.map((referrer) => ({ referrer })),
      ...queries.map((query) => ({ url: `https://shop.example/${query}` })),
    ]),
  );
  expect(await rowsOf(shop, { metrics: ["visits"], dimensions: ["visit:channel"] })).toEqual([
    ["Referral", 3],
    ["Direct", 1],
    ["Email", 1],
  ]);
});

test.each([
  [{ "sec-purpose": "prefetch" }],
  [{ "sec-purpose": "prefetch;prerender" }],
  [{ "sec-purpose": "prefetch;anonymous-client-ip" }],
  [{ purpose: "prefetch" }],
  [{ purpose: "preview" }],
  [{ "x-purpose": "preview" }],
  [{ "x-moz": "prefetch" }],
])("[ENR-14] %j is a prefetch, by every way in that browsers use", async (headers) => {
  const shop = await client.createMerchant();
  const { body } = await client.send(hits(shop, [{}, {}]), headers);
  expect(body.dropped).toEqual([
    { index: 0, reason: "prefetch" },
    { index: 1, reason: "prefetch" },
  ]);
  const pixel = `${client.collectorUrl}/v1/pixel.gif?tracking_id=${shop.tracking_id}&url=https://shop.example/`;
  expect((await fetch(pixel, { headers: { ...headers, "user-agent": CHROME } })).status).toBe(200);
  const message = { type: "event", payload: { website: shop.tracking_id, url: "/", hostname: "shop.example" } };
  const sent = { method: "POST", headers: { ...headers, "user-agent": CHROME }, body: JSON.stringify(message) };
  expect((await fetch(`${client.collectorUrl}/api/send`, sent)).status).toBe(200);
  expect(await rowsOf(shop, { metrics: ["pageviews"] })).toEqual([[0]]);
  expect(await rowsOf(shop, { metrics: ["drops"], dimensions: ["event:drop_reason"] })).toEqual([["prefetch", 4]]);
});

test("[ENR-12] rules name hosts of returns, are shown, and refused where they are wrong", async () => {
  const shop = await client.createMerchant();
  const path = `/api/v1/merchants/${shop.id}/rules`;
  const returns = { drop: ["Pay.MÜLLER.example"], admit: ["paypal.com"] };
  const { rules } = (await client.admin("PUT", path, { rules: { returns } })) as { rules: { returns: object } };
  expect(rules.returns).toEqual({ drop: ["pay.xn--mller-kva.example"], admit: ["paypal.com"] });
  await expect(client.admin("PUT", path, { rules: { returns: { drop: ["a/b"] } } })).rejects.toThrow(
    "rules/returns/drop/0",
  );
  await expect(client.admin("PUT", "/api/v1/rules", { rules: { returns } })).resolves.toMatchObject({
    rules: { returns: rules.returns },
  });
});
