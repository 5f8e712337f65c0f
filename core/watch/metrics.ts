// What `GET /metrics` says, in Prometheus's text format 0.0.4. The numbers are those of the standing: the state of the
// deployment, as the cron last added it up (standing.ts). So every isolate gives the same answer to a scrape, and no
// scrape wakes a partition. There are no series by merchant, because there are a million merchants.

import { zeroMeter } from "../meter.ts";
import { ALERT_RULES, type Alert } from "./alert.ts";
import { costLines, type Usage } from "./cost.ts";
import type { Since, Standing } from "./standing.ts";

interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly of: (standing: Standing) => number;
}

/** The metrics without labels that are computed from the standing alone. */
export const METRICS: readonly Metric[] = [
  counter("footfall_events_total", "Events made durable.", ({ events }) => events),
  counter(
    "footfall_events_archived_total",
    "Events known to lie in the archive.",
    ({ archivedEvents }) => archivedEvents,
  ),
  gauge("footfall_partitions", "Partitions that have told of themselves.", ({ partitions }) => partitions),
  gauge("footfall_partitions_failing", "Partitions that could not do a duty.", (of) => of.failingPartitions),
  gauge("footfall_partition_held_bytes_max", "Memory that the fullest partition's Days take.", (of) => of.heldBytesMax),
  gauge("footfall_merchant_slowed_timestamp_seconds", "When a merchant was last slowed; 0 for never.", at("slowedAt")),
  gauge("footfall_merchant_too_hot_timestamp_seconds", "When one was last too much for its partitions.", at("hotAt")),
  gauge(
    "footfall_archive_lag_seconds_max",
    "Age of the oldest event not known to be archived.",
    age("unarchivedSince"),
  ),
  gauge("footfall_bundles_unconfirmed", "Bundles that the archive has not confirmed.", (of) => of.unconfirmedBundles),
  gauge("footfall_publish_overdue_seconds_max", "How long a publish is overdue.", age("publishDueSince")),
  gauge("footfall_overflow_messages", "Acknowledged messages in overflow queues.", ({ overflowed }) => overflowed),
  gauge("footfall_overflow_age_seconds_max", "Age of the oldest of them.", age("overflowSince")),
  gauge("footfall_dead_letters", "Messages that no consumer could handle; 100 may be more.", (of) => of.deadLetters),
  gauge(
    "footfall_seals_in_doubt",
    "Day and partition pairs that failed to be sealed three times.",
    (of) => of.daysInDoubt,
  ),
  gauge("footfall_unsealed_age_seconds_max", "How long a closed Day has waited for its seal.", age("unsealedSince")),
  gauge("footfall_late_age_seconds_max", "How long late events of a sealed Day have waited.", age("lateSince")),
  gauge("footfall_replay_parts_failed", "Parts of replays that have failed.", (of) => of.failedReplayParts),
  gauge("footfall_erasure_age_seconds_max", "How long the oldest erasure has gone on.", age("erasureSince")),
  gauge("footfall_backup_age_seconds", "Age of the directory's newest backup.", age("backedUpAt")),
  gauge("footfall_directory_bytes", "Size of the directory's database.", ({ directoryBytes }) => directoryBytes),
  gauge(
    "footfall_archive_bytes",
    "Size of the files of sealed Days, added up once an hour.",
    ({ archiveBytes = 0 }) => archiveBytes,
  ),
  gauge("footfall_ledger_bytes_max", "Size of the largest ledger.", ({ ledgerBytesMax }) => ledgerBytesMax),
  gauge("footfall_ledgers_silent", "Ledgers that did not answer.", ({ silentLedgers }) => silentLedgers),
];

/** The whole text. `now` is UTC ms. */
export function metricsText({
  standing,
  alerts,
  now,
}: {
  readonly standing: Standing;
  readonly alerts: readonly Alert[];
  readonly now: number;
}): string {
  const raised = new Set(alerts.filter(({ until }) => until === null).map(({ name }) => name));
  return [
    ...METRICS.flatMap(({ name, type, help, of }) => series({ name, type, help }, [["", of(standing)]])),
    ...series(
      { name: "footfall_alert", type: "gauge", help: "1 while an alert is raised (docs/runbook.md)." },
      ALERT_RULES.map(({ name, severity }) => [`{name="${name}",severity="${severity}"}`, raised.has(name) ? 1 : 0]),
    ),
    ...series(
      {
        name: "footfall_cost_usd",
        type: "gauge",
        help: "What the month has cost so far at list prices, by line; some lines are estimated (docs/operate.md).",
      },
      costLines(usageOf(standing)).map(({ line, usd, basis }) => [`{line="${line}",basis="${basis}"}`, rounded(usd)]),
    ),
    ...series({ name: "footfall_metrics_age_seconds", type: "gauge", help: "How long ago all of this was added up." }, [
      ["", (now - standing.at) / 1_000],
    ]),
    "",
  ].join("\n");
}

/** What a month's cost is computed from. A standing of an earlier release lacks some of the numbers. */
export function usageOf(standing: Standing): Usage {
  const { at, metered = zeroMeter(), partitions, directoryBytes, ledgerBytes = 0, archiveBytes = 0 } = standing;
  return { at, metered, partitions, databaseBytes: directoryBytes + ledgerBytes, archiveBytes };
}

function rounded(usd: number): number {
  return Math.round(usd * 1e6) / 1e6;
}

function series(
  { name, type, help }: Pick<Metric, "name" | "type" | "help">,
  values: readonly (readonly [labels: string, value: number])[],
): readonly string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...values.map(([labels, value]) => `${name}${labels} ${value}`),
  ];
}

function counter(name: string, help: string, of: Metric["of"]): Metric {
  return { name, type: "counter", help, of };
}

function gauge(name: string, help: string, of: Metric["of"]): Metric {
  return { name, type: "gauge", help, of };
}

/** An instant in seconds since 1970, 0 for never. */
function at(key: "slowedAt" | "hotAt"): Metric["of"] {
  return (standing) => (standing[key] ?? 0) / 1_000;
}

function age(key: Since): Metric["of"] {
  return (standing) => {
    const since = standing[key];
    return since === null ? 0 : Math.max(0, standing.at - since) / 1_000;
  };
}
