// The cron's step that sends notices. It takes the messages that are due from each ledger's outbox, tries to deliver
// them, and notes the result. Messages of one subscription go one after the other. If one fails, the others wait for
// the next cron. A crash loses nothing, since a message waits until it is noted as taken. A message that was delivered
// just before a crash is delivered again. It has the same id, by which the receiver recognizes it.

import { OUTBOX_KEPT_MS, OUTBOX_LEASE_MS, OUTBOX_SENT_TOGETHER, OUTBOX_TURN_MAX } from "../../core/limits.ts";
import type { Log } from "../../core/log.ts";
import { fateOf } from "../../core/notice/attempt.ts";
import { CONFIRMATION, type Message } from "../../core/notice/message.ts";
import { isPaused } from "../../core/notice/subscription.ts";
import type { Directory } from "../../storage/directory/directory.ts";
import {
  changeSubscription,
  readSubscriptions,
  type StoredSubscription,
} from "../../storage/directory/subscriptions.ts";
import { type Ledger, type Ledgers, visitEach } from "../../storage/ledger/ledgers.ts";
import { type DueMessage, forgetMessages, listDue, settleMessage, takeMessage } from "../../storage/ledger/outbox.ts";
import { type DeliverDeps, deliver } from "./deliver.ts";

export interface OutboxDeps extends DeliverDeps {
  readonly directory: Directory;
  readonly ledgers: Ledgers;
  readonly log: Log;
}

/** Sends the messages that are due, and deletes those that were sent long ago. */
export async function sendNotices(deps: OutboxDeps): Promise<void> {
  await visitEach(
    deps.ledgers,
    async (ledger) => {
      await sendDue(ledger, deps);
      await forgetMessages(ledger, deps.now() - OUTBOX_KEPT_MS);
    },
    deps.log,
  );
}

async function sendDue(ledger: Ledger, deps: OutboxDeps): Promise<void> {
  const due = await listDue(ledger, { now: deps.now(), rowsMax: OUTBOX_TURN_MAX });
  if (due.length === 0) return;
  const bySubscription = [...Map.groupBy(due, ({ subscription }) => subscription)];
  const known = await readSubscriptions(
    deps.directory,
    bySubscription.map(([id]) => id),
  );
  const lanes = Array.from({ length: OUTBOX_SENT_TOGETHER }, async () => {
    for (let next = bySubscription.shift(); next !== undefined; next = bySubscription.shift()) {
      const [id, messages] = next;
      await sendAll(messages, { ledger, subscription: known.get(id) }, deps);
    }
  });
  await Promise.all(lanes);
}

interface Sending {
  readonly ledger: Ledger;
  readonly subscription: StoredSubscription | undefined;
}

async function sendAll(messages: readonly DueMessage[], sending: Sending, deps: OutboxDeps): Promise<void> {
  for (const message of messages) if (!(await sendOne(message, sending, deps))) return;
}

/** Sends one message. False if the next message of this subscription must wait. */
async function sendOne(due: DueMessage, { ledger, subscription }: Sending, deps: OutboxDeps): Promise<boolean> {
  const message = JSON.parse(due.message) as Message;
  // An unconfirmed subscription gets only one kind of message: the question whether it is wanted.
  const isWanted =
    (subscription?.state === "on" && !isPaused(subscription, deps.now())) ||
    (subscription?.state === "unconfirmed" && isQuestion(message));
  if (subscription === undefined || !isWanted || subscription.merchant !== due.merchant) {
    await settleMessage(ledger, due, { fate: { state: "dropped" }, now: deps.now() });
    return true;
  }
  if (!(await takeMessage(ledger, due, deps.now() + OUTBOX_LEASE_MS))) return false;
  const attempted = await deliver(subscription, { id: due.id, message }, deps);
  const now = deps.now();
  const fate = fateOf(attempted, { attempts: due.attempts + 1, now });
  if (fate.state === "failed" && !(attempted.kind === "failed" && attempted.isOurs === true)) {
    // This runs before the message is settled. After a crash in between, the message is tried once more and comes here
    // again.
    const { merchant, id } = subscription;
    await changeSubscription(deps.directory, { merchant, id, state: "off", reason: fate.error });
  }
  await settleMessage(ledger, due, { fate, now });
  // The log does not name the target: it may be an address of mail, or a secret.
  if (fate.state !== "sent") {
    deps.log({
      event: "notice_not_sent",
      message: due.id,
      state: fate.state,
      attempts: due.attempts + 1,
      error: fate.error,
    });
  }
  return fate.state === "sent";
}

function isQuestion({ type }: Message): boolean {
  return type === CONFIRMATION;
}
