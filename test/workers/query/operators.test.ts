// Who runs the deployment, each by a token of its own: what a scope opens, when a token ends, and what the audit log
// says.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { OPERATORS_COUNT_MAX } from "../../../core/limits.ts";
import { OPERATOR_SCOPES, type OperatorScope } from "../../../storage/directory/schema.ts";
import { operatorAccessOf } from "../../../workers/query/access.ts";
import { GUARDED_ROUTES } from "../../../workers/query/api.ts";
import { OPERATOR_OPENS } from "../../../workers/query/principal.ts";
import { leakIn } from "../../support/leak.ts";
import { ADMIN_TOKEN, type QueryWorker, type Reply, startQueryWorker } from "../../support/query-worker.ts";

let worker: QueryWorker;
let shop: { readonly id: string };

const as = (token: string, method: string, path: string, body?: unknown): Promise<Reply> =>
  worker.ask(method, path, { token, body });
const operator = async (scope: OperatorScope, extra: object = {}): Promise<{ id: string; token: string }> =>
  (await as(ADMIN_TOKEN, "POST", "/api/v1/operators", { name: `somebody of ${scope}`, scope, ...extra })).body;

beforeEach(async () => {
  worker = startQueryWorker({ RATE_LIMITS: "off", ADMIN_TOKEN_PREVIOUS: "the-admin-token-of-before" });
  const merchant = { name: "Shop", time_zone: "UTC", currency: "EUR" };
  shop = (await as(ADMIN_TOKEN, "POST", "/api/v1/merchants", merchant)).body;
});

describe("operators", () => {
  test("[OPR-1] each route opens to the scopes of its door, and to no other", async () => {
    for (const scope of OPERATOR_SCOPES) {
      const { token } = await operator(scope);
      for (const { method, path, door } of GUARDED_ROUTES) {
        if (path.startsWith("/api/v1/session")) continue; // operators have none
        const named = path.replace(":id", path.includes("replays") ? "rpl_none" : "mer_none").replace(/:\w+/, "none");
        const { status, body } = await as(token, method, named);
        const text = `${scope} ${method} ${named}: ${status} ${JSON.stringify(body)}`;
        if (OPERATOR_OPENS[scope].includes(door)) expect([200, 201, 202, 400, 404, 409, 503], text).toContain(status);
        else expect([status, body.error.code], text).toEqual([403, "forbidden"]);
      }
    }
  });

  test("[OPR-1] only an owner sees a merchant's own, or names other operators", async () => {
    expect(OPERATOR_SCOPES.filter((scope) => OPERATOR_OPENS[scope].includes("read"))).toEqual(["owner"]);
    const { token } = await operator("operate");
    expect((await as(token, "GET", `/api/v1/merchants/${shop.id}`)).status).toBe(403);
    expect((await as(token, "POST", "/api/v1/operators", { name: "me", scope: "owner" })).status).toBe(403);
    const owner = await operator("owner");
    expect((await as(owner.token, "GET", `/api/v1/merchants/${shop.id}`)).body.id).toBe(shop.id);
  });

  test("[OPR-1] the token is shown once, ends when it is revoked or its time is over, and asks no question", async () => {
    const { id, token } = await operator("read");
    expect(token).toMatch(/^ffo_[A-Za-z0-9_-]{43}$/);
    const { body } = await as(ADMIN_TOKEN, "GET", "/api/v1/operators");
    expect(body.operators).toMatchObject([{ id, scope: "read", hint: token.slice(0, 8), expires_at: null }]);
    expect(JSON.stringify(body)).not.toContain(token);
    expect((await as(token, "GET", "/api/v1/alerts")).status).toBe(200);
    const question = { site_id: shop.id, metrics: ["visitors"], date_range: "day" };
    expect((await as(token, "POST", "/api/v2/query", question)).status).toBe(401);
    expect((await as(ADMIN_TOKEN, "DELETE", `/api/v1/operators/${id}`)).body).toEqual({ id, revoked: true });
    expect((await as(token, "GET", "/api/v1/alerts")).status).toBe(401);
    expect((await as(ADMIN_TOKEN, "DELETE", `/api/v1/operators/${id}`)).status).toBe(404);
    const past = new Date(Date.now() - 1_000).toISOString();
    const refused = await as(ADMIN_TOKEN, "POST", "/api/v1/operators", { name: "x", scope: "read", expires_at: past });
    expect(refused.body.error).toMatchObject({ field: "expires_at", message: '"expires_at" must lie ahead.' });
    const soon = await operator("read", { expires_at: new Date(Date.now() + 60_000).toISOString() });
    expect((await as(soon.token, "GET", "/api/v1/alerts")).status).toBe(200);
    await worker.db.prepare("UPDATE operators SET expires_at = ? WHERE id = ?").bind(Date.now(), soon.id).run();
    expect((await as(soon.token, "GET", "/api/v1/alerts")).status).toBe(401);
  });

  test("[OPR-1] the audit log names who it was", async () => {
    const { id, token } = await operator("owner");
    await as(token, "PATCH", `/api/v1/merchants/${shop.id}`, { name: "Another name" });
    const { audit } = (await as(ADMIN_TOKEN, "GET", "/api/v1/audit?limit=2")).body;
    expect(audit).toMatchObject([
      { actor: id, act: "merchant.change" },
      { actor: "deployment", act: "operator.create", target: id },
    ]);
  });

  test("[OPR-1] there is room for so many", async () => {
    for (let count = 0; count < OPERATORS_COUNT_MAX; count++) await operator("metrics");
    expect((await as(ADMIN_TOKEN, "POST", "/api/v1/operators", { name: "x", scope: "read" })).body.error.code).toBe(
      "conflict",
    );
  });

  test("[OPR-2] ADMIN_TOKEN and the one before it are good, others are not", async () => {
    expect((await as("the-admin-token-of-before", "GET", "/api/v1/operators")).status).toBe(200);
    expect((await as("the-admin-token-of-befor", "GET", "/api/v1/operators")).status).toBe(401);
    expect((await as("", "GET", "/api/v1/operators")).status).toBe(401);
  });
});

test("[OPR-3] what must not be in a log is found where it is", () => {
  const secrets = ["a secret"];
  for (const line of [
    'error: {"event":"x","error":"a secret"}',
    `info: ffk_${"A".repeat(43)}`,
    "info: anna@shop.example",
    "info: 203.0.113.7 came",
    "info: 2001:db8::1 came",
  ])
    expect(leakIn(line, secrets), line).toBeDefined();
  for (const line of ['{"event":"rates_fetched","days":64}', "ffk_short", "127.0.0.1", "node_modules/@x/y.js"])
    expect(leakIn(line, secrets), line).toBeUndefined();
});

describe("[OPR-4] Cloudflare Access", () => {
  const [AUDIENCE, MEMBERS] = ["the operators' application", "the members' application"];
  const ORIGIN = { origin: "http://localhost" };
  let server: Server;
  let team: string;
  let keys: Readonly<Record<"own" | "stranger", CryptoKey>>;

  beforeAll(async () => {
    const [own, stranger] = [await generateKeyPair("RS256"), await generateKeyPair("RS256")];
    keys = { own: own.privateKey, stranger: stranger.privateKey };
    const served = [{ ...(await exportJWK(own.publicKey)), kid: "one", alg: "RS256", use: "sig" }];
    server = createServer((_, response) => {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ keys: served }));
    });
    await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
    team = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());
  beforeEach(async () => {
    worker = startQueryWorker({
      RATE_LIMITS: "off",
      ...{
        OPERATOR_ACCESS_TEAM: team,
        OPERATOR_ACCESS_AUDIENCE: AUDIENCE,
        ACCESS_TEAM: team,
        ACCESS_AUDIENCE: MEMBERS,
      },
    });
    shop = (await as(ADMIN_TOKEN, "POST", "/api/v1/merchants", { name: "Shop", time_zone: "UTC", currency: "EUR" }))
      .body;
  });

  interface Signed {
    readonly key?: "own" | "stranger";
    readonly issuer?: string;
    readonly audience?: string;
    readonly until?: string;
  }
  const jwtOf = (claims: object, { key = "own", issuer = team, audience = AUDIENCE, until = "1h" }: Signed = {}) =>
    new SignJWT({ ...claims })
      .setProtectedHeader({ alg: "RS256", kid: "one" })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(until)
      .sign(keys[key]);
  const by = (jwt: string, method: string, path: string, body?: unknown, headers: Record<string, string> = ORIGIN) =>
    worker.ask(method, path, { headers: { "cf-access-jwt-assertion": jwt, ...headers }, body });
  /** As the answer tells an owner, and the refusal others. */
  const scopeOf = async (claims: object): Promise<string | undefined> => {
    const { body } = await by(await jwtOf(claims), "GET", "/api/v1/session");
    return body.scope ?? /an operator of scope (\w+)\.$/.exec(body.error.message)?.[1];
  };
  const name = async (scope: OperatorScope, who: object) =>
    (await as(ADMIN_TOKEN, "POST", "/api/v1/operators", { name: scope, scope, ...who })).body;

  test("an address that it vouches for has the scope it was given, and no token", async () => {
    const made = await name("operate", { email: "Anna@Shop.example" });
    expect(made).toMatchObject({ email: "anna@shop.example", group: null, hint: "" });
    expect(made).not.toHaveProperty("token");
    const jwt = await jwtOf({ email: "anna@shop.example" });
    expect(await scopeOf({ email: "anna@shop.example" })).toBe("operate");
    expect((await by(jwt, "GET", "/api/v1/alerts")).status).toBe(200);
    expect((await by(jwt, "GET", `/api/v1/merchants/${shop.id}`)).status).toBe(403);
    expect((await by(jwt, "POST", "/api/v1/operators", { name: "me", scope: "owner" })).status).toBe(403);
    expect((await by(await jwtOf({ email: "ben@shop.example" }), "GET", "/api/v1/alerts")).status).toBe(401);
    expect((await as(ADMIN_TOKEN, "DELETE", `/api/v1/operators/${made.id}`)).status).toBe(200);
    expect((await by(jwt, "GET", "/api/v1/alerts")).status).toBe(401); // at once
  });

  test("of several groups the widest scope holds, an address before any; who has ended is none", async () => {
    await name("read", { group: "support" });
    const owners = await name("owner", { group: "on call" });
    const groups = ["support", "others", "on call"];
    expect(await scopeOf({ email: "a@shop.example", groups: ["support"] })).toBe("read");
    expect(await scopeOf({ email: "a@shop.example", groups })).toBe("owner");
    expect(await scopeOf({ email: "a@shop.example", custom: { groups } })).toBe("owner");
    expect(await scopeOf({ email: "a@shop.example", groups: ["others", 7, { on: "call" }] })).toBeUndefined();
    expect(await scopeOf({ email: "a@shop.example", groups: "on call" })).toBe("owner");
    await name("metrics", { email: "a@shop.example" });
    expect(await scopeOf({ email: "a@shop.example", groups })).toBe("metrics");
    await worker.db.prepare("UPDATE operators SET expires_at = ? WHERE id = ?").bind(Date.now(), owners.id).run();
    expect(await scopeOf({ email: "b@shop.example", groups })).toBe("read");
  });

  test("the audit log tells people of one group apart, and names nobody's address", async () => {
    const { id } = await name("owner", { group: "on call" });
    const path = `/api/v1/merchants/${shop.id}`;
    for (const who of ["a", "b", "a"])
      await by(await jwtOf({ email: `${who}@shop.example`, groups: ["on call"] }), "PATCH", path, { name: who });
    const { audit } = (await as(ADMIN_TOKEN, "GET", "/api/v1/audit?limit=3")).body as { audit: { actor: string }[] };
    const [third, second, first] = audit.map(({ actor }) => actor);
    expect(first).toMatch(new RegExp(`^${id}_[0-9a-f]{8}$`));
    expect([third === first, second === first]).toEqual([true, false]);
    expect(JSON.stringify(audit)).not.toContain("@");
  });

  test("what is forged, over, for the members' application or another, of another team, or names nobody, opens nothing", async () => {
    await name("owner", { email: "anna@shop.example" });
    const anna = { email: "anna@shop.example" };
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    const good = await jwtOf(anna);
    const wrong = [
      await jwtOf(anna, { key: "stranger" }),
      await jwtOf(anna, { until: "-1m" }),
      await jwtOf(anna, { audience: MEMBERS }),
      await jwtOf(anna, { audience: "another" }),
      await jwtOf(anna, { issuer: "https://evil.example" }),
      await jwtOf({}),
      await jwtOf({ email: ["anna@shop.example"] }),
      `${none}.${good.split(".")[1]}.`,
      `${good.slice(0, -4)}AAAA`,
      "nonsense",
    ];
    for (const jwt of wrong) expect((await by(jwt, "GET", "/api/v1/alerts")).status, jwt).toBe(401);
    expect((await by(good, "GET", "/api/v1/alerts")).status).toBe(200);
    // And nobody is a member by what the operators' application says.
    const asked = { site_id: shop.id, metrics: ["visitors"], date_range: "day" };
    expect((await by(good, "POST", "/api/v2/query", asked)).status).toBe(401);
  });

  test("another site's page changes nothing, and a token that is sent is what counts", async () => {
    await name("owner", { email: "anna@shop.example" });
    const jwt = await jwtOf({ email: "anna@shop.example" });
    const path = `/api/v1/merchants/${shop.id}`;
    expect((await by(jwt, "PATCH", path, { name: "X" }, { origin: "https://evil.example" })).status).toBe(403);
    expect((await by(jwt, "PATCH", path, { name: "X" }, { "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await by(jwt, "PATCH", path, { name: "X" })).status).toBe(200);
    const { token } = await operator("read");
    expect((await by(jwt, "PATCH", path, { name: "Y" }, { authorization: `Bearer ${token}` })).status).toBe(403);
  });

  test("one operator is an address or a group, and neither where Access is not known", async () => {
    const both = { name: "x", scope: "read", email: "a@shop.example", group: "g" };
    expect((await as(ADMIN_TOKEN, "POST", "/api/v1/operators", both)).status).toBe(400);
    const blank = { name: "x", scope: "read", group: " " };
    expect((await as(ADMIN_TOKEN, "POST", "/api/v1/operators", blank)).body.error.field).toBe("group");
    worker = startQueryWorker();
    const refused = await as(ADMIN_TOKEN, "POST", "/api/v1/operators", { ...both, group: undefined });
    expect([refused.status, refused.body.error.message]).toEqual([
      409,
      expect.stringContaining("OPERATOR_ACCESS_TEAM"),
    ]);
    expect((await by(await jwtOf({ email: "a@shop.example" }), "GET", "/api/v1/alerts")).status).toBe(401);
    const same = { OPERATOR_ACCESS_TEAM: team, OPERATOR_ACCESS_AUDIENCE: "one", ACCESS_AUDIENCE: "one" };
    expect(() => operatorAccessOf(same)).toThrow("one application");
    expect(() => operatorAccessOf({ OPERATOR_ACCESS_TEAM: team })).toThrow("go together");
  });
});
