// The cron's part in reports: it writes those that are due to the outbox, from which the background Worker sends them.
// A report is written under the name of its subscription and period. So a cron that died is simply followed by the next
// one, and no period is sent twice, whatever the instants in the directory say. Of periods that nobody wrote in time,
// such as while crons did not run, only the latest is written.

import { REPORT_AGAIN_MS, REPORTS_TURN_MAX } from "../../core/limits.ts";
import { zoneAt } from "../../core/merchant.ts";
import { afterQuiet, periodBefore, reportDueAt } from "../../core/notice/period.ts";
import { isEmptyReport, type Links, toReport } from "../../core/notice/report.ts";
import { isPaused, type ReportTopic } from "../../core/notice/subscription.ts";
import { causeOf } from "../../core/outcome.ts";
import { dayAt, dayStart } from "../../core/time.ts";
import { findMerchantByNumber, type Merchant, zonesOf } from "../../storage/directory/merchants.ts";
import { changeSubscription, listReportsDue, type StoredSubscription } from "../../storage/directory/subscriptions.ts";
import { listWritten, type NewMessage, writeMessages } from "../../storage/ledger/outbox.ts";
import type { Deps } from "./deps.ts";
import { noticeLink } from "./notice-link.ts";
import { readReportNumbers } from "./report-numbers.ts";
import { dueOf, reportTopicsOf, scheduleOf } from "./report-schedule.ts";

/** Writes reports that are due. One that fails is logged and tried again, and keeps no other from being written. */
export async function writeReports(deps: Deps): Promise<void> {
  const due = await listReportsDue(deps.directory, { now: deps.now(), rowsMax: REPORTS_TURN_MAX });
  for (const subscription of due) {
    try {
      await writeReportsOf(subscription, deps);
    } catch (error) {
      deps.log({ event: "report_failed", subscription: subscription.id, error: causeOf(error) });
      await putOff(subscription, deps);
    }
  }
}

async function writeReportsOf(subscription: StoredSubscription, deps: Deps): Promise<void> {
  const { merchant: number, id } = subscription;
  const merchant = await findMerchantByNumber(deps.directory, number);
  const now = deps.now();
  // A subscription goes with its merchant; this one is going.
  if (merchant === undefined) return;
  if (subscription.state === "on") {
    const messages: NewMessage[] = [];
    for (const topic of reportTopicsOf(subscription)) {
      const written = await writeReport({ topic, subscription, now }, merchant, deps);
      if (written === "later") return putOff(subscription, deps);
      if (written !== undefined) messages.push(written);
    }
    await writeMessages(deps.ledgers.ofMerchant(number), messages);
  }
  await changeSubscription(deps.directory, {
    merchant: number,
    id,
    reportAt: dueOf(subscription, merchant, now).reportAt,
  });
}

interface Asked {
  readonly topic: ReportTopic;
  readonly subscription: StoredSubscription;
  readonly now: number;
}

/** The message; nothing where its period was written, is not due, or has nothing to say; "later" where it waits. */
async function writeReport(
  { topic, subscription, now }: Asked,
  merchant: Merchant,
  deps: Deps,
): Promise<NewMessage | "later" | undefined> {
  const schedule = scheduleOf(merchant, subscription.id, now);
  const zone = zoneAt(zonesOf(merchant), now);
  const period = periodBefore(topic, dayAt(zone, now));
  const isOfBefore = dayStart(zone, period.to) <= subscription.createdAt;
  const dueAt = reportDueAt(period.to, schedule);
  // What was due during a pause is left out, and not told after it.
  if (isOfBefore || dueAt > now || isPaused(subscription, dueAt)) return undefined;
  const id = `${subscription.id}:${topic}:${period.key}`;
  const ledger = deps.ledgers.ofMerchant(merchant.number);
  if ((await listWritten(ledger, { merchant: merchant.number, ids: [id] })).has(id)) return undefined;
  const numbers = await readReportNumbers({ topic, period }, merchant, deps);
  if (numbers === "incomplete") return "later";
  if (!numbers.ok) throw new Error(numbers.rejection.message);
  if (isEmptyReport(numbers.value)) return undefined;
  const { language, quiet } = subscription;
  const message = toReport(numbers.value, { language, links: linksOf(subscription, merchant, deps), now });
  const notBefore = afterQuiet(quiet, zone, now);
  return { merchant: merchant.number, id, subscription: subscription.id, message, notBefore };
}

/** Where a message of a subscription leads. */
export function linksOf(
  { id }: Pick<StoredSubscription, "id">,
  merchant: Pick<Merchant, "id">,
  deps: Pick<Deps, "dashboardUrl" | "sealSecrets">,
): Links {
  const { dashboardUrl } = deps;
  const dashboard = dashboardUrl === undefined ? undefined : `${dashboardUrl}/s/${merchant.id}/overview`;
  return { dashboard, unsubscribe: noticeLink(id, "end", deps) };
}

async function putOff({ merchant, id }: StoredSubscription, deps: Deps): Promise<void> {
  await changeSubscription(deps.directory, { merchant, id, reportAt: deps.now() + REPORT_AGAIN_MS });
}
