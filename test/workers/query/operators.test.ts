// Who runs the deployment, each by a token of its own: what a scope opens, when a token ends, and what the audit log
// says.

import { beforeEach, describe, expect, test } from "vitest";
import { OPERATORS_COUNT_MAX } from "../../../core/limits.ts";
import { OPERATOR_SCOPES, type OperatorScope } from "../../../storage/directory/schema.ts";
import { ADMIN_ROUTES } from "../../../workers/query/app.ts";
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
      for (const [method, path, door] of ADMIN_ROUTES) {
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
