// How alerts leave the deployment. They are always written as lines of the log. Where the addresses are set, they are
// also sent by a signed webhook (standardwebhooks.com) and by PagerDuty's Events API v2, or what speaks it. A message
// comes twice after a crash between its delivery and the note of it. Both copies have the same id.

import { createHmac } from "node:crypto";
import { TELL_TIMEOUT_MS } from "../../core/limits.ts";
import { causeOf } from "../../core/outcome.ts";
import type { Alert } from "../../core/watch/alert.ts";
import type { Deps } from "./deps.ts";

/** A receiver of alerts. */
export interface Receiver {
  readonly name: "webhook" | "pagerduty";
  readonly url: string;
  /** The secret that signs a webhook, or PagerDuty's routing key. */
  readonly secret: string;
}

/** Settings of the background Worker; each is empty or absent where alerts are not sent that way. */
export interface TellEnv {
  readonly ALERT_WEBHOOK_URL?: string;
  /** A secret: `whsec_` and base64, as Standard Webhooks has it. */
  readonly ALERT_WEBHOOK_SECRET?: string;
  /** An address that speaks PagerDuty's API. Default: PagerDuty's own. */
  readonly PAGERDUTY_URL?: string;
  /** A secret: the integration's routing key. */
  readonly PAGERDUTY_KEY?: string;
  /** An address that is requested after every cron. Whoever watches it raises an alert when the requests stop. */
  readonly HEARTBEAT_URL?: string;
}

export type TellDeps = Pick<Deps, "now" | "log" | "fetch" | "deployment" | "receivers">;

/**
 * The receivers that are set. A webhook without a secret is reported as a mistake, since its receiver could not check
 * who sends.
 */
export function receiversOf(env: TellEnv): readonly Receiver[] {
  const url = env.ALERT_WEBHOOK_URL ?? "";
  const secret = env.ALERT_WEBHOOK_SECRET ?? "";
  const key = env.PAGERDUTY_KEY ?? "";
  if (url !== "" && !/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(secret))
    throw new Error(
      'ALERT_WEBHOOK_URL is set, and ALERT_WEBHOOK_SECRET is not "whsec_" and 24 or more bytes of base64',
    );
  const pager = env.PAGERDUTY_URL || "https://events.pagerduty.com/v2/enqueue";
  return [
    ...(url === "" ? [] : [{ name: "webhook", url, secret } as const]),
    ...(key === "" ? [] : [{ name: "pagerduty", url: pager, secret: key } as const]),
  ];
}

/** Sends an alert to every receiver. False where one of them did not take it. */
export async function tellAlert(alert: Alert, deps: TellDeps): Promise<boolean> {
  const { name, severity, says, until } = alert;
  deps.log(until === null ? { alert: name, severity, says } : { event: "alert_ended", name, says });
  const taken = await Promise.all(deps.receivers.map((receiver) => send(alert, receiver, deps)));
  return taken.every(Boolean);
}

/** Requests the heartbeat's address, which says that the cron has run. */
export async function beat({ heartbeatUrl, fetch, log }: Pick<Deps, "fetch" | "log" | "heartbeatUrl">): Promise<void> {
  if (heartbeatUrl === "") return;
  try {
    await taken(await fetch(heartbeatUrl, { signal: AbortSignal.timeout(TELL_TIMEOUT_MS) }));
  } catch (error) {
    log({ event: "heartbeat_failed", error: causeOf(error) });
  }
}

async function send(alert: Alert, receiver: Receiver, deps: TellDeps): Promise<boolean> {
  const message = receiver.name === "webhook" ? toWebhook(alert, receiver, deps) : toPager(alert, receiver, deps);
  try {
    const signal = AbortSignal.timeout(TELL_TIMEOUT_MS);
    await taken(await deps.fetch(receiver.url, { method: "POST", redirect: "manual", signal, ...message }));
    return true;
  } catch (error) {
    deps.log({ event: "tell_failed", receiver: receiver.name, name: alert.name, error: causeOf(error) });
    return false;
  }
}

async function taken(response: Response): Promise<void> {
  await response.body?.cancel();
  if (!response.ok) throw new Error(`answered ${response.status}`);
}

interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function toWebhook(alert: Alert, { secret }: Receiver, { now, deployment }: TellDeps): Message {
  const { name, severity, says, since, until } = alert;
  const at = Math.floor(now() / 1_000);
  const id = `${idOf(alert, deployment)}${until === null ? "" : ":ended"}`;
  const body = JSON.stringify({
    type: until === null ? "alert.raised" : "alert.ended",
    timestamp: new Date(now()).toISOString(),
    data: { deployment, name, severity, says, since: instant(since), until: until === null ? null : instant(until) },
  });
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${at}.${body}`).digest("base64");
  return {
    headers: {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": String(at),
      "webhook-signature": `v1,${signature}`,
    },
    body,
  };
}

function toPager(alert: Alert, { secret }: Receiver, { deployment }: TellDeps): Message {
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

/** An alert's id, which is the same for as long as the alert lasts. */
function idOf({ name, since }: Alert, deployment: string): string {
  return `${deployment}:${name}:${since}`;
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
