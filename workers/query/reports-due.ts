// The cron's step that writes reports. It writes those that are due to the outbox, from which the background Worker
// sends them. The name of a report is its subscription and its period. So if a cron dies, the next one continues, and
// no period is sent twice, whatever the directory says about times. Several periods may be late, for example because
// crons did not run. Then only the latest one is written.

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

/**
 * Writes the reports that are due. A report that fails is logged and tried again. The others are written all the same.
 */
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
  // A subscription is deleted with its merchant, and this one is being deleted.
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

/**
 * Makes the message of a report. "later" where the report must wait. Undefined where the period was already written, is
 * not due, or has nothing to tell.
 */
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
  // A report that was due during a pause is left out, and is not sent after the pause either.
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

/** The addresses to which the links of a message lead. */
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
