// Somebody who knows an owner's address tries passwords, from one place or from many at once. They are slowed down; the
// owner is not locked out: another address, a browser that has signed in before, and a session that is open go on.

import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import {
  MEMBER_SIGN_INS_MAX,
  MERCHANT_SIGN_INS_MAX,
  PASSWORD_MICROSECONDS,
  PASSWORDS_PER_SECOND,
  SESSIONS_FORGET_ROWS,
  SIGN_IN_ATTEMPTS_MAX,
  SIGN_IN_NETWORK_MAX,
  SIGN_IN_PERIOD_SECONDS,
  SIGN_IN_STRANGER_SECONDS,
  SIGN_IN_STRANGERS_MAX,
} from "../../core/limits.ts";
import { hashKey } from "../../storage/directory/credential.ts";
import { forgetEnded } from "../../storage/directory/sessions.ts";
import { memoryOf } from "../../workers/query/deps.ts";
import { OF_SIGN_INS, PurseMemory } from "../../workers/query/purse-memory.ts";
import { isDrawn } from "../../workers/query/sessions.ts";
import { ADMIN_TOKEN, type QueryWorker, type Reply, startQueryWorker } from "../support/query-worker.ts";
import { seededRandom } from "../support/random.ts";

const PASSWORD = "correct horse battery";
const EMAIL = "anna@shop.example";
let worker: QueryWorker;
let shop: { readonly id: string };
/** Of the browser in which the invite was taken. */
let cookies: string;

const cookiesOf = ({ headers }: Reply) =>
  headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0])
    .join("; ");
const deviceOf = (all: string) => all.split("; ").find((cookie) => cookie.startsWith("footfall-device=")) ?? "";
const signIn = (address: string, password: string, more: Record<string, string> = {}, email = EMAIL) =>
  worker.ask("POST", "/api/v1/session", {
    body: { email, password },
    headers: { origin: "http://localhost", "cf-connecting-ip": address, ...more },
  });
const wrong = async (address: string, times: number, email = EMAIL) =>
  (await Promise.all(Array.from({ length: times }, () => signIn(address, "wrong password", {}, email)))).map(
    ({ status }) => status,
  );
/** As if that many had been tried: each takes a fifth of a second of scrypt. */
const pretend = (from: string, attempts: number, email = EMAIL) =>
  worker.db
    .prepare("INSERT OR REPLACE INTO sign_ins (hash, attempts, until) VALUES (?, ?, ?)")
    .bind(hashKey(`${email} ${from}`), attempts, Date.now() + 900_000)
    .run();
/** Guesses from so many addresses that no stranger is drawn while a test runs. */
const flood = async (email = EMAIL) => await pretend("strangers", 1e12, email);

beforeEach(async () => {
  worker = startQueryWorker();
  const body = { name: "Shop", time_zone: "UTC", currency: "EUR" };
  shop = (await worker.ask("POST", "/api/v1/merchants", { token: ADMIN_TOKEN, body })).body;
  const path = `/api/v1/merchants/${shop.id}/invites`;
  const invite = (await worker.ask("POST", path, { token: ADMIN_TOKEN, body: { email: EMAIL, role: "owner" } })).body;
  const headers = { origin: "http://localhost", "cf-connecting-ip": "192.0.2.1" };
  const taken = { body: { token: invite.token, password: PASSWORD }, headers };
  cookies = cookiesOf(await worker.ask("POST", "/api/v1/invites/accept", taken));
});

test("[MEM-3] ten wrong passwords from one address close the name to that address, and to nobody else", async () => {
  const other = "203.0.113.9";
  expect(await wrong("198.51.100.7", SIGN_IN_ATTEMPTS_MAX)).toEqual(Array(SIGN_IN_ATTEMPTS_MAX).fill(401));
  const closed = await signIn("198.51.100.7", PASSWORD);
  expect([closed.status, closed.headers.get("retry-after")]).toEqual([429, String(SIGN_IN_PERIOD_SECONDS)]);
  expect((await signIn(other, PASSWORD)).status).toBe(201);
  // Going on from there costs nothing, and does not count for others either.
  expect(await wrong("198.51.100.7", SIGN_IN_STRANGERS_MAX)).toEqual(Array(SIGN_IN_STRANGERS_MAX).fill(429));
  expect((await signIn(other, PASSWORD)).status).toBe(201);
});

test("[MEM-3] guesses from many addresses slow strangers down; a browser that has signed in before is let in", async () => {
  await flood();
  const stranger = await signIn("203.0.113.9", PASSWORD);
  expect([stranger.status, stranger.headers.get("retry-after")]).toEqual([429, String(SIGN_IN_STRANGER_SECONDS)]);
  expect((await signIn("203.0.113.9", PASSWORD, { cookie: deviceOf(cookies) })).status).toBe(201);
  // Also from an address that has tried too often: in a café the owner shares it with who guesses.
  await pretend("address 198.51.100.1", SIGN_IN_ATTEMPTS_MAX);
  expect((await signIn("198.51.100.1", PASSWORD, { cookie: deviceOf(cookies) })).status).toBe(201);
  // A stranger who is drawn is let in with the right password.
  await pretend("strangers", SIGN_IN_STRANGERS_MAX - 1);
  expect((await signIn("203.0.113.10", PASSWORD)).status).toBe(201);
});

test("[MEM-3] one network is one stranger, however many addresses it has", async () => {
  await pretend("network 2001:db8:1/48", SIGN_IN_NETWORK_MAX - 1);
  const tried = await Promise.all([1, 2, 3].map((at) => signIn(`2001:db8:1:${at}::1`, "wrong password")));
  expect(tried.map(({ status }) => status).sort()).toEqual([401, 429, 429]);
  expect((await signIn("2001:db8:2::1", PASSWORD)).status).toBe(201);
  await pretend("network 203.0.113/24", SIGN_IN_NETWORK_MAX);
  expect((await signIn("203.0.113.200", PASSWORD)).status).toBe(429);
  expect((await signIn("203.0.112.200", PASSWORD)).status).toBe(201);
  // What a closed network tries does not count among strangers.
  await pretend("strangers", SIGN_IN_STRANGERS_MAX - 1);
  await pretend("network 2001:db8:1/48", SIGN_IN_NETWORK_MAX);
  await Promise.all([7, 8, 9].map((at) => signIn(`2001:db8:1:${at}::1`, "wrong password")));
  expect((await signIn("198.51.100.1", PASSWORD)).status).toBe(201);
});

test("[MEM-3] an owner in a new browser gets through by lot within a minute, and few guesses are judged", () => {
  const random = seededRandom(18);
  const lot = () => Uint8Array.from({ length: 4 }, () => random.integer(0, 255));
  const runs = 300;
  let entered = 0;
  let judged = 0;
  for (let run = 0; run < runs; run++) {
    // 80 addresses of as many networks, one guess each 0.4 s as long as their ten last; the owner tries each
    // 5 s, in the worst minute.
    const guesses = 80 * SIGN_IN_ATTEMPTS_MAX;
    let count = 0;
    while (count < guesses) if (isDrawn(++count, lot())) judged += 1;
    const tries = Array.from({ length: SIGN_IN_ATTEMPTS_MAX }, () => isDrawn(++count, lot()));
    if (tries.includes(true)) entered += 1;
  }
  console.log(`  owner let in within ${10 * SIGN_IN_STRANGER_SECONDS} s in ${Math.round((100 * entered) / runs)} %`);
  console.log(`  ${Math.round(judged / runs)} of ${80 * SIGN_IN_ATTEMPTS_MAX} guesses judged in a quarter of an hour`);
  expect(entered / runs).toBeGreaterThan(0.7);
  expect(judged / runs).toBeLessThan(3 * SIGN_IN_STRANGERS_MAX);
});

test("[MEM-3] a known browser has ten attempts as well, and its cookie is good for one name only", async () => {
  const cookie = { cookie: deviceOf(cookies) };
  const nonce = cookie.cookie.slice("footfall-device=".length).split(".")[0];
  await pretend(`device ${nonce}`, SIGN_IN_ATTEMPTS_MAX - 1);
  expect((await signIn("192.0.2.1", "wrong password", cookie)).status).toBe(401);
  expect((await signIn("192.0.2.1", PASSWORD, cookie)).status).toBe(429);
  expect((await signIn("192.0.2.1", PASSWORD)).status).toBe(201);
  await flood("berta@shop.example");
  expect((await signIn("192.0.2.2", "wrong password", cookie, "berta@shop.example")).status).toBe(429);
});

test("[MEM-3] a made-up, cut or foreign cookie makes no browser known", async () => {
  await flood();
  const device = deviceOf(cookies);
  for (const cookie of [
    "footfall-device=x",
    device.slice(0, -1),
    device.replace(/.$/, (last) => (last === "A" ? "B" : "A")),
    `footfall-device=${"A".repeat(16)}.${"A".repeat(43)}`,
    `footfall-device=${"~".repeat(5_000)}`,
  ])
    expect((await signIn("203.0.113.9", PASSWORD, { cookie })).status, cookie.slice(0, 60)).toBe(429);
});

test("[MEM-3] a session that is open asks, and changes the password, whatever others try", async () => {
  await flood();
  const as = (method: string, path: string, body?: object) =>
    worker.ask(method, path, { headers: { cookie: cookies, origin: "http://localhost" }, ...(body && { body }) });
  expect((await as("GET", "/api/v1/session")).status).toBe(200);
  const change = { password: PASSWORD, new_password: "another horse battery" };
  expect((await as("PUT", "/api/v1/session/password", change)).status).toBe(200);
});

test("[MEM-3] a name nobody has is slow and closed in the same way", async () => {
  const nobody = "nobody@shop.example";
  const told = [];
  for (const email of [EMAIL, nobody]) {
    await pretend("address 198.51.100.3", SIGN_IN_ATTEMPTS_MAX, email);
    const all = [await wrong("203.0.113.5", 2, email), await wrong("198.51.100.3", 1, email)];
    await flood(email);
    told.push(JSON.stringify([all, (await signIn("203.0.113.5", "wrong password", {}, email)).body]));
  }
  expect(told[1]).toBe(told[0]);
});

/** Another shop, whose owner has made the address a member there with a password of their own, and its cookies. */
const joinElsewhere = async (password: string) => {
  const body = { name: "Another", time_zone: "UTC", currency: "EUR" };
  const other = (await worker.ask("POST", "/api/v1/merchants", { token: ADMIN_TOKEN, body })).body;
  const path = `/api/v1/merchants/${other.id}/invites`;
  const invite = (await worker.ask("POST", path, { token: ADMIN_TOKEN, body: { email: EMAIL, role: "viewer" } })).body;
  const headers = { origin: "http://localhost", "cf-connecting-ip": "198.51.100.7" };
  const taken = { body: { token: invite.token, password }, headers };
  return cookiesOf(await worker.ask("POST", "/api/v1/invites/accept", taken));
};
const OWN = "a password of the other owner";

test("[MEM-3] who makes the address a member of another shop guesses no more for the own password in between", async () => {
  await joinElsewhere(OWN);
  const statuses = [];
  for (let round = 0; round < 4; round++) {
    statuses.push(...(await wrong("198.51.100.7", 3)));
    statuses.push((await signIn("198.51.100.7", OWN)).status);
  }
  // Ten attempts, whoever they were meant for; then the place is closed to this name.
  expect(statuses).toEqual([401, 401, 401, 201, 401, 401, 401, 201, 401, 401, 429, 429, 429, 429, 429, 429]);
});

test("[MEM-3] a browser that is known to the other shop's member is a stranger to the owner's", async () => {
  const device = { cookie: deviceOf(await joinElsewhere(OWN)) };
  await pretend("address 198.51.100.7", SIGN_IN_ATTEMPTS_MAX);
  const guesses = Array.from({ length: 3 }, (_, at) => signIn("198.51.100.7", `guess ${at}`, device));
  expect((await Promise.all(guesses)).map(({ status }) => status)).toEqual([429, 429, 429]);
  // Not even the right password tells that it is right; the own one opens the other shop.
  expect((await signIn("198.51.100.7", PASSWORD, device)).status).toBe(429);
  expect((await signIn("198.51.100.7", OWN, device)).status).toBe(201);
  // Nor does the own password, made the same: it opens the other shop alone.
  const chosen = await joinElsewhere(PASSWORD);
  const opened = await signIn("198.51.100.7", PASSWORD, { cookie: deviceOf(chosen) });
  const shops = await worker.ask("GET", "/api/v1/shops", { headers: { cookie: cookiesOf(opened) } });
  expect([opened.status, shops.body.shops.map(({ name }: { name: string }) => name)]).toEqual([201, ["Another"]]);
  // The owner's browser is known as before, and what strangers try does not close it.
  expect((await signIn("198.51.100.7", PASSWORD, { cookie: deviceOf(cookies) })).status).toBe(201);
});

test("[MEM-3] the session of the other shop does not tell whether a password is right at the owner's", async () => {
  const session = await joinElsewhere(OWN);
  const change = (password: string) =>
    worker.ask("PUT", "/api/v1/session/password", {
      headers: { cookie: session, origin: "http://localhost" },
      body: { password, new_password: "yet another password" },
    });
  expect([(await change("wrong password")).status, (await change(PASSWORD)).status]).toEqual([401, 401]);
  expect((await change(OWN)).status).toBe(200);
  expect((await signIn("203.0.113.9", PASSWORD)).status).toBe(201);
});

/** The same worker with limits that let everything through, in which only the isolate's own bounds hold. */
const limited = async () => {
  const limit = async () => ({ success: true });
  worker = startQueryWorker({ LIMIT_KEY: { limit }, LIMIT_SIGN_IN: { limit }, KEY_REQUESTS_MAX: "300" });
  const body = { name: "Shop", time_zone: "UTC", currency: "EUR" };
  shop = (await worker.ask("POST", "/api/v1/merchants", { token: ADMIN_TOKEN, body })).body;
  const path = `/api/v1/merchants/${shop.id}/invites`;
  const invite = (await worker.ask("POST", path, { token: ADMIN_TOKEN, body: { email: EMAIL, role: "owner" } })).body;
  const taken = { body: { token: invite.token, password: PASSWORD }, headers: { origin: "http://localhost" } };
  return await worker.ask("POST", "/api/v1/invites/accept", taken);
};

test("[MEM-12] names that nobody has, each from another address, take a third of an isolate and no more", async () => {
  const device = { cookie: deviceOf(cookiesOf(await limited())) };
  vi.useFakeTimers({ now: Date.now(), toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const purses = memoryOf(worker.directory).passwordPurses;
  const [own] = purses.of({ asker: "strangers", merchant: 0 }, Date.now());
  if (own !== undefined) own.left = 2 * PASSWORD_MICROSECONDS;
  const tried = await Promise.all(
    Array.from({ length: 12 }, (_, at) => signIn(`198.51.${at}.1`, "wrong password", {}, `n${at}@elsewhere.example`)),
  );
  expect(tried.map(({ status }) => status).sort()).toEqual([401, 401, ...Array(10).fill(429)]);
  expect((await signIn("203.0.113.9", PASSWORD)).headers.get("retry-after")).toBe(String(SIGN_IN_STRANGER_SECONDS));
  // A known browser is judged from a purse of its own.
  expect((await signIn("203.0.113.9", PASSWORD, device)).status).toBe(201);
  vi.advanceTimersByTime(1_000);
  expect(own?.left).toBe(0);
  const filled = purses.of({ asker: "strangers", merchant: 0 }, Date.now())[0]?.left;
  expect(filled).toBe(PASSWORDS_PER_SECOND * PASSWORD_MICROSECONDS);
});

test("[MEM-12] counters of attempts go faster than all addresses of a network can make them", async () => {
  const rows = 3 * SESSIONS_FORGET_ROWS;
  const all = `WITH RECURSIVE n(at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n WHERE at < ${rows}) SELECT at FROM n`;
  await worker.db
    .prepare(`INSERT INTO sign_ins (hash, attempts, until) SELECT 'made up ' || at, 1, 1 FROM (${all})`)
    .run();
  await forgetEnded(worker.db, Date.now());
  expect(await worker.db.prepare("SELECT COUNT(*) AS count FROM sign_ins WHERE until = 1").first("count")).toBe(0);
});

test("[MEM-12] a member who signs in again and again adds a bounded number of sessions and entries of the log", async () => {
  const accepted = await limited();
  const device = { cookie: deviceOf(cookiesOf(accepted)) };
  const left = memoryOf(worker.directory).signInPurses.of({ asker: accepted.body.member, merchant: 1 }, Date.now());
  expect(left.map((purse) => purse.left)).toEqual([MEMBER_SIGN_INS_MAX - 1, MERCHANT_SIGN_INS_MAX - 1]);
  for (const purse of left.slice(0, 1)) purse.left = 1;
  expect((await signIn("203.0.113.9", PASSWORD, device)).status).toBe(201);
  const refused = await signIn("203.0.113.9", PASSWORD, device);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "300"]);
  const entries = await worker.db
    .prepare("SELECT COUNT(*) AS count FROM audit WHERE act = 'session.open'")
    .first("count");
  expect(entries).toBe(1);
  // Also where somebody asks more often than one of them fills.
  const purses = new PurseMemory(OF_SIGN_INS);
  for (const purse of purses.of({ asker: "m", merchant: 1 }, 0)) purse.left = 0;
  let now = 0;
  for (; now < 600_000; now += 1_000) purses.of({ asker: "m", merchant: 1 }, now);
  expect(purses.of({ asker: "m", merchant: 1 }, now)[0]?.left).toBe(2);
});
