// How alerts leave the deployment. They are always written to the log. If the settings name receivers, they are also
// sent: by a signed webhook (standardwebhooks.com), by PagerDuty's Events API v2 or a service that speaks it, and as
// e-mail by the mailer of merchants' mail (mailer.ts). After a crash between a delivery and the note of it, a message
// comes twice. Both copies have the same id.

import { TELL_TIMEOUT_MS } from "../../core/limits.ts";
import { causeOf } from "../../core/outcome.ts";
import type { Alert } from "../../core/watch/alert.ts";
import { isWebhookSecret, signedHeaders } from "../../storage/webhook-signature.ts";
import type { Deps } from "./deps.ts";
import type { Mail, Mailer } from "./mailer.ts";

/** A receiver of alerts. */
export type Receiver = PostedTo | MailedTo;

interface PostedTo {
  readonly name: "webhook" | "pagerduty";
  readonly url: string;
  /** The secret that signs a webhook, or PagerDuty's routing key. */
  readonly secret: string;
}

/** Receivers by e-mail. Each address gets a mail of its own. */
interface MailedTo {
  readonly name: "mail";
  readonly to: readonly string[];
  readonly mailer: Mailer;
}

/** Settings of the background Worker. Each is empty or absent if alerts are not sent that way. */
export interface TellEnv {
  readonly ALERT_WEBHOOK_URL?: string;
  /** A secret: `whsec_` and base64, as Standard Webhooks defines it. */
  readonly ALERT_WEBHOOK_SECRET?: string;
  /** An address that speaks PagerDuty's API. By default it is PagerDuty's own. */
  readonly PAGERDUTY_URL?: string;
  /** A secret: the integration's routing key. */
  readonly PAGERDUTY_KEY?: string;
  /** The addresses that get alerts as e-mail, with commas between them. */
  readonly ALERT_MAIL_TO?: string;
  /** An address that is requested after every cron. Whoever watches it raises an alert when the requests stop. */
  readonly HEARTBEAT_URL?: string;
}

export type TellDeps = Pick<Deps, "now" | "log" | "fetch" | "deployment" | "receivers">;

/**
 * The receivers that are set. A webhook without a secret is reported as a mistake, since its receiver could not check
 * who sends. Mail addresses are also a mistake in a deployment that sends no mail.
 */
export function receiversOf(env: TellEnv, mailer: Mailer | undefined): readonly Receiver[] {
  const url = env.ALERT_WEBHOOK_URL ?? "";
  const secret = env.ALERT_WEBHOOK_SECRET ?? "";
  const key = env.PAGERDUTY_KEY ?? "";
  if (url !== "" && !isWebhookSecret(secret))
    throw new Error(
      'ALERT_WEBHOOK_URL is set, and ALERT_WEBHOOK_SECRET is not "whsec_" and 24 or more bytes of base64',
    );
  const to = (env.ALERT_MAIL_TO ?? "").split(",").flatMap((address) => address.trim() || []);
  if (to.length > 0 && mailer === undefined)
    throw new Error("ALERT_MAIL_TO is set, and this deployment sends no mail (MAIL_FROM, and MAIL_URL or EMAIL)");
  const pager = env.PAGERDUTY_URL || "https://events.pagerduty.com/v2/enqueue";
  return [
    ...(url === "" ? [] : [{ name: "webhook", url, secret } as const]),
    ...(key === "" ? [] : [{ name: "pagerduty", url: pager, secret: key } as const]),
    ...(to.length === 0 || mailer === undefined ? [] : [{ name: "mail", to, mailer } as const]),
  ];
}

/** Sends an alert to every receiver. False if a receiver did not take it. */
export async function tellAlert(alert: Alert, deps: TellDeps): Promise<boolean> {
  const { name, severity, says, until } = alert;
  deps.log(until === null ? { event: "alert_raised", name, severity, says } : { event: "alert_ended", name, says });
  const taken = await Promise.all(deps.receivers.map((receiver) => send(alert, receiver, deps)));
  return taken.every(Boolean);
}

/** Requests the heartbeat's address, which tells its watcher that the cron has run. */
export async function beat({ heartbeatUrl, fetch, log }: Pick<Deps, "fetch" | "log" | "heartbeatUrl">): Promise<void> {
  if (heartbeatUrl === "") return;
  try {
    await taken(await fetch(heartbeatUrl, { signal: AbortSignal.timeout(TELL_TIMEOUT_MS) }));
  } catch (error) {
    log({ event: "heartbeat_failed", error: causeOf(error) });
  }
}

async function send(alert: Alert, receiver: Receiver, deps: TellDeps): Promise<boolean> {
  try {
    await (receiver.name === "mail" ? mail(alert, receiver, deps) : post(alert, receiver, deps));
    return true;
  } catch (error) {
    deps.log({ event: "tell_failed", receiver: receiver.name, name: alert.name, error: causeOf(error) });
    return false;
  }
}

async function post(alert: Alert, receiver: PostedTo, deps: TellDeps): Promise<void> {
  const message = MESSAGES[receiver.name](alert, receiver, deps);
  const signal = AbortSignal.timeout(TELL_TIMEOUT_MS);
  await taken(await deps.fetch(receiver.url, { method: "POST", redirect: "manual", signal, ...message }));
}

/** Sends to every address, even if another one failed. An address that gets a repeat recognizes its id. */
async function mail(alert: Alert, { to, mailer }: MailedTo, deps: TellDeps): Promise<void> {
  const text = textOf(alert, deps);
  const attempts = await Promise.all(
    to.map((address) => mailer.send({ ...text, id: `${text.id}:${address}`, to: address })),
  );
  const errors = attempts.flatMap((attempt) => (attempt.kind === "taken" ? [] : attempt.error));
  if (errors.length > 0) throw new Error(errors.join("; "));
}

async function taken(response: Response): Promise<void> {
  await response.body?.cancel();
  if (!response.ok) throw new Error(`answered ${response.status}`);
}

interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function toWebhook(alert: Alert, { secret }: PostedTo, { now, deployment }: TellDeps): Message {
  const { name, severity, says, since, until } = alert;
  const at = now();
  const id = `${idOf(alert, deployment)}${until === null ? "" : ":ended"}`;
  const body = JSON.stringify({
    type: until === null ? "alert.raised" : "alert.ended",
    timestamp: new Date(at).toISOString(),
    data: { deployment, name, severity, says, since: instant(since), until: until === null ? null : instant(until) },
  });
  return { headers: signedHeaders({ id, at, body, secrets: [secret] }), body };
}

function textOf(alert: Alert, { deployment }: TellDeps): Omit<Mail, "to"> {
  const { name, severity, says, since, until } = alert;
  const lines = [says, `Since ${instant(since)}.`, ...(until === null ? [] : [`Ended ${instant(until)}.`])];
  const runbook = `What it means and what to do: docs/runbook.md#${name}`;
  return {
    // An alert is told again every six hours while it lasts. Each of these messages has an id of its own.
    id: `${idOf(alert, deployment)}:${until === null ? (alert.toldAt ?? "raised") : "ended"}`,
    subject: `[${deployment}] ${until === null ? severity : "ended"}: ${name}`,
    text: `${[...lines, "", runbook].join("\n")}\n`,
    html: undefined,
    unsubscribe: undefined,
  };
}

const MESSAGES = { webhook: toWebhook, pagerduty: toPager } as const;

function toPager(alert: Alert, { secret }: PostedTo, { deployment }: TellDeps): Message {
  const { severity, says, until } = alert;
  const payload = { summary: says, source: deployment, severity: severity === "page" ? "critical" : "warning" };
  const body = JSON.stringify({
    routing_key: secret,
    event_action: until === null ? "trigger" : "resolve",
    dedup_key: idOf(alert, deployment),
    payload,
  });
  return { headers: { "content-type": "application/json" }, body };
}

/** An alert's id. It stays the same for as long as the alert lasts. */
function idOf({ name, since }: Alert, deployment: string): string {
  return `${deployment}:${name}:${since}`;
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
