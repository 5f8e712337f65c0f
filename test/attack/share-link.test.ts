// Who holds a share link tries to see what its filters hide. Whatever is asked through the link, in every question
// kind, report and Umami read, the answer is to the byte what it would be if the hidden events did not exist: that
// is tried with many of them, on many questions made to tell (has_done, entry pages, exit pages, comparisons,
// percentages, goals, costs in `meta`).

import { expect, test } from "vitest";
import { encodeLogged } from "../../core/archive/bundle.ts";
import { partitionsOf } from "../../core/counting/placement.ts";
import type { RollupRow } from "../../core/counting/rollup-row.ts";
import type { Event } from "../../core/event.ts";
import { SCAN_EVENTS_MAX } from "../../core/limits.ts";
import { NO_RULES } from "../../core/rules.ts";
import { DAY_MS, dateOf, dayAt, HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import { QUESTION_ROUTES } from "../../workers/query/app.ts";
import { UMAMI_ROUTES } from "../../workers/query/umami.ts";
import { eventOf, IPHONE } from "../support/events.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../support/query-worker.ts";
import { rowOf } from "../support/rollup-rows.ts";

const today = dayAt("UTC", Date.now());
/** Ten in the morning of the Day before, when every visit below begins. */
const MORNING = (today - 1) * DAY_MS + 10 * HOUR_MS;
const BLOG = [["contains", "event:page", ["/blog/"]]];

const hit = (id: string, minutes: number, path: string, changes: Partial<Event> = {}) => {
  const timestamp = MORNING + minutes * MINUTE_MS;
  const facts = { id, visitor: "00000000000000aa", url: `https://shop.example${path}` };
  return eventOf({ ...facts, timestamp, receivedAt: timestamp, ...changes });
};

/** What the link admits. */
const SHOWN = [
  hit("a", 0, "/blog/a", { referrer: "https://www.google.com/", props: '{"plan":"pro"}' }),
  hit("b", 20, "/blog/b", { scroll: 40, engagementMs: 4_000, name: "engagement" }),
  hit("c", 90, "/blog/c", { country: "AT" }),
  hit("d", 0, "/blog/a", { visitor: "00000000000000bb", name: "signup", stream: 2 }),
  hit("e", 3, "/blog/b", { visitor: "00000000000000bb", revenue: 120_000, currency: "EUR", order: "A1" }),
];

/** What it hides, beside, before, between and after those: of the same visitors, of others, on other Days. */
const HIDDEN = [
  hit("h0", -5, "/admin/users/42", { referrer: "https://news.example/", userAgent: IPHONE }),
  hit("h1", 10, "/admin/users/43"),
  hit("h2", 40, "/cart", { props: '{"plan":"secret"}' }),
  hit("h3", 60, "/pay", { revenue: 999_000, currency: "EUR", order: "A1", name: "purchase" }),
  hit("h4", 80, "/thanks", { stream: 3 }),
  hit("h5", 110, "/admin/logout", { name: "signup" }),
  hit("h6", 4, "/admin/users/42", { visitor: "00000000000000bb", country: "JP" }),
  hit("h7", 0, "/pay", { visitor: "00000000000000cc", revenue: 5_000, currency: "USD" }),
  hit("h8", -9 * 24 * 60, "/admin/old", { visitor: "00000000000000dd" }),
  hit("h9", 12 * 60, "/admin/late", { visitor: "00000000000000bb", scroll: 90, name: "engagement" }),
];

const RANGE = [dateOf(today - 2), dateOf(today)];
const ASKED = { metrics: ["visitors", "visits", "pageviews", "events"], date_range: RANGE };
const VISITS = ["bounce_rate", "visit_duration", "bounces", "total_duration"];
const TELLING: readonly unknown[] = [
  ["has_done", ["contains", "event:page", ["/admin"]]],
  ["has_not_done", ["contains", "event:page", ["/admin"]]],
  ["not", ["has_done", ["is", "event:name", ["purchase"]]]],
  ["contains", "visit:entry_page", ["/admin"]],
  ["contains_not", "visit:exit_page", ["/admin"]],
  ["is", "visit:source", ["news.example"]],
  ["is", "visit:entry_page", ["/blog/a"]],
  ["matches", "visit:exit_page", ["^/a"]],
  ["is", "event:props:plan", ["secret"]],
  ["contains", "event:goal", ["Buy"]],
  ["is", "event:goal", ["None has this name"]],
  [
    "or",
    [
      ["is", "event:page", ["/pay"]],
      ["is", "event:page", ["/blog/c"]],
    ],
  ],
  ["has_done", ["is", "event:props:plan", ["pro"]]],
];
const DIMENSIONS = [
  ...["event:page", "event:name", "event:goal", "event:stream", "event:props:plan", "event:product"],
  ...[
    "visit:entry_page",
    "visit:exit_page",
    "visit:source",
    "visit:country",
    "visit:device",
    "visit:exit_page_hostname",
  ],
  ...["time:minute", "time:hour", "time:day", "time:month"],
];
const STEPS = ["/admin", "/blog/a", "/pay"].map((page) => ({ filters: [["contains", "event:page", [page]]] }));
const from = String(MORNING - 36 * HOUR_MS);
const to = String(MORNING + 24 * HOUR_MS);
const UMAMI = ["path", "entry", "exit", "referrer", "event", "device", "country", "channel"];

type Asking = readonly [route: string, query: string, body: object | undefined];

/** Questions by route. */
const QUESTIONS: readonly Asking[] = [
  ...[
    ASKED,
    { ...ASKED, metrics: VISITS },
    { ...ASKED, metrics: ["views_per_visit"], dimensions: ["time:day"] },
    { ...ASKED, metrics: ["conversion_rate", "group_conversion_rate"], dimensions: ["event:goal"] },
    { ...ASKED, metrics: ["total_revenue", "orders", "average_order_value", "average_revenue"] },
    { ...ASKED, metrics: ["scroll_depth", "time_on_page", ...VISITS], dimensions: ["event:page"] },
    { ...ASKED, date_range: "all", dimensions: ["time:day"], include: { time_labels: true, total_rows: true } },
    { ...ASKED, date_range: "7d", include: { comparisons: { mode: "previous_period" } } },
    { ...ASKED, accuracy: "exact", include: { comparisons: { mode: "custom", date_range: ["2020-01-01", RANGE[1]] } } },
    ...DIMENSIONS.map((name) => ({ ...ASKED, dimensions: [name], date_range: [RANGE[1], RANGE[1]] })),
    ...DIMENSIONS.slice(0, -4).map((name) => ({ ...ASKED, metrics: ["visitors", "percentage"], dimensions: [name] })),
    ...TELLING.map((filter) => ({ ...ASKED, filters: [filter] })),
    ...TELLING.map((filter) => ({ ...ASKED, filters: [["not", filter]], dimensions: ["visit:entry_page"] })),
    { ...ASKED, filters: [["is", "segment", ["Staff"]]] },
    { ...ASKED, filters: [["is", "segment", ["No such segment"]]] },
  ].map((body) => ["/api/v2/query", "", body] as const),
  ...[
    { date_range: RANGE, steps: STEPS },
    { date_range: "all", steps: STEPS.slice(1) },
    ...TELLING.map((filter) => ({ date_range: RANGE, steps: [{ filters: BLOG }, { filters: [filter] }] })),
    { date_range: RANGE, steps: [{ filters: [["is", "segment", ["Staff"]]] }, { filters: BLOG }] },
  ].map((body) => ["/api/v2/funnel", "", body] as const),
  ...[{ date_range: RANGE }, ...TELLING.map((filter) => ({ date_range: "all", filters: [filter] }))].flatMap((body) => [
    ["/api/v2/retention", "", body] as const,
    ["/api/v2/paths", "", body] as const,
    ["/api/v2/paths", "", { ...body, from: "/blog" }] as const,
    ["/api/v2/orders", "", body] as const,
  ]),
  ...[{}, ...TELLING.map((filter) => ({ filters: [filter] }))].map((body) => ["/api/v2/realtime", "", body] as const),
  [
    "/api/v2/batch",
    "",
    {
      date_range: RANGE,
      questions: {
        pages: { metrics: ["visitors", "pageviews"], dimensions: ["event:page"] },
        sources: { metrics: ["visitors"], dimensions: ["visit:source"], filters: [TELLING[0]] },
        way: { kind: "funnel", steps: STEPS },
        paths: { kind: "paths" },
        orders: { kind: "orders" },
        named: { metrics: ["visitors"], filters: [["is", "segment", ["Staff"]]] },
      },
    },
  ],
  ["/api/websites/:website/stats", `?startAt=${from}&endAt=${to}`, undefined],
  ["/api/websites/:website/pageviews", `?startAt=${from}&endAt=${to}&unit=hour`, undefined],
  ...UMAMI.map(
    (type) => ["/api/websites/:website/metrics", `?startAt=${from}&endAt=${to}&type=${type}`, undefined] as const,
  ),
  ["/api/websites/:website/active", "", undefined],
];

interface Shop {
  readonly worker: QueryWorker;
  readonly id: string;
  readonly link: (filters: readonly unknown[]) => Promise<string>;
}

/** A shop with these events, all of which wait for the archive, and with rollups that tell of many more. */
async function shopWith(events: readonly Event[]): Promise<Shop> {
  const worker = startQueryWorker();
  const admin = async (path: string, body: object, method = "POST") =>
    (await worker.ask(method, `/api/v1/merchants${path}`, { token: ADMIN_TOKEN, body })).body;
  const { id } = await admin("", { name: "Shop", time_zone: "UTC", currency: "EUR" });
  await admin(`/${id}/segments`, { name: "Staff", filters: [["contains", "event:page", ["/admin"]]] });
  const goals = [
    { name: "Buy", event: "purchase" },
    { name: "Read", page: "/blog/*" },
    { name: "Staff", page: "/admin*" },
  ];
  const rules = JSON.stringify([{ version: 1, from: 0, rules: { ...NO_RULES, goals } }]);
  await worker.db.prepare("UPDATE merchants SET rules = ?, created_at = ? WHERE id = ?").bind(rules, MORNING, id).run();
  const partition = partitionsOf({ merchant: 1 }, { poolSize: 4, regions: [] })[0] as string;
  const rows = events.map((event, position) => {
    return { position, row: encodeLogged({ day: dayAt("UTC", event.timestamp), late: false, event }) };
  });
  worker.recent.set(partition, rows);
  const page = Object.fromEntries(events.map(({ url }) => [new URL(url).pathname, { pageviews: 1, who: [1] }]));
  const seen = { pageviews: events.length };
  worker.live.push({ ...rowOf({ bucket: today - 1, partition, seen, by: { page } }), merchant: 1 });
  const link = async (filters: readonly unknown[]) =>
    (await admin(`/${id}/shares`, { name: "link", filters })).token as string;
  return { worker, id, link };
}

async function askAll({ worker, id }: Shop, token: string): Promise<readonly string[]> {
  const answers: string[] = [];
  for (const [route, query, body] of QUESTIONS) {
    const path = `${route.replace(":website", id)}${query}`;
    const reply =
      body === undefined
        ? await worker.ask("GET", path, { token })
        : await worker.ask("POST", path, { token, body: { site_id: id, ...body } });
    const text = JSON.stringify(reply.body)
      .replaceAll(/"as_of":"[^"]+"/g, "")
      .replaceAll(id, "the shop");
    answers.push(`${route} ${JSON.stringify(body) ?? query} ${reply.status} ${text}`);
  }
  return answers;
}

test("[SHR-5] every route of questions is tried", () => {
  const routes = [...QUESTION_ROUTES, ...UMAMI_ROUTES].map(([path]) => path);
  expect([...new Set(QUESTIONS.map(([route]) => route))].sort()).toEqual([...routes].sort());
});

const LINKS: readonly (readonly [what: string, filters: readonly unknown[]])[] = [
  ["a part of the shop", BLOG],
  [
    "one page or another",
    [
      [
        "or",
        [
          ["is", "event:page", ["/blog/a", "/blog/c"]],
          ["is", "event:page", ["/blog/b"]],
        ],
      ],
    ],
  ],
  ["all but some pages", [["matches_not", "event:page", ["^/(admin|cart|pay|thanks)"]]]],
];

test.each(LINKS)("[SHR-5] a link of %s tells nothing of what it hides, whatever is asked", async (_, filters) => {
  const [full, clean] = [await shopWith([...HIDDEN.slice(0, 5), ...SHOWN, ...HIDDEN.slice(5)]), await shopWith(SHOWN)];
  const [told, known] = [await askAll(full, await full.link(filters)), await askAll(clean, await clean.link(filters))];
  for (const [index, answer] of told.entries()) expect(answer).toBe(known[index]);
  const text = told.map((answer) => answer.replace(/"query":\{.*$/, "").replace(/^\S+ .* 200 /, "")).join("\n");
  expect(/users.4|.cart|.thanks|news.example|"JP"|999/.exec(text)?.[0]).toBe(undefined);
  // And it tells what it shows: the three visits of two visitors.
  expect(told[0]).toContain('"metrics":[2,3,3,4]');
});

test("[SHR-5] a link of visits shows all of those visits, and nothing of others", async () => {
  const shop = await shopWith([...SHOWN, ...HIDDEN]);
  const link = await shop.link([["is", "visit:entry_page", ["/admin/users/42"]]]);
  const body = { site_id: shop.id, ...ASKED, dimensions: ["event:page"] };
  const { body: answer } = await shop.worker.ask("POST", "/api/v2/query", { token: link, body });
  const pages = answer.results.map(({ dimensions }: { readonly dimensions: readonly string[] }) => dimensions[0]);
  expect(pages.sort()).toEqual([
    "/admin/logout",
    "/admin/users/42",
    "/admin/users/43",
    "/blog/a",
    "/blog/b",
    "/blog/c",
    "/cart",
    "/pay",
    "/thanks",
  ]);
});

test("[SHR-5] [SEG-3] who holds a link names no segment, and cannot tell which there are", async () => {
  const shop = await shopWith(SHOWN);
  for (const filters of [[], BLOG]) {
    const token = await shop.link(filters);
    const told = [];
    for (const name of ["Staff", "No such segment"]) {
      const named = [["is", "segment", [name]]];
      const query = { site_id: shop.id, ...ASKED, filters: named };
      const funnel = { site_id: shop.id, date_range: RANGE, steps: [{ filters: named }, { filters: BLOG }] };
      for (const [path, body] of [
        ["query", query],
        ["funnel", funnel],
      ] as const) {
        const reply = await shop.worker.ask("POST", `/api/v2/${path}`, { token, body });
        told.push(JSON.stringify([reply.status, reply.body]));
      }
    }
    expect(new Set(told).size).toBe(1);
    expect(told[0]).toMatch(/^\[400,.*Segments cannot be named by the holder of a share link/);
  }
});

test("[JOB-5] [SHR-5] a link takes no more than three of its merchant's large questions, and is not told how large they are", async () => {
  const shop = await shopWith([...HIDDEN, ...SHOWN]);
  const [row] = shop.worker.live;
  shop.worker.live.push({
    ...(row as RollupRow),
    bucket: today - 5,
    counts: { ...(row as RollupRow).counts, events: 2 * SCAN_EVENTS_MAX },
  });
  const place = [row?.merchant ?? 0, today - 5, row?.partition ?? ""];
  await shop.worker.db
    .prepare("INSERT INTO places VALUES (?, ?, ?)")
    .bind(...place)
    .run();
  const token = await shop.link(BLOG);
  const key = (
    await shop.worker.ask("POST", `/api/v1/merchants/${shop.id}/keys`, { token: ADMIN_TOKEN, body: { name: "own" } })
  ).body.api_key;
  const large = (by: string, at: number) => {
    const body = { site_id: shop.id, ...ASKED, date_range: "7d", filters: [["is_not", "event:page", [`/${at}`]]] };
    return shop.worker.ask("POST", "/api/v2/query", { token: by, body });
  };
  for (let at = 0; at < 3; at++) {
    const { status, body } = await large(token, at);
    expect([status, body.parts]).toEqual([202, { all: 100, done: 0 }]);
  }
  expect((await large(token, 3)).status).toBe(429);
  expect((await large(key, 4)).status).toBe(202);
  expect((await large(key, 5)).status).toBe(202);
  expect((await large(key, 6)).status).toBe(429);
});
