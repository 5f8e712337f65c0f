// Members: invited by a link of one use, signed in by a password or by Cloudflare Access, with a role; and nobody
// learns who is one. The keys of Access are served by a real server here, and checked by the real library.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SESSION_MS, SESSIONS_LISTED_MAX, SIGN_IN_ATTEMPTS_MAX } from "../../../core/limits.ts";
import { hashKey } from "../../../storage/directory/credential.ts";
import { changeRole, parseEmail, removeMember } from "../../../storage/directory/members.ts";
import { hashPassword, matching } from "../../../storage/directory/password.ts";
import { forgetEnded } from "../../../storage/directory/sessions.ts";
import { GUARDED_ROUTES } from "../../../workers/query/api.ts";
import { OPENS } from "../../../workers/query/principal.ts";
import { ADMIN_TOKEN, type QueryWorker, type Reply, startQueryWorker } from "../../support/query-worker.ts";

const PASSWORD = "correct horse battery";
const ORIGIN = { origin: "http://localhost" };

let worker: QueryWorker;
let shop: { readonly id: string; readonly tracking_id: string };
let other: { readonly id: string };

const asOperator = (method: string, path: string, body?: unknown) =>
  worker.ask(method, path, { token: ADMIN_TOKEN, body });
const make = async (name: string) =>
  (await asOperator("POST", "/api/v1/merchants", { name, time_zone: "UTC", currency: "EUR" })).body;
const invite = async (email: string, role: string, merchant: { readonly id: string } = shop): Promise<string> =>
  (await asOperator("POST", `/api/v1/merchants/${merchant.id}/invites`, { email, role })).body.token;
const accept = (token: string, password: string | undefined = PASSWORD, headers: Record<string, string> = ORIGIN) =>
  worker.ask("POST", "/api/v1/invites/accept", { body: { token, password }, headers });
const signIn = (claim: object, headers: Record<string, string> = ORIGIN) =>
  worker.ask("POST", "/api/v1/session", {
    body: { email: "anna@shop.example", password: PASSWORD, ...claim },
    headers,
  });
/** The cookie an answer set, as a browser sends it back. */
const cookieOf = (reply: Reply): string => reply.headers.get("set-cookie")?.split(";")[0] ?? "";
/** A member that is signed in. */
const join = async (email: string, role: string, merchant: { readonly id: string } = shop) => {
  const accepted = await accept(await invite(email, role, merchant));
  return { id: accepted.body.member as string, cookie: cookieOf(accepted) };
};
const by = (cookie: string, method: string, path: string, body?: unknown, headers: Record<string, string> = ORIGIN) =>
  worker.ask(method, path, { headers: { cookie, ...headers }, ...(body !== undefined && { body }) });
const question = (site_id: string) => ({ site_id, metrics: ["pageviews"], date_range: "day" });

beforeEach(async () => {
  worker = startQueryWorker();
  shop = await make("Shop");
  other = await make("Other");
});

describe("invites", () => {
  test("[MEM-1] an invite makes a member once, with the role it names, and signs in", async () => {
    const token = await invite("Anna@Shop.example ", "viewer");
    expect(token).toMatch(/^ffi_[\w-]{43}$/);
    const accepted = await accept(token);
    expect(accepted).toMatchObject({
      status: 201,
      body: { kind: "member", email: "anna@shop.example", role: "viewer", merchant: { id: shop.id, name: "Shop" } },
    });
    expect((await by(cookieOf(accepted), "GET", "/api/v1/session")).body).toEqual(accepted.body);
    expect(await accept(token)).toMatchObject({ status: 404 });
    const { members } = (await asOperator("GET", `/api/v1/merchants/${shop.id}/members`)).body;
    expect(members).toMatchObject([{ id: accepted.body.member, email: "anna@shop.example", role: "viewer" }]);
  });

  test("[MEM-1] of two who take the same invite at once, one does", async () => {
    const token = await invite("anna@shop.example", "viewer");
    const statuses = (await Promise.all([accept(token), accept(token)])).map(({ status }) => status);
    expect(statuses.sort()).toEqual([201, 404]);
  });

  test("[MEM-1] an invite that was revoked, has ended or was made up is one answer", async () => {
    const path = `/api/v1/merchants/${shop.id}/invites`;
    const revoked = (await asOperator("POST", path, { email: "a@shop.example", role: "viewer" })).body;
    expect((await asOperator("GET", path)).body.invites).toMatchObject([{ id: revoked.id, email: "a@shop.example" }]);
    expect(JSON.stringify((await asOperator("GET", path)).body)).not.toContain(revoked.token);
    await asOperator("DELETE", `${path}/${revoked.id}`);
    const ended = await invite("b@shop.example", "viewer");
    await worker.db.prepare("UPDATE invites SET expires_at = 1").run();
    const answers = await Promise.all([revoked.token, ended, `ffi_${"A".repeat(43)}`].map((token) => accept(token)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(404);
  });

  test("[MEM-1] an invite for a member that is one gives a new password, no other role, and ends what was signed in", async () => {
    const owner = await join("anna@shop.example", "owner");
    const again = await accept(await invite("anna@shop.example", "viewer"), "another passphrase");
    expect(again.body).toMatchObject({ member: owner.id, role: "owner" });
    expect((await by(owner.cookie, "GET", "/api/v1/session")).status).toBe(401);
    expect((await signIn({})).status).toBe(401);
    expect((await signIn({ password: "another passphrase" })).status).toBe(201);
  });

  const ODD: readonly (readonly [email: string, spelling: string | undefined])[] = [
    ["ANNA@Shop.Example", "anna@shop.example"],
    [" a@b.example ", "a@b.example"],
    ["a.b+c@d.e.example", "a.b+c@d.e.example"],
    ["ünï@münchen.example", "ünï@münchen.example"],
    ["a@b", undefined],
    ["a@@b.example", undefined],
    ["<a@b.example>", undefined],
    ["a b@c.example", undefined],
    ["a@b.example\nBcc: c@d.example", undefined],
    [`${"a".repeat(250)}@b.example`, undefined],
    ["", undefined],
  ];
  test.each(ODD)("[MEM-1] the address %j is %j", (email, spelling) => {
    expect(parseEmail(email)).toBe(spelling);
  });
});

describe("signing in", () => {
  test("[MEM-2] a session is a cookie that scripts do not see, of this host, and ends with signing out", async () => {
    await join("anna@shop.example", "owner");
    const signed = await signIn({});
    expect(signed.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^footfall=fft_[\w-]{43}; Max-Age=1209600; Path=\/; HttpOnly; SameSite=Lax$/),
      expect.stringMatching(/^footfall-device=[\w.-]{60}; Max-Age=34560000; Path=\/; HttpOnly; SameSite=Lax$/),
    ]);
    const cookie = cookieOf(signed);
    expect((await by(cookie, "GET", `/api/v1/merchants/${shop.id}`)).status).toBe(200);
    const out = await by(cookie, "DELETE", "/api/v1/session");
    expect([out.status, out.headers.get("set-cookie")]).toEqual([200, expect.stringContaining("Max-Age=0")]);
    expect((await by(cookie, "GET", "/api/v1/session")).status).toBe(401);
  });

  test("[MEM-2] away from a developer's machine the cookie is Secure and bound to its host", async () => {
    const origin = { origin: "https://numbers.example" };
    const token = await invite("anna@shop.example", "owner");
    const body = { token, password: PASSWORD };
    const accepted = await worker.ask("POST", "https://numbers.example/api/v1/invites/accept", {
      body,
      headers: origin,
    });
    expect(accepted.headers.get("set-cookie")).toMatch(/^__Host-footfall=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  });

  test("[MEM-2] the database holds no token and no password, and a session ends in two weeks", async () => {
    const { cookie } = await join("anna@shop.example", "owner");
    const tables = ["sessions", "members", "invites", "audit", "sign_ins"];
    const all = await Promise.all(tables.map((table) => worker.db.prepare(`SELECT * FROM ${table}`).all()));
    const text = JSON.stringify(all);
    for (const secret of [cookie.slice("footfall=".length), PASSWORD]) expect(text).not.toContain(secret);
    expect(text).toContain(hashKey(cookie.slice("footfall=".length)));
    await worker.db.prepare("UPDATE sessions SET expires_at = expires_at - ?").bind(SESSION_MS).run();
    expect((await by(cookie, "GET", "/api/v1/session")).status).toBe(401);
    await forgetEnded(worker.db, Date.now());
    expect((await worker.db.prepare("SELECT * FROM sessions").all()).results).toEqual([]);
  });

  test("[MEM-3] a name nobody has and a wrong password are the same answer, to the byte", async () => {
    await join("anna@shop.example", "owner");
    const wrong = [
      { password: "wrong password" },
      { email: "nobody@shop.example" },
      { email: "nobody@shop.example", password: "wrong password" },
    ];
    const answers: string[] = [];
    for (const claim of wrong) {
      const { status, body, headers } = await signIn(claim);
      answers.push(JSON.stringify([status, body, [...headers]]));
    }
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toMatch(/^\[401,.*Wrong e-mail address or password/);
  });

  test("[MEM-3] a password nobody has takes the time of one that is wrong", () => {
    const stored = { password: hashPassword(PASSWORD, new Uint8Array(16)) };
    const timeOf = (given: readonly { password: string | null }[]) => {
      const start = performance.now();
      expect(matching("wrong password", given)).toEqual([]);
      return performance.now() - start;
    };
    // Nobody, a member of one shop, one that Access signed in, and one of 40 shops.
    const all = [[], [stored], [{ password: null }], Array<typeof stored>(40).fill(stored)];
    const times = all.map((given) => Math.min(...[1, 2, 3].map(() => timeOf(given))));
    expect(Math.min(...times) / Math.max(...times)).toBeGreaterThan(0.4);
    expect(matching(PASSWORD, [stored, { password: null }])).toEqual([stored]);
    expect(matching("", [{ password: null }])).toEqual([]);
  });

  test("[MEM-3] after ten attempts from one place a name is closed to it for a while, whether anybody has it or not", async () => {
    await join("anna@shop.example", "owner");
    const closed: unknown[] = [];
    for (const email of ["anna@shop.example", "nobody@shop.example"]) {
      // All at once: an attempt counts before it is judged.
      const all = await Promise.all(
        Array.from({ length: SIGN_IN_ATTEMPTS_MAX }, () => signIn({ email, password: "wrong password" })),
      );
      expect(all.map(({ status }) => status)).toEqual(Array(SIGN_IN_ATTEMPTS_MAX).fill(401));
      const { status, body, headers } = await signIn({ email });
      closed.push([status, body, headers.get("retry-after")]);
    }
    expect(closed[0]).toEqual([429, { error: { code: "rate_limited", message: expect.any(String) } }, "900"]);
    expect(closed[1]).toEqual(closed[0]);
    expect((await signIn({ email: "berta@shop.example" })).status).toBe(401); // another name, and nobody's
    await worker.db.prepare("UPDATE sign_ins SET until = 1").run();
    expect((await signIn({})).status).toBe(201);
    expect((await signIn({})).status).toBe(201); // signing in starts the count again
  });

  test("[MEM-3] an address tries so often and no more", async () => {
    const seen = new Map<string, number>();
    const limit = async ({ key }: { key: string }) => {
      seen.set(key, (seen.get(key) ?? 0) + 1);
      return { success: (seen.get(key) ?? 0) <= 1 };
    };
    worker = startQueryWorker({
      LIMIT_KEY: { limit: async () => ({ success: true }) },
      KEY_REQUESTS_MAX: "300",
      LIMIT_SIGN_IN: { limit },
    });
    const from = (address: string) => ({ ...ORIGIN, "cf-connecting-ip": address });
    expect((await signIn({}, from("2001:db8::1"))).status).toBe(401);
    const refused = await signIn({}, from("2001:db8::2"));
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "10"]);
    expect((await accept(`ffi_${"A".repeat(43)}`, PASSWORD, from("2001:db8::3"))).status).toBe(429);
    expect((await signIn({}, from("192.0.2.1"))).status).toBe(401);
  });

  describe("at several shops", () => {
    const anna = "anna@shop.example";
    const shopsOf = async (cookie: string) =>
      (await by(cookie, "GET", "/api/v1/shops")).body.shops.map(({ name, role }: Record<string, string>) => [
        name,
        role,
      ]);

    test("[MEM-9] one sign-in opens every shop that has the same address and password, each with its own role", async () => {
      await join(anna, "owner");
      await join(anna, "viewer", other);
      const cookie = cookieOf(await signIn({}));
      expect(await shopsOf(cookie)).toEqual([
        ["Shop", "owner"],
        ["Other", "viewer"],
      ]);
      for (const { id } of [shop, other]) {
        expect((await by(cookie, "POST", "/api/v2/query", question(id))).status).toBe(200);
        expect((await by(cookie, "GET", `/api/v1/merchants/${id}`)).body.id).toBe(id);
      }
      expect((await by(cookie, "GET", `/api/v1/merchants/${other.id}/keys`)).status).toBe(403);
      const named = { ...ORIGIN, "footfall-merchant": other.id };
      expect((await by(cookie, "DELETE", "/api/v1/session", undefined, named)).status).toBe(200);
      expect((await by(cookie, "GET", "/api/v1/shops")).status).toBe(401);
    });

    test("[MEM-9] a shop with another password stays closed, and an owner who invites an address learns and opens nothing elsewhere", async () => {
      await join(anna, "owner");
      const seen = await accept(await invite(anna, "owner", other), "chosen by the other shop");
      expect(await shopsOf(cookieOf(seen))).toEqual([["Other", "owner"]]);
      expect(await shopsOf(cookieOf(await signIn({})))).toEqual([["Shop", "owner"]]);
      expect(await shopsOf(cookieOf(await signIn({ password: "chosen by the other shop" })))).toEqual([
        ["Other", "owner"],
      ]);
      // Who takes an invite with a password that is right elsewhere is signed in to the inviting shop
      // alone, as with any other.
      const guessed = await accept(await invite(anna, "owner", other));
      expect(await shopsOf(cookieOf(guessed))).toEqual([["Other", "owner"]]);
    });

    test("[MEM-9] another password is one for the shops that are signed in to; removal takes one of them away", async () => {
      await join(anna, "owner");
      const { id } = await join(anna, "viewer", other);
      const cookie = cookieOf(await signIn({}));
      const named = { ...ORIGIN, "footfall-merchant": shop.id };
      const change = { password: PASSWORD, new_password: "another passphrase" };
      expect((await by(cookie, "PUT", "/api/v1/session/password", change, named)).status).toBe(200);
      expect((await signIn({})).status).toBe(401);
      const again = cookieOf(await signIn({ password: "another passphrase" }));
      expect(await shopsOf(again)).toHaveLength(2);
      await removeMember(worker.db, {
        merchant:
          (
            await worker.db
              .prepare("SELECT number FROM merchants WHERE id = ?")
              .bind(other.id)
              .first<{ number: number }>()
          )?.number ?? 0,
        id,
      });
      expect(await shopsOf(again)).toEqual([["Shop", "owner"]]);
    });
  });

  test("[MEM-4] a cookie changes nothing for a request of another site's page", async () => {
    const { cookie } = await join("anna@shop.example", "owner");
    const foreign: readonly Record<string, string>[] = [
      {},
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: "http://localhost.evil.example" },
      { "sec-fetch-site": "cross-site", origin: "http://localhost" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "none" },
    ];
    const path = `/api/v1/merchants/${shop.id}`;
    for (const headers of foreign) {
      const text = JSON.stringify(headers);
      expect((await by(cookie, "PATCH", path, { name: "Taken" }, headers)).status, text).toBe(403);
      expect((await by(cookie, "DELETE", "/api/v1/session", undefined, headers)).status, text).toBe(403);
      expect((await signIn({}, headers)).status, text).toBe(403);
      expect((await accept(`ffi_${"A".repeat(43)}`, PASSWORD, headers)).status, text).toBe(403);
    }
    expect((await by(cookie, "GET", path, undefined, {})).body.name).toBe("Shop");
    for (const headers of [ORIGIN, { "sec-fetch-site": "same-origin" }])
      expect((await by(cookie, "PATCH", path, { name: "Mine" }, headers)).status).toBe(200);
  });

  test("[MEM-2] another password ends the other sessions; the one it replaces has to be told", async () => {
    const { cookie } = await join("anna@shop.example", "owner");
    const elsewhere = cookieOf(await signIn({}));
    const change = (password: string, new_password: string) =>
      by(cookie, "PUT", "/api/v1/session/password", { password, new_password });
    expect((await change("wrong password", "another passphrase")).status).toBe(401);
    expect(await change(PASSWORD, "short")).toMatchObject({ status: 400, body: { error: { field: "new_password" } } });
    expect((await change(PASSWORD, "another passphrase")).body).toEqual({ changed: true });
    expect((await by(cookie, "GET", "/api/v1/session")).status).toBe(200);
    expect((await by(elsewhere, "GET", "/api/v1/session")).status).toBe(401);
    expect((await signIn({ password: "another passphrase" })).status).toBe(201);
    const log = (await asOperator("GET", "/api/v1/audit")).body;
    expect(log.audit.map(({ act }: { act: string }) => act)).toContain("member.password");
    expect(JSON.stringify(log)).not.toMatch(/passphrase|horse/);
  });
});

describe("roles", () => {
  test("[MEM-10] a person sees where they are signed in, and ends one of these sessions or all others", async () => {
    const agent =
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
    const { cookie: first } = await join("anna@shop.example", "viewer");
    const second = cookieOf(await signIn({}, { ...ORIGIN, "user-agent": agent }));
    const third = cookieOf(await signIn({}, { ...ORIGIN, "user-agent": "<script>" }));
    const { cookie: bob } = await join("bob@shop.example", "owner");
    const list = async (cookie: string) =>
      (await by(cookie, "GET", "/api/v1/sessions")).body.sessions as {
        id: string;
        current: boolean;
        browser: string;
      }[];
    const seen = await list(second);
    expect(seen).toHaveLength(3);
    const [own, ...others] = [...seen].sort((one, another) => Number(another.current) - Number(one.current));
    expect(own).toMatchObject({ current: true, browser: "Chrome", os: "Windows" });
    expect(others.map(({ current }) => current)).toEqual([false, false]);
    expect(await list(bob)).toHaveLength(1);
    for (const { id } of await list(bob)) {
      expect(id).toMatch(/^ses_[0-9a-f]{24}$/);
      expect((await by(second, "DELETE", `/api/v1/sessions/${id}`)).status).toBe(404); // it is somebody else's
    }
    const ended = (await list(third)).find(({ current }) => current)?.id;
    expect((await by(second, "DELETE", `/api/v1/sessions/${ended}`)).body).toEqual({ id: ended, signed_out: true });
    expect((await by(third, "GET", "/api/v1/session")).status).toBe(401);
    expect((await by(second, "DELETE", "/api/v1/sessions")).body).toEqual({ ended: 1 });
    expect((await by(first, "GET", "/api/v1/session")).status).toBe(401);
    expect((await by(second, "GET", "/api/v1/session")).status).toBe(200);
    expect((await by(bob, "GET", "/api/v1/session")).status).toBe(200);
    const last = await by(second, "DELETE", `/api/v1/sessions/${own?.id}`);
    expect(last.headers.get("set-cookie")).toMatch(/Max-Age=0/);
    expect((await by(second, "GET", "/api/v1/session")).status).toBe(401);
    expect((await asOperator("GET", "/api/v1/sessions")).status).toBe(409); // a token has no session
  });

  test("[MEM-10] all others end also where they are more than a list has", async () => {
    const { cookie } = await join("anna@shop.example", "viewer");
    const more = SESSIONS_LISTED_MAX + 20;
    await worker.db
      .prepare(
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO sessions (hash, member, expires_at, agent) SELECT 'other ' || i, s.member, s.expires_at + i, ''
       FROM n, (SELECT member, expires_at FROM sessions ORDER BY expires_at DESC LIMIT 1) AS s`,
      )
      .bind(more)
      .run();
    const listed = (await by(cookie, "GET", "/api/v1/sessions")).body.sessions as readonly object[];
    expect(listed).toHaveLength(SESSIONS_LISTED_MAX);
    expect((await by(cookie, "DELETE", "/api/v1/sessions")).body).toEqual({ ended: more });
    expect((await by(cookie, "GET", "/api/v1/sessions")).body.sessions).toMatchObject([{ current: true }]);
  });

  test("[MEM-10] whoever is invited to one shop under an address neither sees nor ends its session at another", async () => {
    const { cookie: real } = await join("anna@shop.example", "owner");
    const made = await accept(await invite("anna@shop.example", "owner", other), "another password");
    const sessions = (await by(cookieOf(made), "GET", "/api/v1/sessions")).body.sessions;
    expect(sessions).toHaveLength(1);
    expect((await by(cookieOf(made), "DELETE", "/api/v1/sessions")).body).toEqual({ ended: 0 });
    expect((await by(real, "GET", "/api/v1/session")).status).toBe(200);
  });

  test("[MEM-5] each route opens to the roles of its door, and questions to all of them", async () => {
    for (const role of ["viewer", "admin", "owner"] as const) {
      const { cookie } = await join(`${role}@shop.example`, role);
      for (const { method, path, door } of GUARDED_ROUTES) {
        if (path.endsWith("/session")) continue;
        // What an owner's request would do is in test/e2e/tenants.test.ts: it ends the merchant.
        if (method === "DELETE" && path === "/api/v1/merchants/:id" && role === "owner") continue;
        const own = path
          .replace(":id", path.includes("replays") ? "rpl_none" : shop.id)
          .replace(/:\w+_id/, "none_none");
        const { status, body } = await by(cookie, method, own);
        const text = `${role} ${method} ${own}: ${status} ${JSON.stringify(body)}`;
        if (OPENS[role].includes(door)) expect([200, 400, 404], text).toContain(status);
        else expect([status, body.error.code], text).toEqual([403, "forbidden"]);
      }
      expect((await by(cookie, "POST", "/api/v2/query", question(shop.id))).status).toBe(200);
      expect((await by(cookie, "POST", "/api/v2/query", question(shop.tracking_id))).status).toBe(200);
      expect((await by(cookie, "POST", "/api/v2/query", question(other.id))).status).toBe(401);
      expect((await by(cookie, "GET", `/api/v1/merchants/${other.id}`)).status).toBe(404);
    }
  });

  test("[MEM-5] a key decides nothing about members, whatever its scope", async () => {
    const key = { name: "runner", scope: "admin" };
    const { api_key } = (await asOperator("POST", `/api/v1/merchants/${shop.id}/keys`, key)).body;
    const path = `/api/v1/merchants/${shop.id}/invites`;
    const body = { email: "me@shop.example", role: "owner" };
    expect(await worker.ask("POST", path, { token: api_key, body })).toMatchObject({ status: 403 });
  });

  test("[MEM-5] a role that was changed and a member that was removed are so at once", async () => {
    const owner = await join("anna@shop.example", "owner");
    const admin = await join("ben@shop.example", "admin");
    const path = `/api/v1/merchants/${shop.id}`;
    const member = `${path}/members/${admin.id}`;
    expect((await by(admin.cookie, "PATCH", path, { name: "Bens" })).status).toBe(200);
    expect((await by(owner.cookie, "PATCH", member, { role: "viewer" })).body.role).toBe("viewer");
    expect((await by(admin.cookie, "PATCH", path, { name: "Bens" })).status).toBe(403);
    expect((await by(owner.cookie, "DELETE", member)).body).toEqual({ id: admin.id, removed: true });
    expect((await by(admin.cookie, "GET", path)).status).toBe(401);
    expect((await by(owner.cookie, "DELETE", member)).status).toBe(404);
    const [entry] = (await by(owner.cookie, "GET", "/api/v1/audit")).body.audit;
    expect(entry).toMatchObject({ act: "member.remove", actor: owner.id, target: admin.id });
  });

  test("[MEM-6] at least one owner stays, also when two go at once", async () => {
    const [anna, ben] = [await join("anna@shop.example", "owner"), await join("ben@shop.example", "owner")];
    const members = `/api/v1/merchants/${shop.id}/members`;
    const named = (id: string) => ({ merchant: 1, id });
    const both = await Promise.all([
      removeMember(worker.db, named(anna.id)),
      changeRole(worker.db, { ...named(ben.id), role: "viewer" }),
    ]);
    expect(both.filter((outcome) => outcome === "last owner")).toHaveLength(1);
    const [owner] = (await asOperator("GET", members)).body.members.filter(
      ({ role }: { role: string }) => role === "owner",
    );
    for (const refused of [
      await asOperator("DELETE", `${members}/${owner.id}`),
      await asOperator("PATCH", `${members}/${owner.id}`, { role: "admin" }),
    ])
      expect(refused).toMatchObject({
        status: 409,
        body: { error: { message: expect.stringContaining("last owner") } },
      });
    expect((await asOperator("PATCH", `${members}/${owner.id}`, { role: "owner" })).status).toBe(200);
  });

  test("[MEM-6] another merchant's member and invite are as if they were not there", async () => {
    const { cookie } = await join("anna@shop.example", "owner");
    const theirs = await join("ben@other.example", "owner", other as typeof shop);
    const foreign = (
      await asOperator("POST", `/api/v1/merchants/${other.id}/invites`, { email: "c@d.example", role: "viewer" })
    ).body;
    const path = `/api/v1/merchants/${shop.id}`;
    for (const [kind, ids] of [
      ["members", [theirs.id, "mem_none"]],
      ["invites", [foreign.id, "inv_none"]],
    ] as const) {
      const answers = await Promise.all(ids.map((id) => by(cookie, "DELETE", `${path}/${kind}/${id}`)));
      expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
      expect(answers[0]?.status).toBe(404);
    }
  });

  test("[MEM-11] preferences are a person's, at every shop that the session opens, and nobody else's", async () => {
    const anna = await join("anna@shop.example", "viewer");
    await join("anna@shop.example", "viewer", other);
    const boris = await join("boris@shop.example", "owner");
    const path = "/api/v1/preferences";
    const none = { language: null, theme: null, start_page: null, region: null };
    expect(await by(anna.cookie, "GET", path)).toMatchObject({ status: 200, body: none });
    const both = cookieOf(await signIn({}));
    const shops = { ...ORIGIN, "footfall-merchant": shop.id };
    const chosen = { theme: "dark", start_page: "morning" };
    expect((await by(both, "PATCH", path, chosen, shops)).body).toEqual({ ...none, ...chosen });
    expect((await by(both, "PATCH", path, { region: "AT", theme: null }, shops)).body).toEqual({
      ...none,
      start_page: "morning",
      region: "AT",
    });
    expect((await by(anna.cookie, "GET", path)).body).toMatchObject({ start_page: "morning", region: "AT" });
    expect((await by(boris.cookie, "GET", path)).body).toEqual(none);
    for (const wrong of [{ region: "at" }, { start_page: "../x" }, { language: "xx" }, { theme: 1 }, { else: 1 }, []])
      expect(await by(both, "PATCH", path, wrong, shops)).toMatchObject({ status: 400 });
    expect((await by(both, "PATCH", path, chosen, { "footfall-merchant": shop.id })).status).toBe(403);
    expect((await asOperator("GET", path)).status).toBe(409);
    const later = await make("Later");
    await join("anna@shop.example", "viewer", later);
    const all = cookieOf(await signIn({}));
    expect((await by(all, "GET", path, undefined, shops)).body).toMatchObject({ region: "AT" });
  });

  test("[MEM-7] members and open invites together are at most 100", async () => {
    await worker.db
      .prepare(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 99)
         INSERT INTO members (id, merchant, email, role, created_at) SELECT 'mem_' || i, 1, i || '@b.example', 'viewer', 0 FROM n`,
      )
      .run();
    const path = `/api/v1/merchants/${shop.id}/invites`;
    const statuses = [];
    for (const email of ["x@b.example", "y@b.example"])
      statuses.push((await asOperator("POST", path, { email, role: "viewer" })).status);
    expect(statuses).toEqual([201, 409]);
  });
});

describe("Cloudflare Access", () => {
  const AUDIENCE = "the application's tag";
  let server: Server;
  let team: string;
  let jwtOf: (
    claims?: object,
    options?: { issuer?: string; audience?: string; until?: string; kid?: string },
  ) => Promise<string>;
  let forged: string;

  beforeAll(async () => {
    const { publicKey, privateKey } = await generateKeyPair("RS256");
    const stranger = await generateKeyPair("RS256");
    const keys = [{ ...(await exportJWK(publicKey)), kid: "one", alg: "RS256", use: "sig" }];
    server = createServer((request, response) => {
      const isKeys = request.url === "/cdn-cgi/access/certs";
      response.writeHead(isKeys ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify({ keys }));
    });
    await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
    team = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const sign = (
      key: CryptoKey,
      claims: object,
      { issuer = team, audience = AUDIENCE, until = "1h", kid = "one" } = {},
    ) =>
      new SignJWT({ email: "Anna@shop.example", ...claims })
        .setProtectedHeader({ alg: "RS256", kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(until)
        .sign(key);
    jwtOf = (claims = {}, options = {}) => sign(privateKey, claims, options);
    forged = await sign(stranger.privateKey, {});
  });
  afterAll(() => void server.close());
  beforeEach(async () => {
    worker = startQueryWorker({ RATE_LIMITS: "off", ACCESS_TEAM: team, ACCESS_AUDIENCE: AUDIENCE });
    shop = await make("Shop");
    other = await make("Other");
  });
  const access = (jwt: string, headers: Record<string, string> = ORIGIN) => ({
    "cf-access-jwt-assertion": jwt,
    ...headers,
  });
  const at = (jwt: string, method: string, path: string, body?: unknown, headers = ORIGIN as Record<string, string>) =>
    worker.ask(method, path, { headers: access(jwt, headers), ...(body !== undefined && { body }) });
  const joinAs = async (merchant: { readonly id: string }, email: string, role: string) => {
    const token = await invite(email, role, merchant as typeof shop);
    return worker.ask("POST", "/api/v1/invites/accept", { body: { token }, headers: access(await jwtOf({ email })) });
  };

  test("[MEM-8] whom Access vouches for is a member once invited, without a password", async () => {
    const jwt = await jwtOf();
    expect((await at(jwt, "GET", "/api/v1/session")).status).toBe(401);
    const joined = await joinAs(shop, "anna@shop.example", "owner");
    expect(joined).toMatchObject({ status: 201, body: { email: "anna@shop.example", role: "owner" } });
    expect((await at(jwt, "GET", "/api/v1/session")).body).toMatchObject({ kind: "member", role: "owner" });
    expect((await at(jwt, "PATCH", `/api/v1/merchants/${shop.id}`, { name: "Mine" })).status).toBe(200);
    expect((await at(jwt, "POST", "/api/v2/query", question(shop.id))).status).toBe(200);
    expect(
      (await at(jwt, "PATCH", `/api/v1/merchants/${shop.id}`, { name: "X" }, { origin: "https://evil.example" }))
        .status,
    ).toBe(403);
    expect((await signIn({})).status).toBe(403);
  });

  test("[MEM-8] a JWT that is forged, over, for another application or team, or names nobody, opens nothing", async () => {
    await joinAs(shop, "anna@shop.example", "owner");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    const wrong = [
      forged,
      await jwtOf({}, { audience: "another" }),
      await jwtOf({}, { issuer: "https://evil.example" }),
      await jwtOf({}, { until: "-1m" }),
      await jwtOf({}, { kid: "two" }),
      await jwtOf({ email: undefined }),
      await jwtOf({ email: ["anna@shop.example"] }),
      await jwtOf({ email: "anna@shop.example@evil.example" }),
      `${none}.${(await jwtOf()).split(".")[1]}.`,
      `${(await jwtOf()).slice(0, -4)}AAAA`,
      "nonsense",
      "..",
    ];
    for (const jwt of wrong) {
      expect((await at(jwt, "GET", "/api/v1/session")).status, jwt).toBe(401);
      expect((await at(jwt, "POST", "/api/v2/query", question(shop.id))).status, jwt).toBe(401);
    }
  });

  test("[MEM-8] an invite for another address is not taken, and stays", async () => {
    const token = await invite("ben@shop.example", "owner");
    const take = async (email: string) =>
      (await worker.ask("POST", "/api/v1/invites/accept", { body: { token }, headers: access(await jwtOf({ email })) }))
        .status;
    expect([await take("anna@shop.example"), await take("ben@shop.example")]).toEqual([404, 201]);
  });

  test("[MEM-8] who is a member of several merchants says which; the path does too", async () => {
    await joinAs(shop, "anna@shop.example", "viewer");
    await joinAs(other, "anna@shop.example", "owner");
    const jwt = await jwtOf();
    expect((await at(jwt, "GET", `/api/v1/merchants/${shop.id}`)).body.name).toBe("Shop");
    expect((await at(jwt, "GET", `/api/v1/merchants/${other.id}/members`)).status).toBe(200);
    expect((await at(jwt, "GET", `/api/v1/merchants/${shop.id}/members`)).status).toBe(403);
    expect(await at(jwt, "GET", "/api/v1/audit")).toMatchObject({
      status: 400,
      body: { error: { field: "Footfall-Merchant" } },
    });
    const named = (id: string) => at(jwt, "GET", "/api/v1/session", undefined, { "footfall-merchant": id });
    expect((await named(other.id)).body).toMatchObject({ role: "owner", merchant: { id: other.id } });
    for (const { id } of [shop, other]) expect((await at(jwt, "POST", "/api/v2/query", question(id))).status).toBe(200);
  });

  test("[MEM-8] where the team's keys cannot be read the answer is 503, and not that nobody is there", async () => {
    worker = startQueryWorker({ RATE_LIMITS: "off", ACCESS_TEAM: `${team}/elsewhere`, ACCESS_AUDIENCE: AUDIENCE });
    expect((await at(await jwtOf({}, { issuer: `${team}/elsewhere` }), "GET", "/api/v1/session")).status).toBe(503);
  });
});
