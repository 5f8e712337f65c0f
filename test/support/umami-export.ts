// The export of a Umami by the very statement of docs/import.md, and what its tables hold, counted by SQL of our own.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { programsOf } from "./postgres.ts";

const DOC = readFileSync(join(import.meta.dirname, "../../docs/import.md"), "utf8");
const STATEMENT = /### Umami[\s\S]*?```sql\n(COPY \([\s\S]*? TO STDOUT[\s\S]*?)```/.exec(DOC)?.[1] ?? "";
/** The id that the statement of the document stands for a merchant's. */
const EXAMPLE_ID = "5f0e3c52-7a51-4c0e-9d6f-000000000000";

/** The file as a merchant makes it, of one website. */
export function exportOf(databaseUrl: string, website: string): Buffer {
  if (!STATEMENT.includes(EXAMPLE_ID)) throw new Error(`docs/import.md has no statement for Umami with ${EXAMPLE_ID}`);
  const sql = STATEMENT.replace(EXAMPLE_ID, website);
  const given = { input: sql, maxBuffer: 2 ** 26, env: { ...process.env, PGTZ: "UTC" } };
  return execFileSync(join(programsOf() as string, "psql"), ["-X", "-v", "ON_ERROR_STOP=1", databaseUrl], given);
}

/** Counted over Umami's own tables, none of it by way of the export. */
export interface UmamiCounts {
  readonly pageviews: number;
  readonly visitors: number;
  /** Rows that say how long pages took to load. */
  readonly performance: number;
  readonly events: Counts;
  readonly pageviews_of_days: Counts;
  readonly visitors_of_days: Counts;
  readonly pageviews_of_countries: Counts;
  readonly pageviews_of_cities: Counts;
  readonly pageviews_of_hostnames: Counts;
  readonly pageviews_of_paths: Counts;
  readonly visitors_of_browsers: Counts;
  readonly visitors_of_devices: Counts;
  readonly visitors_of_campaigns: Counts;
  readonly pageviews_of_referrers: Counts;
  readonly events_of_tags: Counts;
  /** "key=value", of properties that are texts, numbers and truths. */
  readonly events_of_properties: Counts;
  readonly revenue: Readonly<Record<string, { readonly sum: number; readonly count: number }>>;
}

export type Counts = Readonly<Record<string, number>>;

const VISITOR = "COALESCE(s.distinct_id, s.session_id::text)";

export async function countsOf(databaseUrl: string, website: string): Promise<UmamiCounts> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const rows = async (sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> =>
    (await client.query(sql, [website])).rows as Readonly<Record<string, unknown>>[];
  const by = async (value: string, count: string, where: string): Promise<Counts> => {
    const found = await rows(
      `SELECT ${value} AS value, ${count}::int AS count FROM website_event e JOIN session s USING (session_id)
       WHERE e.website_id = $1 AND ${where} AND ${value} IS NOT NULL AND ${value}::text <> '' GROUP BY 1 ORDER BY 1`,
    );
    return Object.fromEntries(found.map(({ value, count }) => [String(value), count as number]));
  };
  const views = "e.event_type = 1";
  const all = "e.event_type IN (1, 2)";
  const day = "to_char(e.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')";
  const [total] = await rows(
    `SELECT count(*) FILTER (WHERE ${views})::int AS pageviews, count(*) FILTER (WHERE event_type = 5)::int AS performance,
       count(DISTINCT ${VISITOR}) FILTER (WHERE ${all})::int AS visitors
     FROM website_event e JOIN session s USING (session_id) WHERE e.website_id = $1`,
  );
  const properties = await rows(
    `SELECT data_key || '=' || COALESCE(trim_scale(number_value)::text, string_value) AS value, count(*)::int AS count
     FROM event_data WHERE website_id = $1 AND data_type IN (1, 2, 3) GROUP BY 1 ORDER BY 1`,
  );
  const revenue = await rows(
    `SELECT currency, sum(revenue)::float AS sum, count(*)::int AS count FROM revenue WHERE website_id = $1 GROUP BY 1
     ORDER BY 1`,
  );
  try {
    return {
      ...(total as { pageviews: number; visitors: number; performance: number }),
      events: await by("e.event_name", "count(*)", "e.event_type = 2"),
      pageviews_of_days: await by(day, "count(*)", views),
      visitors_of_days: await by(day, `count(DISTINCT ${VISITOR})`, all),
      pageviews_of_countries: await by("s.country", "count(*)", views),
      pageviews_of_cities: await by("s.city", "count(*)", views),
      pageviews_of_hostnames: await by("e.hostname", "count(*)", views),
      pageviews_of_paths: await by("e.url_path", "count(*)", views),
      visitors_of_browsers: await by("s.browser", `count(DISTINCT ${VISITOR})`, all),
      visitors_of_devices: await by("s.device", `count(DISTINCT ${VISITOR})`, all),
      visitors_of_campaigns: await by("e.utm_campaign", `count(DISTINCT ${VISITOR})`, views),
      pageviews_of_referrers: await by("e.referrer_domain", "count(*)", views),
      events_of_tags: await by("e.tag", "count(*)", all),
      events_of_properties: Object.fromEntries(properties.map(({ value, count }) => [String(value), count as number])),
      revenue: Object.fromEntries(
        revenue.map(({ currency, sum, count }) => [String(currency), { sum: sum as number, count: count as number }]),
      ),
    };
  } finally {
    await client.end();
  }
}
