// When somebody is told, and what: a list of rules over where the deployment stands. docs/runbook.md has an entry for
// each name. It says what the alert means, where to look and what to do. The thresholds follow the objectives in
// docs/operate.md. They are far above what is normal, because alerts that need no action teach people to ignore alerts.

import { HELD_BYTES_MAX } from "../limits.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../time.ts";
import type { Since, Standing } from "./standing.ts";

/** "page": wake somebody. "ticket": somebody looks in working hours. */
export type Severity = "page" | "ticket";

export interface AlertRule {
  /** As in the log, in `footfall_alert{name}` and in docs/runbook.md. */
  readonly name: string;
  readonly severity: Severity;
  /** A sentence with the numbers, if the alert must be raised. */
  readonly says: (standing: Standing) => string | undefined;
}

const GB = 1_000_000_000;

export const ALERT_RULES: readonly AlertRule[] = [
  ticket("archive_lag", older("unarchivedSince", 30 * MINUTE_MS, "The oldest event that is not archived")),
  page("archive_stuck", older("unarchivedSince", 6 * HOUR_MS, "The oldest event that is not archived")),
  page("publish_late", older("publishDueSince", 40 * MINUTE_MS, "A partition's publish")),
  ticket(
    "overflow_waiting",
    older("overflowSince", 10 * MINUTE_MS, "The oldest acknowledged hit in an overflow queue"),
  ),
  page("overflow_stuck", older("overflowSince", 2 * HOUR_MS, "The oldest acknowledged hit in an overflow queue")),
  ticket("dead_letters", more("deadLetters", "messages that no consumer could handle lie in R2")),
  ticket("seal_in_doubt", more("daysInDoubt", "(Day, partition)s could not be sealed three times")),
  ticket("days_unsealed", older("unsealedSince", DAY_MS, "The seal of a closed Day")),
  ticket("late_days_waiting", older("lateSince", 6 * HOUR_MS, "The counting of late events")),
  ticket("replay_failed", more("failedReplayParts", "parts of replays failed and are not tried any more")),
  ticket("erasure_late", older("erasureSince", 3 * DAY_MS, "The oldest erasure")),
  ticket("partition_failing", more("failingPartitions", "partitions could not do a duty")),
  ticket("partition_memory", beyond("heldBytesMax", HELD_BYTES_MAX * 0.75, "The fullest partition holds")),
  ticket("merchant_slowed", lately("slowedAt", "A merchant's hits were refused for the memory that its Days take")),
  ticket("merchant_too_hot", lately("hotAt", "A merchant was found to send too much for its partitions")),
  ticket("database_large", beyond("ledgerBytesMax", 7 * GB, "The largest ledger has")),
  page("database_full", beyond("ledgerBytesMax", 9 * GB, "The largest ledger has")),
  page("directory_full", beyond("directoryBytes", 9 * GB, "The directory has")),
  page(
    "directory_behind",
    more("directoryBehind", "epochs the directory is behind: it was restored to an earlier instant, or emptied"),
  ),
  ticket("backup_late", older("backedUpAt", 3 * HOUR_MS, "The next backup of the directory")),
  page("ledger_silent", more("silentLedgers", "ledgers do not answer")),
];

/** An alert that was raised. It is kept until its end was told. */
export interface Alert {
  readonly name: string;
  readonly severity: Severity;
  readonly says: string;
  /** UTC ms at which it was raised. */
  readonly since: number;
  /** UTC ms at which it ended; null while it lasts. */
  readonly until: number | null;
  /** UTC ms at which it was last told; null before. */
  readonly toldAt: number | null;
}

/** Partitions report at least every quarter of an hour while somebody sends. */
const LATELY_MS = HOUR_MS;

/** How often an alert that lasts is told again. */
const TOLD_EVERY_MS = 6 * HOUR_MS;

/**
 * The alerts that are raised now, and those whose end must still be told. An alert that comes back before that goes on.
 */
export function raiseAlerts(before: readonly Alert[], standing: Standing): readonly Alert[] {
  const { at } = standing;
  return ALERT_RULES.flatMap(({ name, severity, says }): readonly Alert[] => {
    const known = before.find((alert) => alert.name === name);
    const text = says(standing);
    if (text !== undefined) {
      return [{ name, severity, says: text, since: known?.since ?? at, until: null, toldAt: known?.toldAt ?? null }];
    }
    // The end of an alert is not told if the alert was not.
    return known === undefined || known.toldAt === null ? [] : [{ ...known, until: known.until ?? at }];
  });
}

/** The alerts to tell now: new ones, ended ones, and every six hours those that last. */
export function alertsToTell(alerts: readonly Alert[], now: number): readonly Alert[] {
  return alerts.filter(({ until, toldAt }) => until !== null || toldAt === null || toldAt + TOLD_EVERY_MS <= now);
}

/** What is kept of an alert that was told. Undefined if it has ended. */
export function afterTelling(alert: Alert, now: number): Alert | undefined {
  return alert.until === null ? { ...alert, toldAt: now } : undefined;
}

function page(name: string, says: AlertRule["says"]): AlertRule {
  return { name, severity: "page", says };
}

function ticket(name: string, says: AlertRule["says"]): AlertRule {
  return { name, severity: "ticket", says };
}

function older(key: Since, thanMs: number, what: string): AlertRule["says"] {
  return (standing) => {
    const since = standing[key];
    if (since === null || standing.at - since <= thanMs) return undefined;
    return `${what} has waited for ${durationOf(standing.at - since)}; more than ${durationOf(thanMs)} is too long.`;
  };
}

function more(
  key: "deadLetters" | "daysInDoubt" | "failedReplayParts" | "failingPartitions" | "silentLedgers" | "directoryBehind",
  what: string,
): AlertRule["says"] {
  return (standing) => (standing[key] > 0 ? `${standing[key]} ${what}.` : undefined);
}

/** A rule for something that happens at one moment. The alert lasts until it has not happened for a while. */
function lately(key: "slowedAt" | "hotAt", what: string): AlertRule["says"] {
  return (standing) => {
    const at = standing[key];
    if (at === null || standing.at - at > LATELY_MS) return undefined;
    return `${what}, last ${durationOf(standing.at - at)} ago.`;
  };
}

function beyond(
  key: "heldBytesMax" | "ledgerBytesMax" | "directoryBytes",
  bytesMax: number,
  what: string,
): AlertRule["says"] {
  return (standing) =>
    standing[key] > bytesMax ? `${what} ${standing[key]} bytes; more than ${bytesMax} is too much.` : undefined;
}

/** Such as "3 h 20 min". */
function durationOf(ms: number): string {
  const minutes = Math.floor(ms / MINUTE_MS);
  const parts = [`${Math.floor(minutes / 60)} h`, `${minutes % 60} min`].filter((part) => !part.startsWith("0 "));
  return parts.join(" ") || "0 min";
}
