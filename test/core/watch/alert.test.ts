// When somebody is told, and that what is shipped for watching fits what there is: each alert has an entry in the
// runbook, each metric that the board and Prometheus's rules name is one of /metrics.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { zeroMeter } from "../../../core/meter.ts";
import { ALERT_RULES, type Alert, afterTelling, alertsToTell, raiseAlerts } from "../../../core/watch/alert.ts";
import { metricsText } from "../../../core/watch/metrics.ts";
import { type LedgerStanding, type Standing, sumLedgers } from "../../../core/watch/standing.ts";

const AT = Date.parse("2026-11-29T12:00:00Z");
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const QUIET: LedgerStanding = {
  partitions: 2,
  events: 100,
  archivedEvents: 90,
  unarchivedSince: AT - MINUTE,
  unconfirmedBundles: 1,
  publishDueSince: null,
  heldBytesMax: 1_000,
  failingPartitions: 0,
  slowedAt: AT - 2 * HOUR,
  hotAt: null,
  daysInDoubt: 0,
  unsealedSince: AT - HOUR,
  lateSince: AT - HOUR,
  failedReplayParts: 0,
  erasureSince: AT - HOUR,
  overflowed: 3,
  overflowSince: AT - MINUTE,
  bytes: 1_000_000,
  metered: { ...zeroMeter(), worker_requests: 1_000_000, d1_rows_written: 500_000 },
};
const rest = {
  at: AT,
  deadLetters: 0,
  directoryBytes: 1_000,
  directoryBehind: 0,
  backedUpAt: AT - HOUR,
  archiveBytes: 0,
};
const quiet = sumLedgers([QUIET, QUIET], rest);

const page = (name: string) => readFileSync(join(import.meta.dirname, "../../../docs", name), "utf8");

describe("[WCH-2] an alert is raised", () => {
  test("for nothing that is normal", () => {
    expect(raiseAlerts([], quiet)).toEqual([]);
  });

  const raised: readonly (readonly [Partial<Standing>, readonly string[], string])[] = [
    [{ unarchivedSince: AT - 31 * MINUTE }, ["archive_lag"], "31 min"],
    [{ unarchivedSince: AT - 6.5 * HOUR }, ["archive_lag", "archive_stuck"], "6 h 30 min"],
    [{ publishDueSince: AT - 41 * MINUTE }, ["publish_late"], "41 min"],
    [{ overflowSince: AT - 11 * MINUTE }, ["overflow_waiting"], "11 min"],
    [{ overflowSince: AT - 3 * HOUR }, ["overflow_waiting", "overflow_stuck"], "3 h"],
    [{ deadLetters: 4 }, ["dead_letters"], "4 messages"],
    [{ daysInDoubt: 1 }, ["seal_in_doubt"], "1 (Day, partition)s"],
    [{ unsealedSince: AT - 25 * HOUR }, ["days_unsealed"], "25 h"],
    [{ lateSince: AT - 7 * HOUR }, ["late_days_waiting"], "7 h"],
    [{ failedReplayParts: 2 }, ["replay_failed"], "2 parts"],
    [{ erasureSince: AT - 73 * HOUR }, ["erasure_late"], "73 h"],
    [{ failingPartitions: 1 }, ["partition_failing"], "1 partitions"],
    [{ slowedAt: AT - HOUR }, ["merchant_slowed"], "1 h ago"],
    [{ hotAt: AT - 5 * MINUTE }, ["merchant_too_hot"], "5 min ago"],
    [{ heldBytesMax: 61_000_000 }, ["partition_memory"], "61000000 bytes"],
    [{ ledgerBytesMax: 7_500_000_000 }, ["database_large"], "7500000000"],
    [{ ledgerBytesMax: 9_500_000_000 }, ["database_large", "database_full"], "9500000000"],
    [{ directoryBytes: 9_500_000_000 }, ["directory_full"], "9500000000"],
    [{ backedUpAt: AT - 4 * HOUR }, ["backup_late"], "4 h"],
    [{ directoryBehind: 3 }, ["directory_behind"], "3 epochs"],
    [{ silentLedgers: 1 }, ["ledger_silent"], "1 ledgers"],
  ];
  test.each(raised)("for %o: %o", (changed, names, says) => {
    const alerts = raiseAlerts([], { ...quiet, ...changed });
    expect(alerts.map(({ name }) => name)).toEqual(names);
    for (const alert of alerts) {
      expect(alert.says).toContain(says);
      expect(alert).toMatchObject({ since: AT, until: null, toldAt: null });
    }
  });

  test("and each of them by one of these", () => {
    expect(ALERT_RULES.map(({ name }) => name).sort()).toEqual(
      [...new Set(raised.flatMap(([, names]) => names))].sort(),
    );
  });
});

describe("[WCH-3] an alert is told once, again every six hours, and once when it has ended", () => {
  const NOTHING_WAITS = {
    unarchivedSince: null,
    overflowSince: null,
    lateSince: null,
    unsealedSince: null,
    erasureSince: null,
  };
  const good = (at: number): Standing => ({ ...quiet, ...NOTHING_WAITS, at, backedUpAt: at });
  const bad = (at: number): Standing => ({ ...good(at), deadLetters: 1 });

  /** What every cron tells, where telling succeeds. */
  function crons(standings: readonly Standing[]): readonly string[] {
    let alerts: readonly Alert[] = [];
    return standings.map((standing) => {
      alerts = raiseAlerts(alerts, standing);
      const told = alertsToTell(alerts, standing.at);
      alerts = alerts.flatMap((one) => (told.includes(one) ? (afterTelling(one, standing.at) ?? []) : [one]));
      return told.map(({ until }) => (until === null ? "raised" : "ended")).join();
    });
  }

  test("over hours", () => {
    const at = (minutes: number) => AT + minutes * MINUTE;
    expect(
      crons([bad(at(0)), bad(at(5)), bad(at(355)), bad(at(360)), bad(at(365)), good(at(370)), good(at(375))]),
    ).toEqual(["raised", "", "", "raised", "", "ended", ""]);
  });

  test("what could not be told stays to be told, and what ended before anybody heard of it is dropped", () => {
    const first = raiseAlerts([], bad(AT));
    const second = raiseAlerts(first, bad(AT + 5 * MINUTE));
    expect(alertsToTell(second, AT + 5 * MINUTE)).toEqual(second);
    expect(second[0]?.since).toBe(AT);
    expect(raiseAlerts(second, good(AT + 10 * MINUTE))).toEqual([]);
  });

  test("one that comes back before its end was told goes on", () => {
    const told = raiseAlerts([], bad(AT)).map((alert) => ({ ...alert, toldAt: AT }));
    const ended = raiseAlerts(told, good(AT + MINUTE));
    expect(ended[0]?.until).toBe(AT + MINUTE);
    expect(raiseAlerts(ended, bad(AT + 2 * MINUTE))[0]).toMatchObject({ since: AT, until: null, toldAt: AT });
  });
});

describe("[WCH-4] metrics", () => {
  const text = metricsText({ standing: quiet, alerts: raiseAlerts([], { ...quiet, deadLetters: 1 }), now: AT + 2_000 });
  const lines = text.split("\n");

  test("are Prometheus's text: HELP, TYPE and values of one name together, and a newline at the end", () => {
    expect(text.endsWith("\n")).toBe(true);
    let name = "";
    for (const line of lines.slice(0, -1)) {
      const [, kind, of] = /^# (HELP|TYPE) ([a-z_]+) \S/.exec(line) ?? [];
      if (kind === "HELP") name = of as string;
      else if (kind === "TYPE") expect(of).toBe(name);
      else
        expect(line).toMatch(
          new RegExp(`^${name}(\\{[a-z]+="[a-z0-9_]+"(,[a-z]+="[a-z0-9_]+")*\\})? -?[0-9.]+(e\\+?[0-9]+)?$`),
        );
    }
    const named = lines.filter((line) => line.startsWith("# TYPE")).map((line) => line.split(" ")[2]);
    expect(new Set(named).size).toBe(named.length);
  });

  test("add up ledgers, and take the worst where a sum says nothing", () => {
    expect(lines).toEqual(
      expect.arrayContaining([
        "footfall_events_total 200",
        "footfall_partitions 4",
        "footfall_partition_held_bytes_max 1000",
        "footfall_archive_lag_seconds_max 60",
        `footfall_merchant_slowed_timestamp_seconds ${(AT - 2 * HOUR) / 1_000}`,
        "footfall_merchant_too_hot_timestamp_seconds 0",
        'footfall_alert{name="dead_letters",severity="ticket"} 1',
        'footfall_alert{name="ledger_silent",severity="page"} 0',
        "footfall_metrics_age_seconds 2",
      ]),
    );
    expect(sumLedgers([QUIET, undefined], rest)).toMatchObject({ events: 100, silentLedgers: 1 });
  });

  test("have every name that the board and the rules ask for", () => {
    const asked = [
      ...`${page("monitoring/grafana.json")}${page("monitoring/alerts.yml")}`.matchAll(/footfall_[a-z_]+/g),
    ];
    expect(asked.length).toBeGreaterThan(15);
    for (const [name] of asked) expect(text).toContain(`# TYPE ${name} `);
  });

  test("and each alert has its entry in the runbook: what it means, where to look, what to do", () => {
    const entries = page("runbook.md").split(/^## /m).slice(1);
    for (const { name, severity } of ALERT_RULES) {
      const entry = entries.find((text) => text.startsWith(`${name}\n`)) ?? "";
      expect(entry, name).toContain(severity === "page" ? "\nPage" : "\nTicket");
      expect(entry, name).toContain("**Means**");
      expect(entry, name).toMatch(/\*\*Look at\*\*|\*\*Do\*\*/);
    }
  });
});
