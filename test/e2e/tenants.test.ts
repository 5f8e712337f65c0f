// Tenants apart (L6): one table of every endpoint of collector and query Worker, each asked with every credential there
// is. The operations of the admin API come from their rows, each with its first example. What may not be seen is not
// there; two ways of being wrong look the same; and no answer and no log line holds a secret or a neighbour.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Runtime } from "../../scripts/runtime.ts";
import { hashKey } from "../../storage/directory/credential.ts";
import { OPERATOR_SCOPES } from "../../storage/directory/schema.ts";
import { app as collectorApp } from "../../workers/collector/app.ts";
import { PINNED } from "../../workers/collector/script.ts";
import { ROUTES, type Route } from "../../workers/query/api.ts";
import { app as queryApp } from "../../workers/query/app.ts";
import { EMBED_PATH, PAGE_PATHS } from "../../workers/query/page.ts";
import { CHROME } from "../support/events.ts";
import { Client, type Merchant, SECRETS, startServices, until } from "../support/services.ts";

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
let shop: Merchant;
let other: Merchant;
/** Keys beside the first ones, by whose they are and their scope. */
const keys = { admin: "", write: "", otherAdmin: "", otherWrite: "", expired: "", revoked: "" };
/** Sessions of members by role, and tokens of share links. */
const operators: Record<string, string> = {};
const sessions = { viewer: "", admin: "", owner: "", otherOwner: "", removed: "" };
const shares = { own: "", other: "", revoked: "" };
const logged: string[] = [];

interface Share {
  readonly id: string;
  readonly token: string;
}

interface Operator {
  readonly id: string;
  readonly token: string;
}

interface Key {
  readonly id: string;
  readonly api_key: string;
}

beforeAll(async () => {
  services = await startServices({}, { log: (line) => logged.push(line) });
  const { client } = services;
  shop = (await client.admin("POST", "/api/v1/merchants", {
    name: "The shop",
    time_zone: "UTC",
    currency: "EUR",
    hostname: "shop.example",
  })) as Merchant;
  other = (await client.admin("POST", "/api/v1/merchants", {
    name: "The other shop",
    time_zone: "UTC",
    currency: "EUR",
    hostname: "other.example",
  })) as Merchant;
  const make = async (merchant: Merchant, scope: string, extra: object = {}) =>
    (await client.admin("POST", `/api/v1/merchants/${merchant.id}/keys`, { name: "key", scope, ...extra })) as Key;
  const expires_at = new Date(Date.now() + 3_000).toISOString();
  const expiring = await make(shop, "admin", { expires_at });
  const short = { name: "expired", scope: "owner", expires_at };
  operators["expired"] = ((await client.admin("POST", "/api/v1/operators", short)) as Operator).token;
  const gone = await make(shop, "admin");
  await client.admin("DELETE", `/api/v1/merchants/${shop.id}/keys/${gone.id}`);
  Object.assign(keys, {
    admin: (await make(shop, "admin")).api_key,
    write: (await make(shop, "write")).api_key,
    otherAdmin: (await make(other, "admin")).api_key,
    otherWrite: (await make(other, "write")).api_key,
    expired: expiring.api_key,
    revoked: gone.api_key,
  });
  const join = async (merchant: Merchant, role: string) => {
    const email = `${role}${Math.random()}@shop.example`;
    const path = `/api/v1/merchants/${merchant.id}`;
    const { token } = (await client.admin("POST", `${path}/invites`, { email, role })) as { token: string };
    const accepted = await fetch(`${client.queryUrl}/api/v1/invites/accept`, {
      method: "POST",
      headers: { origin: client.queryUrl },
      body: JSON.stringify({ token, password: "a long passphrase" }),
    });
    const { member } = (await accepted.json()) as { member: string };
    return { path: `${path}/members/${member}`, cookie: accepted.headers.get("set-cookie")?.split(";")[0] ?? "" };
  };
  const removed = await join(shop, "admin");
  Object.assign(sessions, {
    viewer: (await join(shop, "viewer")).cookie,
    admin: (await join(shop, "admin")).cookie,
    owner: (await join(shop, "owner")).cookie,
    otherOwner: (await join(other, "owner")).cookie,
    removed: removed.cookie,
  });
  await client.admin("DELETE", removed.path);
  const link = async (merchant: Merchant) =>
    (await client.admin("POST", `/api/v1/merchants/${merchant.id}/shares`, { name: "link" })) as Share;
  const dead = await link(shop);
  await client.admin("DELETE", `/api/v1/merchants/${shop.id}/shares/${dead.id}`);
  for (const scope of OPERATOR_SCOPES) {
    const made = await client.admin("POST", "/api/v1/operators", { name: scope, scope });
    operators[scope] = (made as { token: string }).token;
  }
  const ended = (await client.admin("POST", "/api/v1/operators", { name: "ended", scope: "owner" })) as Operator;
  await client.admin("DELETE", `/api/v1/operators/${ended.id}`);
  operators["revoked"] = ended.token;
  Object.assign(shares, { own: (await link(shop)).token, other: (await link(other)).token, revoked: dead.token });
  await until(
    async () => Date.now(),
    (now) => now > Date.parse(expires_at) + 50,
  );
});
afterAll(() => services?.stop());

/** Every credential, by name, as the Authorization header; or a cookie, as a page of this origin sends it. */
const CREDENTIALS: Readonly<Record<string, () => string | undefined>> = {
  none: () => undefined,
  empty: () => "Bearer ",
  garbage: () => "Bearer garbage",
  "a key of nobody": () => `Bearer ffk_${"A".repeat(43)}`,
  "another merchant's key": () => `Bearer ${other.api_key}`,
  "another merchant's write key": () => `Bearer ${keys.otherWrite}`,
  "another merchant's admin key": () => `Bearer ${keys.otherAdmin}`,
  "an expired key": () => `Bearer ${keys.expired}`,
  "a revoked key": () => `Bearer ${keys.revoked}`,
  "the hash of a key": () => `Bearer ${hashKey(shop.api_key)}`,
  "the tracking ID": () => `Bearer ${shop.tracking_id}`,
  "the admin token as a password": () => `Basic ${btoa(`admin:${SECRETS.ADMIN_TOKEN}`)}`,
  "the admin token but for its end": () => `Bearer ${SECRETS.ADMIN_TOKEN.slice(0, -1)}`,
  "a removed member's session": () => sessions.removed,
  "another merchant's owner's session": () => sessions.otherOwner,
  "a viewer's session": () => sessions.viewer,
  "an admin's session": () => sessions.admin,
  "an owner's session": () => sessions.owner,
  "a session as a key": () => `Bearer ${sessions.owner.split("=")[1]}`,
  "a key as a session": () => `footfall=${shop.api_key}`,
  "a revoked share link": () => `Bearer ${shares.revoked}`,
  "another merchant's share link": () => `Bearer ${shares.other}`,
  "a share link": () => `Bearer ${shares.own}`,
  "the merchant's own key": () => `Bearer ${shop.api_key}`,
  "the merchant's write key": () => `Bearer ${keys.write}`,
  "the merchant's admin key": () => `Bearer ${keys.admin}`,
  "a revoked operator": () => `Bearer ${operators["revoked"]}`,
  "an expired operator": () => `Bearer ${operators["expired"]}`,
  "an operator of scope metrics": () => `Bearer ${operators["metrics"]}`,
  "an operator of scope read": () => `Bearer ${operators["read"]}`,
  "an operator of scope operate": () => `Bearer ${operators["operate"]}`,
  "an operator of scope owner": () => `Bearer ${operators["owner"]}`,
  "the admin token": () => `Bearer ${SECRETS.ADMIN_TOKEN}`,
};

/** Those of them that are valid: whose they are, and what they may. */
const VALID: Readonly<Record<string, { readonly whose: "shop" | "other" | "deployment"; readonly scope: string }>> = {
  "another merchant's key": { whose: "other", scope: "read" },
  "another merchant's write key": { whose: "other", scope: "write" },
  "another merchant's admin key": { whose: "other", scope: "admin" },
  "another merchant's owner's session": { whose: "other", scope: "owner" },
  "a viewer's session": { whose: "shop", scope: "viewer" },
  "an admin's session": { whose: "shop", scope: "admin member" },
  "an owner's session": { whose: "shop", scope: "owner" },
  "another merchant's share link": { whose: "other", scope: "share" },
  "a share link": { whose: "shop", scope: "share" },
  "the merchant's own key": { whose: "shop", scope: "read" },
  "the merchant's write key": { whose: "shop", scope: "write" },
  "the merchant's admin key": { whose: "shop", scope: "admin" },
  "an operator of scope metrics": { whose: "deployment", scope: "metrics operator" },
  "an operator of scope read": { whose: "deployment", scope: "read operator" },
  "an operator of scope operate": { whose: "deployment", scope: "operate operator" },
  "an operator of scope owner": { whose: "deployment", scope: "owner operator" },
  "the admin token": { whose: "deployment", scope: "deployment" },
};

/**
 * Who may use an endpoint: anybody; whoever runs the deployment, others not being told more than 401 ("token") or,
 * where keys are known, 403 ("deployment"); who may ask; and the merchant's keys of a scope. Of the collector: anybody
 * who does not come with a wrong key ("sender"), and whoever holds one that writes ("writer"). Whoever is signed in
 * asks for the own shops ("person").
 */
type Door =
  | "open"
  | "sender"
  | "writer"
  | "token"
  | "question"
  | "shared"
  | "person"
  | "read"
  | "admin"
  | "owner"
  | "replay"
  | "watch"
  | "operate"
  | "metrics"
  | "deployment";
const SCOPES_AT: Readonly<Record<Door, readonly string[]>> = {
  open: [],
  sender: ["write", "admin"],
  writer: ["write", "admin"],
  token: ["deployment"],
  question: ["read", "admin", "viewer", "admin member", "owner", "share"],
  shared: ["share"],
  person: ["viewer", "admin member", "owner"],
  read: ["read", "admin", "viewer", "admin member", "owner", "owner operator", "deployment"],
  admin: ["admin", "admin member", "owner", "owner operator", "deployment"],
  owner: ["owner", "owner operator", "deployment"],
  replay: ["admin", "admin member", "owner", "operate operator", "owner operator", "deployment"],
  watch: ["read operator", "operate operator", "owner operator", "deployment"],
  operate: ["operate operator", "owner operator", "deployment"],
  metrics: ["metrics operator", "read operator", "operate operator", "owner operator", "deployment"],
  deployment: ["owner operator", "deployment"],
};

/** The status of an endpoint with a credential. */
function statusOf({ door, route, status, withoutSession }: Endpoint, credential: string): number {
  const valid = VALID[credential];
  if (door === "open") return status;
  if (door === "sender" || door === "writer") return statusOfSending({ door, status }, credential);
  if (valid === undefined) return 401;
  const mayEnter = SCOPES_AT[door].includes(valid.scope);
  if (door === "token" || door === "shared" || door === "metrics") return mayEnter ? status : 401;
  if (door === "person") return credential.includes("session") ? status : 401;
  if (door !== "question" && valid.scope === "share") return 401; // a link is no credential of the admin API
  if (door === "question" && valid.whose === "deployment") return 401; // the token is no key
  if (!mayEnter) return 403;
  if (withoutSession !== undefined && !credential.includes("session")) return withoutSession;
  if (valid.whose !== "other") return status;
  if (door === "question") return 401;
  return route.includes("/merchants/:id") ? 404 : status; // what names no merchant is about its own
}

/** The collector knows keys alone: a cookie, a link and the admin token are none. */
function statusOfSending({ door, status }: Pick<Endpoint, "door" | "status">, credential: string): number {
  const valid = VALID[credential];
  if (isKeyless(credential)) return door === "sender" ? status : 401;
  if (valid === undefined || valid.whose === "deployment" || valid.scope === "share") return 401;
  if (!SCOPES_AT[door].includes(valid.scope)) return 403;
  // A writer names no merchant but by its key, so every key writes into its own.
  return valid.whose === "other" && door === "sender" ? 401 : status;
}

function isKeyless(credential: string): boolean {
  return ["none", "empty", "the admin token as a password"].includes(credential) || credential.endsWith("session");
}

/** Whose words a refusal has: each wire format's own, and one for each kind of door of the query Worker. */
function wordsOf({ door, route }: Endpoint): string {
  if (door === "sender") return route;
  if (route.startsWith("/api/websites/")) return "umami";
  return ["question", "shared", "person", "writer", "metrics"].includes(door) ? door : "admin";
}

interface Endpoint {
  readonly worker: "collector" | "query";
  readonly method: string;
  /** As the Worker registers it. */
  readonly route: string;
  readonly door: Door;
  /** The status once the door is open. */
  readonly status: number;
  /** The status for those who come by a key. */
  readonly withoutSession?: number;
  /** It ends the merchant: who may is served in a test of its own, with a merchant made for it. */
  readonly isFatal?: true;
  /** It ends the session that asks. */
  readonly isLast?: true;
  readonly query?: () => string;
  readonly body?: () => object;
}

const event = () => ({ tracking_id: shop.tracking_id });
const question = () => ({ site_id: shop.id, metrics: ["visitors"], date_range: "day" });
const report = () => ({ site_id: shop.id, date_range: "day" });
const step = (page: string) => ({ filters: [["is", "event:page", [page]]] });
const funnel = () => ({ ...report(), steps: [step("/a"), step("/b")] });

/** Operations that answer their first example with something else than success, and those that end something. */
const ODD: Readonly<Record<string, Partial<Endpoint>>> = {
  // Passwords that are wrong are counted: what is asked here fails before.
  signIn: { body: () => ({}), status: 400 },
  acceptInvite: { body: () => ({}), status: 400 },
  changePassword: { body: () => ({}), status: 400 },
  recoverDirectory: { status: 409 }, // it is whole
  eraseMerchant: { isFatal: true },
  signOut: { isLast: true },
};

/** What a merchant has only one of, and so must be another each time. */
const DIFFERENT: Readonly<Record<string, () => object>> = {
  createImport: () => ({ digest: createHash("sha256").update(String(Math.random())).digest("hex") }),
  createSegment: () => ({ name: `Segment ${Math.random()}` }),
  saveView: () => ({ name: `View ${Math.random()}` }),
  saveOwnView: () => ({ name: `View ${Math.random()}` }),
  createSubscription: () => ({ target: `https://hook.shop.dev/${Math.random()}` }),
};

type Sent = readonly [
  method: string,
  routes: readonly string[],
  status: number,
  parts: Pick<Endpoint, "query" | "body">,
];

/** One message of each wire format, as `shop`. What is only answered is open to all. */
const page = "https://shop.example/";
const posted = (body: () => object) => ({ body });
const asked = (query: () => string) => ({ query });
const SENT: readonly Sent[] = [
  ["POST", ["/v1/events"], 202, posted(event)],
  ["GET", ["/v1/pixel.gif"], 200, asked(() => `?tracking_id=${shop.tracking_id}`)],
  ["POST", ["/api/event"], 202, posted(() => ({ n: "pageview", u: page, d: shop.tracking_id }))],
  ["POST", ["/api/send"], 200, posted(() => ({ type: "event", payload: { website: shop.tracking_id } }))],
  ["POST", ["/api/batch"], 200, posted(() => [{ type: "event", payload: { website: shop.tracking_id } }])],
  ["GET", ["/g/collect"], 204, asked(() => `?v=2&en=page_view&cid=1&tid=G-${shop.tracking_id}`)],
  ["POST", ["/g/collect"], 204, asked(() => `?v=2&en=page_view&cid=1&tid=G-${shop.tracking_id}`)],
  [
    "POST",
    ["/mp/collect"],
    204,
    { query: () => `?measurement_id=G-${shop.tracking_id}`, body: () => ({ client_id: "1", events: [{ name: "x" }] }) },
  ],
  [
    "POST",
    ["track", "page", "screen", "identify", "group", "alias"].flatMap((kind) => [`/v1/${kind}`, `/v1/${kind[0]}`]),
    200,
    posted(() => ({ writeKey: shop.tracking_id, userId: "u", event: "x" })),
  ],
  [
    "POST",
    ["/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch"],
    200,
    posted(() => ({ writeKey: shop.tracking_id, batch: [{ type: "track", event: "x", userId: "u" }] })),
  ],
  [
    "POST",
    ["/batch", "/capture", "/e", "/i/v0/e"],
    200,
    posted(() => ({ api_key: shop.tracking_id, event: "x", distinct_id: "u" })),
  ],
  ["GET", ["/collect"], 200, asked(() => `?p=/&sid=${shop.tracking_id}`)],
  [
    "POST",
    ["/com.snowplowanalytics.snowplow/tp2"],
    200,
    posted(() => ({ data: [{ e: "pv", aid: shop.tracking_id }] })),
  ],
  ["GET", ["/i"], 200, asked(() => `?e=pv&aid=${shop.tracking_id}`)],
  ...["GET", "POST"].map((method): Sent => [method, ["/count", "/:site/count"], 200, asked(() => "?p=/")]),
];
const WAYS_IN: readonly Endpoint[] = [
  ...SENT.flatMap(([method, routes, status, parts]) =>
    routes.map((route): Endpoint => ({ worker: "collector", method, route, door: "sender", status, ...parts })),
  ),
  {
    worker: "collector",
    method: "POST",
    route: "/api/v0/count",
    door: "writer",
    status: 202,
    body: () => ({ no_sessions: true, hits: [{ path: "/" }] }),
  },
  {
    worker: "collector",
    method: "POST",
    route: "/debug/mp/collect",
    door: "open",
    status: 200,
    body: () => ({ client_id: "1", events: [] }),
  },
  { worker: "collector", method: "GET", route: "/t.js", door: "open", status: 200 },
  { worker: "collector", method: "GET", route: "/p.js", door: "open", status: 200 },
  { worker: "collector", method: "GET", route: PINNED, door: "open", status: 404 },
  { worker: "collector", method: "GET", route: "/cache", door: "open", status: 200, query: () => "?sid=x" },
  ...["GET", "POST"].flatMap((method) =>
    ["/flags", "/decide"].map((route): Endpoint => {
      return { worker: "collector", method, route, door: "open", status: 200 };
    }),
  ),
  ...["/array/:token/config", "/array/:token/config.js", "/sourceConfig"].map((route): Endpoint => {
    return { worker: "collector", method: "GET", route, door: "open", status: 200 };
  }),
];

const ENDPOINTS: readonly Endpoint[] = [
  ...WAYS_IN,
  { worker: "query", method: "GET", route: "/metrics", door: "metrics", status: 503 }, // no cron has run
  { worker: "query", method: "GET", route: "/status", door: "open", status: 200 },
  { worker: "query", method: "GET", route: "/status.json", door: "open", status: 200 },
  { worker: "query", method: "GET", route: "/status.atom", door: "open", status: 200 },
  { worker: "collector", method: "GET", route: "/health", door: "open", status: 200 },
  { worker: "collector", method: "GET", route: "/v1/meter", door: "token", status: 200 },
  { worker: "query", method: "GET", route: "/health", door: "open", status: 200 },
  ...["stats", "pageviews", "metrics", "active"].map((read): Endpoint => {
    const range = `?startAt=${Date.now() - 3_600_000}&endAt=${Date.now()}`;
    const query = { stats: range, pageviews: range, metrics: `${range}&type=path` }[read] ?? "";
    const route = `/api/websites/:website/${read}`;
    return { worker: "query", method: "GET", route, door: "question", status: 200, query: () => query };
  }),
  ...["/", ...PAGE_PATHS, EMBED_PATH].map(
    (route): Endpoint => ({ worker: "query", method: "GET", route, door: "open", status: 200 }),
  ),
  { worker: "query", method: "GET", route: "/assets/*", door: "open", status: 404 },
  { worker: "query", method: "GET", route: "/api/openapi.json", door: "open", status: 200 },
  { worker: "query", method: "GET", route: "/api/reference", door: "open", status: 200 },
  { worker: "query", method: "POST", route: "/api/v2/query", door: "question", status: 200, body: question },
  { worker: "query", method: "POST", route: "/api/v2/funnel", door: "question", status: 200, body: funnel },
  {
    worker: "query",
    method: "GET",
    route: "/api/v2/queries/:id",
    door: "question",
    status: 404,
    query: () => `?site_id=${shop.id}`,
  },
  { worker: "query", method: "POST", route: "/api/v2/retention", door: "question", status: 200, body: report },
  { worker: "query", method: "POST", route: "/api/v2/paths", door: "question", status: 200, body: report },
  { worker: "query", method: "POST", route: "/api/v2/orders", door: "question", status: 200, body: report },
  {
    worker: "query",
    method: "POST",
    route: "/api/v2/realtime",
    door: "question",
    status: 200,
    body: () => ({ site_id: shop.id }),
  },
  {
    worker: "query",
    method: "POST",
    route: "/api/v2/batch",
    door: "question",
    status: 200,
    body: () => ({ site_id: shop.id, date_range: "day", questions: { top: { metrics: ["visitors"] } } }),
  },
  {
    worker: "query",
    method: "GET",
    route: "/api/v2/now",
    door: "question",
    status: 200,
    query: () => `?site_id=${shop.id}`,
  },
  { worker: "query", method: "GET", route: "/notice/:token", door: "open", status: 404 },
  { worker: "query", method: "POST", route: "/notice/:token", door: "open", status: 404 },
  ...ROUTES.map(toEndpoint).sort((a, b) => Number(a.isLast ?? false) - Number(b.isLast ?? false)),
];

/** What is asked of an operation of the admin API: its first example, of a merchant that has nothing yet. */
function toEndpoint({ id, method, path, door, personal, status, query, body, examples }: Route): Endpoint {
  const [example] = examples ?? [];
  const isOfNothing = path.replace("/merchants/:id", "").includes(":");
  return {
    worker: "query",
    method,
    route: path,
    door: door === "anybody" ? "open" : door === "link" ? "shared" : door,
    status: isOfNothing ? 404 : (status ?? 200),
    ...(personal && { withoutSession: 409 }),
    ...(query !== undefined && { query: () => `?${new URLSearchParams(example as Record<string, string>)}` }),
    ...(body !== undefined && { body: () => ({ ...example, ...DIFFERENT[id]?.() }) }),
    ...ODD[id],
  };
}

const nameOf = ({ worker, method, route }: Pick<Endpoint, "worker" | "method" | "route">) =>
  `${worker} ${method} ${route}`;

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function request(endpoint: Endpoint, credential: string | undefined, body?: object): Promise<Answer> {
  const { worker, method, route, query } = endpoint;
  const url = worker === "collector" ? services.client.collectorUrl : services.client.queryUrl;
  const named = route
    .replace(PINNED, "/t.0123456789abcdef.js")
    .replace(":website", shop.tracking_id)
    .replace(":site", shop.tracking_id)
    .replace(":token", shop.tracking_id)
    .replace("/merchants/:id", `/merchants/${shop.id}`)
    .replace(/:(number|version)/, "77")
    .replace(/:\w+/g, "unknown");
  const path = named + (query?.() ?? "");
  const sent = body ?? endpoint.body?.();
  const response = await fetch(url + path, {
    method,
    headers: { "content-type": "application/json", referer: page, ...headersOf(credential) },
    ...(sent !== undefined && { body: JSON.stringify(sent) }),
  });
  return { status: response.status, text: await response.text() };
}

function headersOf(credential: string | undefined): Record<string, string> {
  if (credential === undefined) return { origin: services.client.queryUrl };
  const name = credential.startsWith("footfall=") ? "cookie" : "authorization";
  return { [name]: credential, origin: services.client.queryUrl };
}

test("[TEN-1] every route that a Worker registers is in the table", () => {
  const registered = [
    ...collectorApp.routes.map((route) => ({ worker: "collector" as const, ...route })),
    ...queryApp.routes.map((route) => ({ worker: "query" as const, ...route })),
  ];
  const endpoints = registered.filter(({ method }) => method !== "ALL"); // ALL: middleware, and refusals of methods
  expect(new Set(endpoints.map(({ worker, method, path }) => nameOf({ worker, method, route: path })))).toEqual(
    new Set(ENDPOINTS.map(nameOf)),
  );
});

test("[TEN-1] what is said of single operations is said of some that there are", () => {
  const ids = new Set(ROUTES.map(({ id }) => id));
  expect([...Object.keys(ODD), ...Object.keys(DIFFERENT)].filter((id) => !ids.has(id))).toEqual([]);
});

describe("[TEN-2] every endpoint with every credential", () => {
  const cases = ENDPOINTS.flatMap((endpoint) =>
    Object.keys(CREDENTIALS).map((credential) => ({ endpoint, credential, status: statusOf(endpoint, credential) })),
  );
  // Those that open something come last, so that what they change cannot hide what the others did.
  const isClosed = ({ endpoint, status }: (typeof cases)[number]) => status !== endpoint.status;
  const closed = cases.filter(isClosed);

  test("[TEN-2] who may not is told so, in the same words whatever the credential, and changes nothing", async () => {
    const before = await stateOf(services.client);
    const words = new Map<string, Set<string>>();
    for (const { endpoint, credential, status } of closed) {
      const answer = await request(endpoint, CREDENTIALS[credential]?.());
      expect(answer.status, `${nameOf(endpoint)} with ${credential}: ${answer.text}`).toBe(status);
      expectSilence(answer.text);
      const isQuestion = endpoint.door === "question";
      const isMissing =
        (isQuestion && NO_KEY.includes(credential)) || (endpoint.door === "writer" && isKeyless(credential));
      // A key is told its own scope and what the door takes; that is all that words may depend on.
      const scopes = status === 403 ? `${VALID[credential]?.scope} at ${endpoint.door}` : "";
      const shape = wordsOf(endpoint);
      const kind = `${endpoint.worker} ${shape} ${status} ${scopes} ${isMissing}`;
      words.set(kind, (words.get(kind) ?? new Set()).add(answer.text));
    }
    for (const [kind, texts] of words) expect([kind, texts.size]).toEqual([kind, 1]);
    expect(await stateOf(services.client)).toEqual(before);
    console.log(`tenants: ${cases.length} pairs of endpoint and credential, ${closed.length} of them refused`);
  });

  test("[TEN-2] who may is served", async () => {
    for (const { endpoint, credential, status } of cases.filter((one) => !isClosed(one))) {
      if (endpoint.isFatal) continue;
      if (status === 202 && endpoint.route === "/api/v1/replays") await untilNothingIsReplayed();
      const answer = await request(endpoint, CREDENTIALS[credential]?.());
      expect(answer.status, `${nameOf(endpoint)} with ${credential}: ${answer.text}`).toBe(status);
      if (VALID[credential]?.whose === "shop") expectSilence(answer.text);
    }
  });
});

test("[SHR-5] a share link of a part of the shop tells nothing of the others, at any endpoint that it opens", async () => {
  const { client } = services;
  const seen = { tracking_id: shop.tracking_id, visitor_id: "who sees both", user_agent: CHROME };
  for (const page of ["/hidden/before", "/blog/a", "/hidden/after"])
    await client.send({ ...seen, url: `https://shop.example${page}` });
  const filters = [["contains", "event:page", ["/blog/"]]];
  const path = `/api/v1/merchants/${shop.id}/shares`;
  const { token } = (await client.admin("POST", path, { name: "the blog", filters })) as Share;
  const done = ["has_done", ["contains", "event:page", ["/hidden"]]];
  for (const endpoint of ENDPOINTS.filter(({ door }) => door === "question")) {
    const own = endpoint.body?.();
    for (const body of own === undefined ? [undefined] : [own, { ...(own as object), filters: [done] }]) {
      const { status, text } = await request(endpoint, `Bearer ${token}`, body);
      const told = text.replace(/"query":\{.*$/, "").includes("hidden");
      expect([nameOf(endpoint), status, told]).toEqual([nameOf(endpoint), endpoint.status, false]);
    }
  }
  const question = { site_id: shop.id, metrics: ["visits"], date_range: "day" };
  const byExit = await askWith(token, { ...question, dimensions: ["visit:exit_page"] });
  expect(byExit).toMatchObject({ results: [{ metrics: [1], dimensions: ["/blog/a"] }] });
  expect(await askWith(token, { ...question, filters: [done] })).toMatchObject({ results: [{ metrics: [0] }] });
});

async function askWith(token: string, body: object): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}` };
  const url = `${services.client.queryUrl}/api/v2/query`;
  return (await fetch(url, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

test("[TEN-2] who may end a merchant ends it, and its keys and tracking IDs with it", async () => {
  const { client } = services;
  const gone = await client.createMerchant();
  expect(await client.admin("DELETE", `/api/v1/merchants/${gone.id}`)).toMatchObject({ kind: "merchant" });
  const asked = client.ask(gone, { metrics: ["visitors"], date_range: "day" });
  await expect(asked).rejects.toThrow("401");
  const sent = await client.send({ tracking_id: gone.tracking_id });
  expect(sent.body.rejected[0]?.code).toBe("unknown_tracking_id");
  await expect(client.admin("GET", `/api/v1/merchants/${gone.id}`)).rejects.toThrow("404");
});

/** A merchant has so many replays at once. */
async function untilNothingIsReplayed(): Promise<void> {
  await until(
    async () => ((await services.client.admin("GET", "/api/v1/replays")) as { replays: { state: string }[] }).replays,
    (replays) => replays.every(({ state }) => state === "done"),
  );
}

/** What a question takes for no key at all. */
const NO_KEY = ["none", "empty", "the admin token as a password", "a key as a session"];

async function stateOf(client: Client): Promise<unknown> {
  const lists = ["", "/streams", "/keys", "/members", "/invites", "/shares", "/segments", "/views", "/notes"];
  const paths = ["", ...[shop, other].flatMap(({ id }) => lists.map((list) => `/${id}${list}`))];
  const state = await Promise.all(paths.map((path) => client.admin("GET", `/api/v1/merchants${path}`)));
  // That a key was used is noted, and no change.
  return JSON.parse(JSON.stringify(state), (name, value: unknown) => (name === "last_used_at" ? null : value));
}

/** Nothing that opens anything, and nothing of the neighbour. */
function expectSilence(text: string): void {
  for (const secret of secrets()) expect(text).not.toContain(secret);
  for (const word of [other.id, other.tracking_id, "other.example", "The other shop"]) expect(text).not.toContain(word);
}

function secrets(): readonly string[] {
  const all = [
    shop.api_key,
    other.api_key,
    ...Object.values(keys),
    ...Object.values(shares),
    ...Object.values(sessions).map((one) => one.split("=")[1] ?? ""),
  ];
  return [SECRETS.ADMIN_TOKEN, SECRETS.TRACKING_SECRET, ...all, ...all.map(hashKey)];
}

test("[TEN-3] a wrong key and a wrong merchant are the same answer, to the byte", async () => {
  const ask = ENDPOINTS.find(({ route }) => route === "/api/v2/query") as Endpoint;
  const wrong: readonly (readonly [key: string, site: string])[] = [
    [other.api_key, shop.id],
    [shop.api_key, other.id],
    [shop.api_key, other.tracking_id],
    [shop.api_key, "other.example"],
    [shop.api_key, "nobody.example"],
    [shop.api_key, "mer_aaaaaaaaaaaaaaaaaaaaaaaa"],
    [keys.expired, shop.id],
    [keys.revoked, shop.id],
    ["nonsense", "nonsense"],
  ];
  const answers = new Set<string>();
  for (const [key, site_id] of wrong) {
    const { status, text } = await request(ask, `Bearer ${key}`, { ...question(), site_id });
    answers.add(`${status} ${text}`);
  }
  expect([...answers]).toEqual([expect.stringMatching(/^401 \{"error":"Invalid API key or site ID/)]);
});

test("[TEN-3] an unknown merchant and a malformed one are the same answer, and another's key cannot be named", async () => {
  const { client } = services;
  const theirs = (await client.admin("GET", `/api/v1/merchants/${other.id}/keys`)) as { keys: { id: string }[] };
  const paths = [`/${shop.id}/keys/${theirs.keys[0]?.id}`, `/${shop.id}/keys/key_unknown`];
  const texts = await Promise.all(
    paths.map(async (path) => {
      const headers = { authorization: `Bearer ${SECRETS.ADMIN_TOKEN}` };
      const response = await fetch(`${client.queryUrl}/api/v1/merchants${path}`, { method: "DELETE", headers });
      return `${response.status} ${await response.text()}`;
    }),
  );
  expect(new Set(texts)).toEqual(new Set([expect.stringMatching(/^404 /)]));
});

test("[TEN-4] a tracking ID of one merchant writes into no other, and its numbers show in no other", async () => {
  const { client } = services;
  const before = await client.ask(other, { metrics: ["events"], date_range: "all" });
  await client.send({ tracking_id: shop.tracking_id, merchant: 2, site_id: other.id, url: "https://other.example/" });
  expect((await client.ask(other, { metrics: ["events"], date_range: "all" })).results).toEqual(before.results);
});

test("[TEN-3] a replay of another merchant is one that does not exist, whatever is asked of it", async () => {
  const { client } = services;
  const job = { kind: "verify", from: "2026-11-01", to: "2026-11-01" };
  await untilNothingIsReplayed();
  const mine = new Client(services.runtime, keys.admin);
  const theirs = new Client(services.runtime, keys.otherAdmin);
  const own = (await mine.admin("POST", "/api/v1/replays", job)) as { id: string; merchants: readonly string[] };
  expect(own.merchants).toEqual([shop.id]);
  const everybodys = (await client.admin("POST", "/api/v1/replays", job)) as { id: string };
  const answers = new Set<string>();
  for (const id of [own.id, everybodys.id, "rpl_unknown"]) {
    for (const [method, verb] of [
      ["GET", ""],
      ...["pause", "resume", "cancel", "undo"].map((name) => ["POST", `/${name}`]),
    ])
      answers.add(
        await theirs
          .admin(method as string, `/api/v1/replays/${id}${verb}`)
          .catch(String)
          .then(shapeOf),
      );
  }
  expect([...answers]).toEqual([expect.stringMatching(/404 .*There is no replay with this id/)]);
  const { replays } = (await theirs.admin("GET", "/api/v1/replays")) as { replays: { merchants: readonly string[] }[] };
  expect(replays.every(({ merchants }) => merchants.join() === other.id)).toBe(true);
  const done = await until(
    () => mine.admin("GET", `/api/v1/replays/${own.id}`) as Promise<{ state: string }>,
    ({ state }) => state === "done",
  );
  expect(done.state).toBe("done");
});

/** An error's text without the path that was asked. */
function shapeOf(text: unknown): string {
  return String(text).replace(/^Error: \S+ \S+: /, "");
}

test("[TEN-5] no log line holds a secret, even when the database fails under a request", async () => {
  const { client, runtime } = services;
  const fresh = (await client.admin("POST", `/api/v1/merchants/${other.id}/keys`, { name: "unseen" })) as Key;
  const database = await runtime.miniflare.getD1Database("DIRECTORY", "footfall-query");
  const linesBefore = logged.length;
  await database.exec("DROP TABLE api_keys");
  const ask = ENDPOINTS.find(({ door }) => door === "question") as Endpoint;
  const answers = [
    await request(ask, `Bearer ${fresh.api_key}`),
    await request(ENDPOINTS.find(({ route }) => route.endsWith("/keys")) as Endpoint, `Bearer ${SECRETS.ADMIN_TOKEN}`),
  ];
  for (const { status, text } of answers) {
    expect(status).toBe(503);
    expectSilence(text);
    expect(text).not.toMatch(/select|insert|api_keys|D1/i);
  }
  await until(
    async () => logged.length,
    (lines) => lines >= linesBefore + 2,
  );
  expect(logged.join("\n")).toContain("request_failed");
  for (const secret of [...secrets(), fresh.api_key, hashKey(fresh.api_key)])
    expect(logged.join("\n")).not.toContain(secret);
});

test("[TEN-6] secrets are compared in constant time: by isSecret and verifyTrackingId, never with ===", () => {
  const root = join(import.meta.dirname, "../..");
  const lines = ["core", "storage", "durable-objects", "queues", "workers"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) => readFileSync(join(root, folder, file), "utf8").split("\n")),
  );
  const secret = /(ADMIN_TOKEN|TRACKING_SECRET\w*|adminToken|secret|tag|hash)\b/;
  const compared = lines.filter((line) => new RegExp(`${secret.source}\\)? [!=]== (?!""|undefined|null)`).test(line));
  const comparing = lines.filter((line) => new RegExp(`[!=]== (?:\\w+\\.)*${secret.source}`).test(line));
  expect([...compared, ...comparing]).toEqual([]);
  const tokens = lines.filter((line) => /(env\.ADMIN_TOKEN|\badminTokens\.)\b/.test(line));
  expect(tokens.length).toBeGreaterThan(2);
  expect(tokens.filter((line) => !/isSecret\(|adminTokens: \[env\.ADMIN_TOKEN/.test(line))).toEqual([]);
});
