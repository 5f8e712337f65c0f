// Hits as somebody would store them who writes an endpoint in an afternoon: one table, one INSERT for each event.
// Shared by the Worker on D1 and the servers on Node, so that all do the same work.

export const TABLE = `CREATE TABLE IF NOT EXISTS hits (id TEXT PRIMARY KEY, site TEXT NOT NULL, name TEXT NOT NULL,
  url TEXT NOT NULL, referrer TEXT, visitor TEXT, user_agent TEXT, created_at BIGINT NOT NULL)`;

export const INSERT =
  "INSERT OR IGNORE INTO hits (id, site, name, url, referrer, visitor, user_agent, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

/** The same in PostgreSQL's words. */
export const POSTGRES_INSERT =
  "INSERT INTO hits (id, site, name, url, referrer, visitor, user_agent, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";

interface Sent {
  readonly tracking_id?: string;
  readonly url: string;
  readonly referrer?: string;
  readonly visitor_id?: string;
}

/** What is bound for each event of a body. */
export function rowsOf(body: unknown, userAgent: string): readonly (string | number)[][] {
  const { events, tracking_id: site = "" } = body as { events?: readonly Sent[]; tracking_id?: string };
  return (events ?? [body as Sent]).map((event) => [
    crypto.randomUUID(),
    event.tracking_id ?? site,
    "pageview",
    event.url,
    event.referrer ?? "",
    event.visitor_id ?? "",
    userAgent,
    Date.now(),
  ]);
}
