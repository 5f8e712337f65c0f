// What merchants are told of how the deployment is.

import { expect, test } from "vitest";
import { STATUS_OLD_MS } from "../../../core/limits.ts";
import { ALERT_RULES, type Alert } from "../../../core/watch/alert.ts";
import { type Incident, noticeOf, openIncident, statusOf, updateIncident } from "../../../core/watch/status.ts";

const AT = Date.parse("2026-11-29T12:00:00Z");
const DAY = 86_400_000;

function raised(name: string): Alert {
  return { name, severity: "ticket", says: "", since: AT, until: null, toldAt: null };
}

test("[WCH-8] a part's state is the worst of what merchants notice; what they do not notice changes nothing", () => {
  const working = { collection: "working", numbers: "working", history: "working", api: "working" };
  expect(statusOf(undefined, [], AT).components).toEqual(working);
  for (const quiet of ["dead_letters", "seal_in_doubt", "partition_memory", "backup_late"])
    expect([quiet, statusOf(undefined, [raised(quiet)], AT).components]).toEqual([quiet, working]);
  const both = statusOf(undefined, [raised("publish_late"), raised("ledger_silent")], AT);
  expect(both.components).toEqual({ ...working, numbers: "disturbed", api: "disturbed" });
  expect(statusOf(undefined, [raised("publish_late")], AT).components).toEqual({ ...working, numbers: "late" });
  // One that has ended and is not told yet is over.
  expect(statusOf(undefined, [{ ...raised("publish_late"), until: AT }], AT).components).toEqual(working);
  // A directory that does not answer is what is disturbed; of the rest the last look holds.
  expect(statusOf(both, undefined, AT).components).toEqual({ ...working, numbers: "disturbed", api: "disturbed" });
  expect(statusOf(undefined, undefined, AT).components).toEqual({ ...working, api: "disturbed" });
});

test("[WCH-8] the names of alerts that merchants notice are names of alerts", () => {
  const names = new Set(ALERT_RULES.map(({ name }) => name));
  const noticed = ALERT_RULES.filter(
    ({ name }) =>
      JSON.stringify(statusOf(undefined, [raised(name)], AT).components) !==
      JSON.stringify(statusOf(undefined, [], AT).components),
  );
  expect(noticed.length).toBe(9);
  for (const { name } of noticed) expect(names.has(name)).toBe(true);
});

test("[WCH-8] a day keeps its worst, and 90 days are kept", () => {
  const morning = statusOf(undefined, [raised("ledger_silent")], AT);
  const evening = statusOf(morning, [], AT + 3_600_000);
  expect(evening.components.api).toBe("working");
  expect(evening.history).toEqual([{ date: "2026-11-29", components: morning.components }]);
  let status = evening;
  for (let day = 1; day <= 100; day += 1) status = statusOf(status, [], AT + day * DAY);
  expect(status.history).toHaveLength(90);
  expect(status.history[0]?.date).toBe(new Date(AT + 100 * DAY).toISOString().slice(0, 10));
});

test("[WCH-9] an incident is told until it is closed, and comes before what the alerts say", () => {
  const late = statusOf(undefined, [raised("publish_late")], AT);
  expect(noticeOf({ status: late, incidents: [] }, AT)).toContain("later than usual");
  expect(noticeOf({ status: late, incidents: [] }, AT + STATUS_OLD_MS)).toBeUndefined();
  expect(noticeOf({ status: statusOf(undefined, [], AT), incidents: [] }, AT)).toBeUndefined();
  const opened = openIncident([], { id: "inc_1", title: "Numbers are late", text: "We look.", at: AT });
  expect(noticeOf({ status: late, incidents: opened }, AT)).toBe("Numbers are late (incident inc_1; see /status)");
  const closed = updateIncident(opened, { id: "inc_1", text: "Over.", state: "closed", at: AT + 60_000 });
  expect(closed).toEqual([
    {
      id: "inc_1",
      title: "Numbers are late",
      state: "closed",
      openedAt: AT,
      closedAt: AT + 60_000,
      updates: [
        { at: AT + 60_000, text: "Over." },
        { at: AT, text: "We look." },
      ],
    },
  ]);
  expect(noticeOf({ status: undefined, incidents: closed ?? [] }, AT)).toBeUndefined();
  expect(updateIncident(opened, { id: "inc_2", text: "?", state: "open", at: AT })).toBeUndefined();
  let many: readonly Incident[] = opened;
  for (let n = 2; n < 150; n += 1) many = openIncident(many, { id: `inc_${n}`, title: "x", text: "y", at: AT });
  expect([many.length, many[0]?.id]).toEqual([100, "inc_149"]);
});
