// Where the deployment stood when the cron last added it up, and the alerts that are raised. The cron writes both;
// metrics and the command line read them.

import { eq, notInArray } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Alert } from "../../core/watch/alert.ts";
import type { Standing } from "../../core/watch/standing.ts";
import type { Directory } from "./directory.ts";
import { alerts, standings } from "./schema.ts";

const THE_ROW = 1;

/** Undefined before the first cron. */
export async function readStanding(db: Directory): Promise<Standing | undefined> {
  const [row] = await drizzle(db).select().from(standings).where(eq(standings.id, THE_ROW));
  return row?.standing;
}

export async function writeStanding(db: Directory, standing: Standing): Promise<void> {
  await drizzle(db)
    .insert(standings)
    .values({ id: THE_ROW, standing })
    .onConflictDoUpdate({ target: standings.id, set: { standing } });
}

/** How large the database is, in bytes, as the platform says. */
export async function sizeOf(db: D1Database): Promise<number> {
  const { meta } = await db.prepare("SELECT 1").all();
  return meta.size_after;
}

/** By name. */
export async function listAlerts(db: Directory): Promise<readonly Alert[]> {
  return drizzle(db).select().from(alerts).orderBy(alerts.name);
}

/** Makes these the alerts there are. */
export async function writeAlerts(db: Directory, all: readonly Alert[]): Promise<void> {
  const names = all.map(({ name }) => name);
  const statements = all.map((alert) =>
    drizzle(db).insert(alerts).values(alert).onConflictDoUpdate({ target: alerts.name, set: alert }),
  );
  await drizzle(db).batch([drizzle(db).delete(alerts).where(notInArray(alerts.name, names)), ...statements]);
}
