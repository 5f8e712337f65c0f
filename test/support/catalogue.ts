// The catalogue of questions: traffic of a few shops, questions in the grammar, and the same questions in SQL over the
// archive's files. The SQL is written from what the words mean (docs/spec.md), by dimension, filter and metric; it
// knows nothing of plans, rollups or scans.

import { randomOf } from "./archive-fixture.ts";
import { CHROME, IPHONE } from "./events.ts";

export const ZONES = [
  { zone: "Europe/Vienna", currency: "EUR", offset: "+02:00" },
  { zone: "Asia/Kolkata", currency: "INR", offset: "+05:30" },
  { zone: "America/New_York", currency: "USD", offset: "-04:00" },
] as const;

const HOUR_MS = 3_600_000;
const PLACES = [
  { country: "AT", region: "Vienna", city: "Vienna" },
  { country: "IN", region: "Karnataka", city: "Bengaluru" },
  { country: "US", region: "New York", city: "Brooklyn" },
];

export interface Hits {
  readonly headers: Record<string, string>;
  readonly events: readonly object[];
}

/**
 * Visits of forty people over some days: requests with the headers of the one who makes them. No two events of a person
 * fall into one millisecond, so that nothing depends on how ties are broken.
 */
export function trafficOf(seed: number, { from, hours }: { from: number; hours: number }): readonly Hits[] {
  const random = randomOf(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  return Array.from({ length: 40 }, (_, who): Hits => {
    const agent = pick([CHROME, IPHONE]);
    const place = pick(PLACES);
    const events: object[] = [];
    for (let visit = 0; visit < 5; visit++) {
      let at = from + Math.floor(random() * hours) * HOUR_MS + Math.floor(random() * HOUR_MS);
      const source = pick(["", "", "newsletter", "ads"]);
      const steps = 1 + Math.floor(random() * 5);
      for (let step = 0; step < steps; step++) {
        const name = pick(["pageview", "pageview", "pageview", "engagement", "signup", "purchase"]);
        const campaign = step === 0 && source !== "" ? `?utm_source=${source}&utm_medium=email` : "";
        events.push({
          id: `${seed} ${who} ${visit} ${step}`,
          name,
          visitor_id: `person ${seed} ${who}`,
          timestamp: at,
          url: `https://${pick(["shop.example", "till.example"])}/${pick(["", "a", "b", "b/c", "pay"])}${campaign}`,
          ...(random() < 0.4 && { props: { plan: pick(["pro", "basic"]), "a b": "x" } }),
          ...(name === "purchase" && {
            revenue: { amount: pick([10, 19.99, -5]), currency: pick(["EUR", "EUR", "INR", "USD"]) },
            order_id: `order ${seed} ${who} ${visit} ${step % 2}`,
            products: [
              { name: pick(["Tea", "Cup"]), price: 2.5, quantity: 1 + Math.floor(random() * 3) },
              { name: "Wrap", price: 0.75, quantity: 2 },
            ],
          }),
          ...(name === "engagement" && {
            engagement_ms: Math.floor(random() * 60_000),
            scroll: Math.floor(random() * 101),
          }),
        });
        at += 1 + Math.floor(random() * pick([60_000, 1_200_000, 2_400_000]));
      }
    }
    return { headers: { "user-agent": agent, "x-footfall-place": JSON.stringify(place) }, events };
  });
}

/** Goals of every shop in the catalogue. */
export const GOALS = [
  { name: "Signup", event: "signup" },
  { name: "Paid", page: "/pay" },
  { name: "Blog", page: "/b*" },
];

/** Events and their visits: what everything else is selected from. `zones` maps merchant numbers to zones. */
export function viewsOf(
  shops: ReadonlyMap<number, { readonly zone: string; readonly currency: string }>,
): readonly string[] {
  const values = [...shops].map(([number, { zone, currency }]) => `(${number}, '${zone}', '${currency}')`).join(", ");
  // A visit is opened by the first event of its run that is no engagement report.
  const first = (column: string) => `arg_min(${column}, ms) FILTER (name <> 'engagement') OVER (PARTITION BY vid)`;
  const page = (column: string, order: string) =>
    `coalesce(arg_${order}(${column}, ms) FILTER (name = 'pageview') OVER (PARTITION BY vid), '')`;
  return [
    `CREATE TABLE shops AS SELECT * FROM (VALUES ${values}) AS t (number, zone, currency)`,
    `CREATE TABLE facts AS SELECT e.*, s.zone, s.currency AS home, epoch_ms(timestamp) AS ms,
       timezone(s.zone, timestamp) AS clock, strftime(timezone(s.zone, timestamp), '%Y-%m-%d') AS day,
       regexp_extract(url, '^https://([^/]+)', 1) AS hostname, regexp_extract(url, '^https://[^/]+([^?#]*)', 1) AS page,
       regexp_extract(url, 'utm_source=([^&]*)', 1) AS utm_source, regexp_extract(url, 'utm_medium=([^&]*)', 1) AS utm_medium,
       coalesce(json_extract_string(props, '$.plan'), '') AS plan, coalesce(json_extract_string(props, '$."a b"'), '') AS ab,
       CASE WHEN user_agent LIKE '%iPhone%' THEN 'Mobile Safari' ELSE 'Chrome' END AS browser,
       CASE WHEN user_agent LIKE '%iPhone%' THEN 'Mobile' ELSE 'Desktop' END AS device,
       e.currency IS NULL OR e.currency = s.currency AS ours,
       from_json(coalesce(products, '[]'), '[{"name":"VARCHAR","price":"DOUBLE","quantity":"INTEGER"}]') AS told,
       list_filter(['Signup', 'Paid', 'Blog'], g -> CASE g WHEN 'Signup' THEN name = 'signup'
         WHEN 'Paid' THEN name = 'pageview' AND regexp_extract(url, '^https://[^/]+([^?#]*)', 1) = '/pay'
         ELSE name = 'pageview' AND regexp_matches(url, '^https://[^/]+/b') END) AS goals
     FROM events AS e JOIN shops AS s ON s.number = e.merchant
     WHERE dropped IS NULL QUALIFY row_number() OVER (PARTITION BY merchant, event_id ORDER BY position) = 1`,
    // A number earns once a Day; what is less than nothing is given back.
    `CREATE TABLE signed AS SELECT *, CASE WHEN name <> 'purchase' THEN 0 WHEN revenue < 0 THEN -1
         WHEN row_number() OVER (PARTITION BY merchant, day, order_id, name = 'purchase' AND revenue >= 0 ORDER BY ms) = 1 THEN 1
         ELSE 0 END AS sign FROM facts`,
    `CREATE TABLE earning AS SELECT *, CASE WHEN ours AND sign <> 0 THEN revenue ELSE 0 END AS earned,
       list_transform(told, p -> {name: p.name, price: CASE WHEN ours THEN p.price ELSE 0 END, quantity: sign * p.quantity}) AS sold
     FROM signed`,
    `CREATE TABLE runs AS SELECT *, merchant || ' ' || visitor || ' ' || day || ' ' ||
       sum(CASE WHEN gap IS NULL OR gap > 1800000 THEN 1 ELSE 0 END) OVER (PARTITION BY merchant, visitor, day ORDER BY ms) AS run
     FROM (SELECT *, ms - lag(ms) OVER (PARTITION BY merchant, visitor, day ORDER BY ms) AS gap FROM earning)`,
    // A run of engagement reports alone belongs to the visit before it, or to nobody.
    `CREATE TABLE numbered AS SELECT * FROM (SELECT *, last_value(CASE WHEN opened THEN run END IGNORE NULLS) OVER (
         PARTITION BY merchant, visitor, day ORDER BY ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS vid
       FROM (SELECT *, bool_or(name <> 'engagement') OVER (PARTITION BY run) AS opened FROM runs)) WHERE vid IS NOT NULL`,
    `CREATE TABLE seen AS SELECT * REPLACE (${first("utm_source")} AS utm_source, ${first("utm_medium")} AS utm_medium,
         ${first("country")} AS country, ${first("city")} AS city, ${first("browser")} AS browser, ${first("device")} AS device),
       ${page("page", "min")} AS entry_page, ${page("page", "max")} AS exit_page, ${page("hostname", "min")} AS entry_hostname,
       ${first("ms")} AS start_ms, ${first("clock")} AS start_clock,
       max(ms) FILTER (run = vid) OVER (PARTITION BY vid) - ${first("ms")} AS duration,
       count(*) FILTER (name <> 'engagement') OVER (PARTITION BY vid) <= 1 AS bounce,
       bool_or(name = 'purchase') OVER (PARTITION BY vid) AS has_bought,
       bool_or(page = '/pay') OVER (PARTITION BY vid) AS has_paid
     FROM numbered`,
  ];
}

/** A value as answers show it: what is none has a name. */
const named = (column: string, none: string) =>
  `CASE WHEN ${column} = '' OR ${column} IS NULL THEN '${none}' ELSE ${column} END`;

/** Dimensions in SQL, over an event and its visit. */
const DIMENSIONS: Readonly<Record<string, string>> = {
  "event:page": named("page", "(none)"),
  "event:hostname": named("hostname", "(none)"),
  "event:name": "name",
  "event:goal": "unnest(goals)",
  "event:props:plan": named("plan", "(none)"),
  "event:props:a b": named("ab", "(none)"),
  "visit:entry_page": named("entry_page", "(none)"),
  "visit:exit_page": named("exit_page", "(none)"),
  "visit:entry_page_hostname": named("entry_hostname", "(none)"),
  "visit:source": named("utm_source", "Direct / None"),
  "visit:utm_source": named("utm_source", "(not set)"),
  "visit:utm_medium": named("utm_medium", "(not set)"),
  "visit:country": "country",
  "visit:country_name": "CASE country WHEN 'AT' THEN 'Austria' WHEN 'IN' THEN 'India' ELSE 'United States' END",
  "visit:city": "city",
  "visit:browser": "browser",
  "visit:device": "device",
  "visit:screen": "device",
};

/** Labels in time, of a local clock. */
type Label = (clock: string, first: string) => string;
const TIMES: Readonly<Record<string, Label>> = {
  "time:minute": (clock) => `strftime(date_trunc('minute', ${clock}), '%Y-%m-%d %H:%M:%S')`,
  "time:hour": (clock) => `strftime(date_trunc('hour', ${clock}), '%Y-%m-%d %H:%M:%S')`,
  "time:day": (clock) => `strftime(${clock}, '%Y-%m-%d')`,
  "time:week": (clock, first) => `greatest(strftime(date_trunc('week', ${clock}), '%Y-%m-%d'), '${first}')`,
  "time:month": (clock, first) => `greatest(strftime(date_trunc('month', ${clock}), '%Y-%m-%d'), '${first}')`,
};

/** Filters with what they mean in SQL. */
export const FILTERS: readonly (readonly [filters: readonly unknown[], sql: string])[] = [
  [[], "true"],
  [[["is", "event:page", ["/b"]]], "page = '/b'"],
  [[["is", "visit:source", ["newsletter"]]], "utm_source = 'newsletter'"],
  [[["is", "event:page", ["/a", "/pay"]]], "page IN ('/a', '/pay')"],
  [[["is_not", "event:page", ["/"]]], "page <> '/'"],
  [[["contains", "event:page", ["/B"], { case_sensitive: false }]], "page ILIKE '%/b%'"],
  [[["matches", "event:page", ["^/b(/c)?$"]]], "regexp_matches(page, '^/b(/c)?$')"],
  [[["is", "event:props:plan", ["pro"]]], "plan = 'pro'"],
  [[["is_not", "event:props:plan", ["(none)"]]], "plan <> ''"],
  [[["has_done", ["is", "event:name", ["purchase"]]]], "has_bought"],
  [[["has_not_done", ["is", "event:page", ["/pay"]]]], "NOT has_paid"],
  [
    [
      ["is", "visit:country", ["AT", "IN"]],
      [
        "not",
        [
          "and",
          [
            ["is", "visit:browser", ["Chrome"]],
            ["contains", "event:hostname", ["shop"]],
          ],
        ],
      ],
    ],
    "country IN ('AT', 'IN') AND NOT (browser = 'Chrome' AND hostname LIKE '%shop%')",
  ],
  [
    [
      [
        "or",
        [
          ["is", "event:name", ["signup"]],
          ["is", "visit:entry_page", ["/a"]],
        ],
      ],
    ],
    "(name = 'signup' OR entry_page = '/a')",
  ],
];

const EVENT_METRICS = ["visitors", "visits", "pageviews", "events", "total_revenue"];
const VISIT_METRICS = [...EVENT_METRICS, "bounces", "total_duration"];
const PAGE_METRICS = ["scroll_depth", "time_on_page", "visits"];

export interface CataloguedQuestion {
  readonly metrics: readonly string[];
  readonly dimensions: readonly string[];
  readonly date_range: readonly [string, string] | "24h";
  readonly filters: readonly unknown[];
  /** What the filters mean. */
  readonly where: string;
}

/**
 * What a date range means: dates of the shop, both included; or instants, [from, to) in UTC ms, of which the first has
 * a date.
 */
export interface Span {
  readonly first: string;
  readonly last: string;
  readonly instants?: readonly [from: number, to: number];
}

/** Every filter with some dimensions, every dimension with some filters, pairs and triples of dimensions. */
export function catalogue(date_range: readonly [string, string]): readonly CataloguedQuestion[] {
  const names = Object.keys(DIMENSIONS);
  const times = Object.keys(TIMES).filter((name) => name !== "time:minute");
  const sets: (readonly string[])[] = [
    [],
    ...times.map((name) => [name]),
    ...names.map((name) => [name]),
    ["time:day", "visit:source"],
    ["visit:country", "visit:device"],
    ["event:props:plan", "event:page"],
    ["event:name", "time:day", "visit:browser"],
    ["event:goal", "visit:utm_medium"],
  ];
  const questions: CataloguedQuestion[] = [];
  for (const [at, dimensions] of sets.entries()) {
    // Every set without a filter and with four others, so that each filter meets each kind of set.
    for (const turn of [0, 1, 4, 7, 10]) {
      const which = turn === 0 ? 0 : 1 + ((at + turn) % (FILTERS.length - 1));
      const [filters, where] = FILTERS[which] as (typeof FILTERS)[number];
      const isOfVisits = dimensions.every((name) => !name.startsWith("event:") || name === "event:page");
      questions.push({ metrics: isOfVisits ? VISIT_METRICS : EVENT_METRICS, dimensions, date_range, filters, where });
    }
  }
  for (const [filters, where] of FILTERS) {
    const ask = (metrics: readonly string[], ...dimensions: readonly string[]) =>
      questions.push({ metrics, dimensions, date_range, filters, where });
    ask(PAGE_METRICS, "event:page");
    ask(["average_revenue", "total_revenue"], "event:name", "visit:country");
    ask(["visitors", "percentage"], "visit:source");
    ask(["visitors", "percentage"], "event:props:plan", "event:page");
    const everybody = !JSON.stringify(filters).includes("event:props:");
    if (everybody) ask(["visitors", "conversion_rate"], "event:goal");
    if (everybody) ask(["conversion_rate"], "event:goal", "time:day");
    const [day] = date_range;
    const minutes = { metrics: ["visitors", "events"], dimensions: ["time:minute"], filters, where };
    questions.push({ ...minutes, date_range: [day, day] });
  }
  return questions;
}

/** The same question in SQL: rows of dimensions d0, d1 … and metrics m0, m1 …, for one merchant. */
export function toSql(question: CataloguedQuestion, merchant: number, span: Span): string {
  const { metrics, dimensions, where } = question;
  const { first } = span;
  const columns = (clock: string) =>
    dimensions.map((name, at) => `${TIMES[name]?.(clock, first) ?? DIMENSIONS[name]} AS d${at}`).join(", ");
  const keys = dimensions.map((_, at) => `d${at}`);
  const select = (more: string, clock: string, from = "seen") =>
    `SELECT ${[...(keys.length > 0 ? [columns(clock)] : []), more].join(", ")} FROM ${from}
     WHERE merchant = ${merchant} AND ${within(span, clock === "clock" ? "ms" : "start_ms")} AND (${where})`;
  const group = keys.length > 0 ? `GROUP BY ${keys.join(", ")}` : "";
  const list = keys.length > 0 ? `${keys.join(", ")}, ` : "";
  const ofEvents = `SELECT ${list}count(DISTINCT visitor) AS visitors, count(*) FILTER (name = 'pageview') AS pageviews,
      count(*) FILTER (name <> 'engagement') AS events, CASE WHEN count(*) FILTER (earned <> 0) = 0 AND count(*) FILTER (foreign_money) > 0 THEN NULL
        ELSE coalesce(sum(earned), 0) / 10000 END AS total_revenue,
      sum(earned) / nullif(count(*) FILTER (earned <> 0), 0) AS ten_thousandths, sum(engagement_ms) AS engaged
    FROM (${select("visitor, name, earned, sign <> 0 AND NOT ours AS foreign_money, engagement_ms", "clock")}) ${group}`;
  const scrolls = `SELECT ${list}avg(deepest) AS depth FROM (SELECT ${list}vid, max(scroll) AS deepest
    FROM (${select("vid, scroll", "clock")}) WHERE scroll IS NOT NULL GROUP BY ${[...keys, "vid"].join(", ")}) ${group}`;
  const days = `merchant = ${merchant} AND ${within(span, "ms")}`;
  // Goals are no part of any filter here, so everybody who passes it could have reached one.
  const timeAt = dimensions.findIndex((name) => name.startsWith("time:"));
  const label = timeAt < 0 ? "" : ` AND ${(TIMES[dimensions[timeAt] as string] as Label)("clock", first)} = d${timeAt}`;
  const possible = `(SELECT count(DISTINCT visitor) FROM seen WHERE ${days} AND (${where})${label})`;
  const all = `(SELECT count(DISTINCT visitor) FROM seen WHERE ${days} AND (${where}))`;
  const visits = (from?: string) => `SELECT ${list}count(*) AS visits, count(*) FILTER (bounce) AS bounces,
      sum(duration) / 1000 AS total_duration
    FROM (SELECT DISTINCT * FROM (${select("vid, bounce, duration", "start_clock", from)})) ${group}`;
  // By page, whole visits are those that entered there.
  const byEntry = dimensions.includes("event:page")
    ? visits("(SELECT * REPLACE (entry_page AS page) FROM seen)")
    : visits();
  const on = keys.length > 0 ? `USING (${keys.join(", ")})` : "ON true";
  const source: Readonly<Record<string, string>> = {
    visits: "v.visits",
    bounces: "w.bounces",
    total_duration: "w.total_duration",
    // Where nothing happened nothing was earned; money without a rate is not known.
    total_revenue: "CASE WHEN e.visitors IS NULL THEN 0 ELSE e.total_revenue END",
    average_revenue: "floor(e.ten_thousandths + 0.5) / 10000",
    scroll_depth: "floor(s.depth + 0.5)",
    time_on_page: "floor(nullif(e.engaged, 0) / 1000 / nullif(v.visits, 0) + 0.5)",
    percentage: `floor(e.visitors * 100 / ${all} * 10 + 0.5) / 10`,
    conversion_rate: `floor(e.visitors * 100 / ${possible} * 100 + 0.5) / 100`,
  };
  const chosen = metrics.map((name, at) => `${source[name] ?? `e.${name}`} AS m${at}`);
  return `WITH e AS (${ofEvents}), v AS (${visits()}), w AS (${byEntry}), s AS (${scrolls})
    SELECT ${[...keys, ...chosen].join(", ")} FROM e FULL JOIN v ${on} LEFT JOIN w ${on} LEFT JOIN s ${on}`;
}

/** Whether an event, or a visit by its start, is in a range. */
function within({ first, last, instants }: Span, at: "ms" | "start_ms"): string {
  if (instants === undefined) return `day BETWEEN '${first}' AND '${last}'`;
  return `${at} >= ${instants[0]} AND ${at} < ${instants[1]}`;
}

/** A question or report whose SQL is written by hand; its columns are in the order of what is compared. */
export interface WrittenQuestion {
  readonly path: "query" | "funnel" | "retention" | "paths" | "orders";
  readonly body: Readonly<Record<string, unknown>>;
  readonly sql: string;
}

/** As many as the API lists at once. */
const ORDERS = 100;

/** Conversions by goal, orders and products, comparisons, and reports, over whole dates. */
export function written(merchant: number, [first, last]: readonly [string, string]): readonly WrittenQuestion[] {
  const own = `merchant = ${merchant} AND day BETWEEN '${first}' AND '${last}'`;
  const date_range = [first, last];
  const isSignup = "list_contains(goals, 'Signup')";
  const people = (where: string) => `count(DISTINCT visitor) FILTER (${where})`;
  const share = (part: string, whole: string) => `floor(${part} * 10000 / ${whole} + 0.5) / 100`;
  const source = named("utm_source", "Direct / None");
  const goal = ["is", "event:goal", ["Signup"]];
  const everybody = `(SELECT count(DISTINCT visitor) FROM seen WHERE ${own})`;
  const bought = `SELECT unnest(sold) AS p, * FROM seen WHERE ${own}`;
  const half = { first: "2026-10-25", middle: "2026-10-24" };
  const counts = `count(DISTINCT visitor) AS v, count(*) FILTER (name = 'pageview') AS n`;
  const change = (now: string, then: string) =>
    `CASE WHEN ${then} = 0 THEN CASE WHEN ${now} = 0 THEN 0 END ELSE floor((${now} - ${then}) * 100 / abs(${then}) + 0.5) END`;
  const both = (key: string, on: string) => {
    const of = (days: string) =>
      `(SELECT ${key}, ${counts} FROM seen WHERE merchant = ${merchant} AND ${days} GROUP BY ALL)`;
    return `SELECT n.k, n.v, n.n, coalesce(t.v, 0), coalesce(t.n, 0), ${change("n.v", "coalesce(t.v, 0)")},
        ${change("n.n", "coalesce(t.n, 0)")}
      FROM ${of(`day BETWEEN '${half.first}' AND '${last}'`)} AS n
      LEFT JOIN ${of(`day BETWEEN '${first}' AND '${half.middle}'`)} AS t ON ${on}`;
  };
  const compared = (dimension: string) => ({
    metrics: ["visitors", "pageviews"],
    date_range: [half.first, last],
    dimensions: [dimension],
    accuracy: "exact",
    include: { comparisons: { mode: "previous_period" } },
  });
  return [
    {
      path: "query",
      body: { metrics: ["visitors", "conversion_rate"], date_range, filters: [goal] },
      sql: `SELECT ${people(isSignup)} AS v, ${share("v", "count(DISTINCT visitor)")} FROM seen WHERE ${own}`,
    },
    {
      path: "query",
      body: {
        metrics: ["visitors", "conversion_rate", "group_conversion_rate"],
        date_range,
        dimensions: ["visit:source"],
        filters: [goal],
      },
      sql: `SELECT ${source} AS k, ${people(isSignup)} AS v, ${share("v", everybody)}, ${share("v", "count(DISTINCT visitor)")}
        FROM seen WHERE ${own} GROUP BY k HAVING v > 0`,
    },
    {
      path: "query",
      body: {
        metrics: ["visitors", "conversion_rate"],
        date_range,
        dimensions: ["time:day", "visit:device"],
        filters: [goal, ["is", "visit:browser", ["Chrome"]]],
      },
      sql: `SELECT day, device, ${people(isSignup)} AS v,
          ${share("v", "any_value(whole)")} FROM seen JOIN (SELECT day, count(DISTINCT visitor) AS whole FROM seen
            WHERE ${own} AND browser = 'Chrome' GROUP BY day) USING (day)
        WHERE ${own} AND browser = 'Chrome' GROUP BY ALL HAVING v > 0`,
    },
    {
      path: "query",
      body: {
        metrics: ["orders", "average_order_value", "units", "product_revenue"],
        date_range,
        dimensions: ["visit:country"],
      },
      sql: `SELECT country, count(*) FILTER (sign > 0) AS o,
          floor(sum(earned) / nullif(count(*) FILTER (sign > 0 AND ours), 0) + 0.5) / 10000,
          coalesce(sum(list_sum(list_transform(sold, p -> p.quantity))), 0),
          coalesce(sum(list_sum(list_transform(sold, p -> p.quantity * p.price))), 0)
        FROM seen WHERE ${own} GROUP BY country`,
    },
    {
      path: "query",
      body: {
        metrics: ["units", "product_revenue"],
        date_range,
        dimensions: ["event:product"],
        filters: [["has_done", ["is", "event:page", ["/pay"]]]],
      },
      sql: `SELECT p.name, sum(p.quantity), sum(p.quantity * p.price) FROM (${bought}) WHERE has_paid GROUP BY ALL`,
    },
    { path: "query", body: compared("visit:source"), sql: both(`${source} AS k`, "t.k = n.k") },
    {
      path: "query",
      body: compared("time:day"),
      sql: both("day AS k", "t.k = strftime(n.k::DATE - INTERVAL 4 DAY, '%Y-%m-%d')"),
    },
    {
      path: "funnel",
      body: {
        date_range,
        window_seconds: 7_200,
        steps: [
          { name: "a", filters: [["is", "event:page", ["/a"]]] },
          { name: "signed up", filters: [goal] },
          { name: "paid", filters: [["is", "event:page", ["/pay"]]] },
        ],
      },
      sql: `WITH e AS (SELECT *, page = '/a' AS first, ${isSignup} AS second, page = '/pay' AS third FROM seen WHERE ${own}),
          two AS (SELECT e.visitor, e.ms AS since, f.ms FROM e JOIN e AS f ON e.visitor = f.visitor AND f.ms > e.ms
            AND f.ms - e.ms <= 7200000 WHERE e.first AND f.second),
          three AS (SELECT two.visitor FROM two JOIN e AS g ON g.visitor = two.visitor AND g.ms > two.ms
            AND g.ms - two.since <= 7200000 WHERE g.third)
        SELECT 'a', count(DISTINCT visitor) FROM e WHERE first UNION ALL
        SELECT 'signed up', count(DISTINCT visitor) FROM two UNION ALL SELECT 'paid', count(DISTINCT visitor) FROM three`,
    },
    {
      path: "retention",
      body: { date_range },
      sql: `WITH w AS (SELECT DISTINCT visitor, date_trunc('week', day::DATE) AS week FROM seen WHERE ${own}),
          c AS (SELECT *, min(week) OVER (PARTITION BY visitor) AS cohort FROM w),
          l AS (SELECT max(date_trunc('week', '${last}'::DATE)) AS week FROM w)
        SELECT strftime(cohort, '%Y-%m-%d'), count(DISTINCT visitor),
          to_json(list_transform(range(0, CAST(date_diff('day', cohort, any_value(l.week)) / 7 + 1 AS BIGINT)),
            n -> len(list_distinct(list_filter(list({v: visitor, a: date_diff('day', cohort, c.week) // 7}), x -> x.a = n)))))
        FROM c, l GROUP BY cohort`,
    },
    {
      path: "paths",
      body: { date_range, depth: 3, limit: 10_000, filters: [["is", "visit:country", ["AT", "IN"]]] },
      sql: `SELECT to_json(pages[1:3]), count(*) FROM (SELECT list(page ORDER BY ms) AS pages FROM (
            SELECT vid, page, ms, lag(page) OVER (PARTITION BY vid ORDER BY ms) AS before FROM seen
            WHERE ${own} AND country IN ('AT', 'IN') AND name = 'pageview')
          WHERE before IS DISTINCT FROM page GROUP BY vid) GROUP BY ALL`,
    },
    ...[
      { filters: [], where: "true" },
      { filters: [["is", "visit:country", ["AT", "IN"]]], where: "country IN ('AT', 'IN')" },
    ].map(({ filters, where }) => ({
      path: "orders" as const,
      body: { date_range, limit: ORDERS, filters },
      // What is earned is of the order's own money; the way is that of its visit, until then.
      sql: `WITH views AS (SELECT vid, ms, page, lag(page) OVER (PARTITION BY vid ORDER BY ms) AS before FROM seen
            WHERE ${own} AND name = 'pageview'),
          o AS (SELECT * FROM seen WHERE ${own} AND ${where} AND sign > 0 ORDER BY ms DESC LIMIT ${ORDERS}),
          ways AS (SELECT o.event_id AS id, list(v.page ORDER BY v.ms) FILTER (v.page IS NOT NULL) AS pages
            FROM o LEFT JOIN views AS v ON v.vid = o.vid AND v.ms <= o.ms AND v.before IS DISTINCT FROM v.page
            GROUP BY o.event_id)
        SELECT strftime(make_timestamp(ms * 1000), '%Y-%m-%dT%H:%M:%S.%gZ'), currency, revenue / 10000,
          list_sum(list_transform(told, p -> p.quantity)), to_json(list_transform(told, p -> p.name)), ${source},
          CASE WHEN utm_medium = 'email' THEN 'Email' ELSE 'Direct' END,
          to_json(coalesce(CASE WHEN len(pages) > 10 THEN list_concat(pages[1:1], pages[-9:]) ELSE pages END, [])),
          greatest(coalesce(len(pages), 0) - 10, 0), floor((ms - start_ms) / 1000 + 0.5)
        FROM o JOIN ways ON ways.id = o.event_id`,
    })),
  ];
}
