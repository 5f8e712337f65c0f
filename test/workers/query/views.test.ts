// Saved views and notes: a merchant's own, bounded, and shown to its members alone.

import { beforeEach, expect, test } from "vitest";
import { NOTE_LENGTH_MAX, OWN_VIEWS_COUNT_MAX, VIEW_SEARCH_LENGTH_MAX, VIEWS_COUNT_MAX } from "../../../core/limits.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../../support/query-worker.ts";

let worker: QueryWorker;
let shop: { readonly id: string; readonly api_key: string };
let other: { readonly id: string; readonly api_key: string };

const as = (token: string, method: string, path: string, body?: unknown) => worker.ask(method, path, { token, body });
const admin = (method: string, path: string, body?: unknown) =>
  as(ADMIN_TOKEN, method, `/api/v1/merchants/${shop.id}${path}`, body);
const VIEW = {
  name: "Buyers from Austria",
  page: "goals",
  search: "?v=1&range=7d&s=is%3Apage%3A%2F&s=is%3Agoal%3Apaid",
};

beforeEach(async () => {
  worker = startQueryWorker();
  const make = async (name: string) =>
    (await as(ADMIN_TOKEN, "POST", "/api/v1/merchants", { name, time_zone: "UTC", currency: "EUR" })).body;
  shop = await make("Shop");
  other = await make("Other");
});

test("[VIW-1] a view is saved, listed and deleted; its name is the merchant's own", async () => {
  const { status, body } = await admin("POST", "/views", VIEW);
  expect([status, body]).toEqual([
    201,
    { id: expect.stringMatching(/^viw_/), ...VIEW, own: false, created_at: expect.any(String) },
  ]);
  expect(await admin("POST", "/views", VIEW)).toMatchObject({ status: 409, body: { error: { field: "name" } } });
  expect((await admin("GET", "/views")).body).toEqual({ views: [body], next: null });
  expect((await as(shop.api_key, "GET", `/api/v1/merchants/${shop.id}/views`)).body.views).toHaveLength(1);
  expect((await as(other.api_key, "GET", `/api/v1/merchants/${other.id}/views`)).body.views).toEqual([]);
  const foreign = `/api/v1/merchants/${other.id}/views/${body.id}`;
  expect((await as(ADMIN_TOKEN, "DELETE", foreign)).status).toBe(404);
  expect((await admin("DELETE", `/views/${body.id}`)).body).toEqual({ id: body.id, deleted: true });
  expect((await admin("DELETE", `/views/${body.id}`)).status).toBe(404);
});

test.each([
  [{ page: "../shops" }, "page"],
  [{ page: "" }, "page"],
  [{ search: "v=1" }, "search"],
  [{ search: "?v=1#ffs_token" }, "search"],
  [{ search: "?\u202Etxt" }, "search"],
  [{ search: `?${"x".repeat(VIEW_SEARCH_LENGTH_MAX)}` }, "search"],
  [{ name: " " }, "name"],
])("[VIW-2] a view of %j is refused", async (wrong, field) => {
  expect(await admin("POST", "/views", { ...VIEW, ...wrong })).toMatchObject({
    status: 400,
    body: { error: { field } },
  });
});

test("[VIW-2] a merchant has a bounded number of views", async () => {
  for (let index = 0; index < VIEWS_COUNT_MAX; index++)
    expect((await admin("POST", "/views", { ...VIEW, name: `view ${index}` })).status).toBe(201);
  expect((await admin("POST", "/views", VIEW)).status).toBe(409);
});

test("[NOT-1] a note is of a Day, listed by range, and deleted; another merchant's is not there", async () => {
  const write = async (date: string, text: string) => (await admin("POST", "/notes", { date, text })).body;
  const second = await write("2026-11-22", " <b>Sale</b> ");
  const first = await write("2026-11-20", "Newsletter");
  expect(second).toEqual({
    id: expect.stringMatching(/^not_/),
    date: "2026-11-22",
    text: "<b>Sale</b>",
    author: null,
    created_at: expect.any(String),
  });
  const listed = async (range: string) =>
    ((await admin("GET", `/notes${range}`)).body.notes as { id: string }[]).map(({ id }) => id);
  expect(await listed("")).toEqual([first.id, second.id]);
  expect(await listed("?from=2026-11-21&to=2026-11-22")).toEqual([second.id]);
  expect(await listed("?to=2026-11-21")).toEqual([first.id]);
  expect((await as(other.api_key, "GET", `/api/v1/merchants/${other.id}/notes`)).body.notes).toEqual([]);
  expect((await as(ADMIN_TOKEN, "DELETE", `/api/v1/merchants/${other.id}/notes/${first.id}`)).status).toBe(404);
  expect((await admin("DELETE", `/notes/${first.id}`)).body).toEqual({ id: first.id, deleted: true });
  expect(await listed("")).toEqual([second.id]);
});

test.each([
  [{ date: "2026-11-31" }, "date"],
  [{ date: 5 }, "date"],
  [{ text: "" }, "text"],
  [{ text: "x".repeat(NOTE_LENGTH_MAX + 1) }, "text"],
])("[NOT-2] a note of %j is refused", async (wrong, field) => {
  const note = { date: "2026-11-22", text: "Sale", ...wrong };
  expect(await admin("POST", "/notes", note)).toMatchObject({ status: 400, body: { error: { field } } });
});

test("[VIW-1] a view is renamed in its place; a name that another has is refused, its own is not", async () => {
  const { id } = (await admin("POST", "/views", VIEW)).body;
  await admin("POST", "/views", { ...VIEW, name: "Others" });
  const renamed = await admin("PATCH", `/views/${id}`, { name: "Buyers" });
  expect(renamed).toMatchObject({ status: 200, body: { id, name: "Buyers", search: VIEW.search } });
  expect((await admin("PATCH", `/views/${id}`, { name: "Buyers" })).status).toBe(200);
  const taken = await admin("PATCH", `/views/${id}`, { name: "Others" });
  expect(taken).toMatchObject({ status: 409, body: { error: { field: "name" } } });
  expect((await admin("PATCH", "/views/viw_x", { name: "Buyers too" })).status).toBe(404);
  const foreign = `/api/v1/merchants/${other.id}/views/${id}`;
  expect((await as(ADMIN_TOKEN, "PATCH", foreign, { name: "Mine" })).status).toBe(404);
});

test("[VIW-3] a member's own views are nobody else's, and go with the member", async () => {
  const origin = "https://numbers.example";
  const join = async (email: string, role: string) => {
    const { token } = (await admin("POST", "/invites", { email, role })).body;
    const body = { token, password: "correct horse battery" };
    const headers = { origin };
    const reply = await worker.ask("POST", `${origin}/api/v1/invites/accept`, { body, headers });
    const cookie = reply.headers.get("set-cookie")?.split(";")[0] ?? "";
    const by = (method: string, path: string, own?: unknown) =>
      worker.ask(method, `${origin}/api/v1/merchants/${shop.id}${path}`, {
        headers: { cookie, origin },
        ...(own !== undefined && { body: own }),
      });
    return { id: reply.body.member as string, by };
  };
  const [vera, olga] = [await join("vera@shop.example", "viewer"), await join("olga@shop.example", "owner")];
  await admin("POST", "/views", VIEW);
  const made = await vera.by("POST", "/own-views", VIEW); // the merchant's name is another's
  expect(made).toMatchObject({ status: 201, body: { name: VIEW.name, own: true } });
  expect((await vera.by("POST", "/own-views", VIEW)).status).toBe(409);
  expect((await vera.by("POST", "/views", { ...VIEW, name: "Shop's" })).status).toBe(403);
  const seenBy = async (ask: typeof vera.by) =>
    ((await ask("GET", "/views")).body.views as { own: boolean }[]).map(({ own }) => own).sort();
  expect([await seenBy(vera.by), await seenBy(olga.by), await seenBy(admin)]).toEqual([
    [false, true],
    [false],
    [false],
  ]);
  const { id } = made.body;
  for (const [ask, path, status] of [
    [olga.by, `/own-views/${id}`, 404],
    [olga.by, `/views/${id}`, 404],
    [admin, `/own-views/${id}`, 409],
    [admin, `/views/${id}`, 404],
  ] as const) {
    expect([path, (await ask("PATCH", path, { name: "Stolen" })).status]).toEqual([path, status]);
    expect([path, (await ask("DELETE", path)).status]).toEqual([path, status]);
  }
  expect((await vera.by("PATCH", `/own-views/${id}`, { name: "Mine" })).body).toMatchObject({ id, name: "Mine" });
  for (let index = 1; index < OWN_VIEWS_COUNT_MAX; index++)
    expect((await vera.by("POST", "/own-views", { ...VIEW, name: `view ${index}` })).status).toBe(201);
  expect((await vera.by("POST", "/own-views", { ...VIEW, name: "one more" })).status).toBe(409);
  expect((await vera.by("DELETE", `/own-views/${id}`)).body).toEqual({ id, deleted: true });
  await admin("DELETE", `/members/${vera.id}`);
  const left = await worker.directory.prepare("SELECT count(*) AS own FROM views WHERE owner <> ''").first("own");
  expect(left).toBe(0);
});

test("[VIW-1] [NOT-1] a key of scope read writes neither", async () => {
  expect((await as(shop.api_key, "POST", `/api/v1/merchants/${shop.id}/views`, VIEW)).status).toBe(403);
  expect((await as(shop.api_key, "DELETE", `/api/v1/merchants/${shop.id}/notes/not_x`)).status).toBe(403);
});
