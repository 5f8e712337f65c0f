// Umami itself: its own build, from a checkout that somebody made, on a PostgreSQL of the machine's packages. It is a
// rival of the dashboard, with a site of as many visits and page views as the demo shop has (dashboard.ts), and what
// real exports are made with (umami-export.ts). Made so, with DATABASE_URL=postgres://x:x@localhost/x in the
// environment:
//
//   git clone https://github.com/umami-software/umami && cd umami && pnpm install --frozen-lockfile
//   pnpm run build-db && pnpm run build-tracker && pnpm run build-app
//
// Its page takes a font from Google while it is built: without a way there, take `next/font/google` out of
// src/app/layout.tsx. Prisma's engine of migrations is not needed (PRISMA_SCHEMA_ENGINE_BINARY=/bin/true): they are
// applied here.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { freePort, startPostgres } from "../test/support/postgres.ts";

export interface Umami {
  readonly origin: string;
  /** What its page keeps of its administrator who signed in, under "umami.auth". */
  readonly token: string;
  /** Of its database. */
  readonly databaseUrl: string;
  readonly stop: () => Promise<void>;
}

export interface SiteSize {
  readonly days: number;
  readonly visits: number;
  readonly pageviews: number;
}

const SITE = "6c1f5b5e-0000-4000-8000-000000000001";
/** Of the account that its first migration makes. */
const SIGN_IN = { username: "admin", password: "umami" };
const READY_WITHIN_MS = 60_000;

/** Starts it without a site; undefined where the machine has no PostgreSQL. */
export async function startUmami(checkout: string): Promise<Umami | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "footfall-umami-"));
  const database = await startPostgres(folder);
  if (database === undefined) return undefined;
  await migrate(checkout, database.url);
  const port = await freePort();
  const server = spawn(join(checkout, "node_modules/.bin/next"), ["start", "-H", "127.0.0.1", "-p", String(port)], {
    cwd: checkout,
    env: { ...process.env, DATABASE_URL: database.url, APP_SECRET: "bench", NEXT_TELEMETRY_DISABLED: "1" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const origin = `http://127.0.0.1:${port}`;
  const stop = async () => {
    server.kill("SIGTERM");
    await once(server, "exit");
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return { origin, token: await signIn(origin), databaseUrl: database.url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function migrate(checkout: string, url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const folder = join(checkout, "prisma/migrations");
  const migrations = readdirSync(folder).filter((name) => /^\d/.test(name));
  for (const name of migrations.toSorted())
    await client.query(readFileSync(join(folder, name, "migration.sql"), "utf8"));
  await client.end();
}

/**
 * The address of a new site's page. Its visits are spread evenly over the days, with the same pages, sources and
 * countries.
 */
export async function fillSite(umami: Umami, { days, visits, pageviews }: SiteSize): Promise<string> {
  const client = new pg.Client({ connectionString: umami.databaseUrl });
  await client.connect();
  await client.query(
    `INSERT INTO website (website_id, name, domain, user_id, created_by)
     SELECT $1, 'Shop', 'shop.example', user_id, user_id FROM "user"`,
    [SITE],
  );
  await client.query(
    `INSERT INTO session (session_id, website_id, browser, os, device, screen, language, country, created_at)
     SELECT md5('s' || n)::uuid, $1::uuid, 'chrome', 'Windows 10', 'desktop', '1920x1080', 'de-AT',
       (ARRAY['AT', 'DE', 'CH', 'FR', 'US'])[n % 5 + 1], now() - $2::int * interval '1 day' * n / $3::int
     FROM generate_series(0, $3::int - 1) n`,
    [SITE, days, visits],
  );
  await client.query(
    `INSERT INTO website_event (event_id, website_id, session_id, visit_id, created_at, url_path, referrer_domain,
       hostname, page_title)
     SELECT md5('e' || n)::uuid, $1::uuid, md5('s' || n % $3::int)::uuid, md5('v' || n % $3::int)::uuid,
       now() - $2::int * interval '1 day' * (n % $3::int) / $3::int + interval '10 seconds' * (n / $3::int),
       '/products/' || n % 200, (ARRAY['google.com', 'bing.com', ''])[n % 3 + 1], 'shop.example', 'Product ' || n % 200
     FROM generate_series(0, $4::int - 1) n`,
    [SITE, days, visits, pageviews],
  );
  await client.query("ANALYZE");
  await client.end();
  return `${umami.origin}/websites/${SITE}`;
}

async function signIn(origin: string): Promise<string> {
  const deadline = Date.now() + READY_WITHIN_MS;
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(SIGN_IN) };
  for (;;) {
    const response = await fetch(`${origin}/api/auth/login`, init).catch(() => undefined);
    if (response?.ok) return ((await response.json()) as { token: string }).token;
    if (Date.now() > deadline) throw new Error(`Umami does not answer: ${response?.status ?? "no connection"}`);
    await new Promise((settle) => setTimeout(settle, 200));
  }
}
