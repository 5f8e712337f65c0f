// Makes one attempt to deliver a notice to its receiver. A webhook's address comes from a merchant, so it is hostile.
// It is checked again, as when it was saved. Its name must resolve to public addresses alone. A redirect is not
// followed and counts as a failure. Of the answer only the status is read.

import { OUTBOX_SEND_MS } from "../../core/limits.ts";
import { type Attempted, parseRetryAfter } from "../../core/notice/attempt.ts";
import { type Message, toChatBody, toWebhookBody } from "../../core/notice/message.ts";
import { isPublicAddress, refusalOfUrl } from "../../core/notice/target.ts";
import { causeOf } from "../../core/outcome.ts";
import type { StoredSubscription } from "../../storage/directory/subscriptions.ts";
import { signedHeaders } from "../../storage/webhook-signature.ts";
import type { Mailer } from "./mailer.ts";
import type { Resolve } from "./resolve.ts";

export interface DeliverDeps {
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  /** Undefined where the deployment sends no mail. */
  readonly mailer: Mailer | undefined;
  readonly resolve: Resolve;
  readonly now: () => number;
}

/** A message with its id. The id is the same for each attempt. */
export interface Letter {
  readonly id: string;
  readonly message: Message;
}

/** Delivers a message. Never throws: an error is the result of an attempt that failed. */
export async function deliver(subscription: StoredSubscription, letter: Letter, deps: DeliverDeps): Promise<Attempted> {
  const isMail = subscription.channel === "email";
  try {
    const attempted = await (isMail ? mail : post)(subscription, letter, deps);
    // Whether an address of mail is wrong is what the provider says by refusing it.
    return attempted.kind === "failed" && isMail ? { ...attempted, isOurs: true } : attempted;
  } catch (error) {
    return { kind: "failed", error: causeOf(error), isOurs: isMail };
  }
}

async function mail(
  { target }: StoredSubscription,
  { id, message }: Letter,
  { mailer }: DeliverDeps,
): Promise<Attempted> {
  if (mailer === undefined) return { kind: "failed", error: "this deployment sends no mail (MAIL_FROM)" };
  const { subject, text, html, unsubscribe } = message;
  return mailer.send({ id, to: target, subject, text, html, unsubscribe });
}

async function post(subscription: StoredSubscription, letter: Letter, deps: DeliverDeps): Promise<Attempted> {
  const { channel, target } = subscription;
  if (channel === "email") throw new Error("mail has no address to post to");
  const url = URL.parse(target);
  const refusal = refusalOfUrl(url, channel);
  if (url === null || refusal !== undefined) return { kind: "refused", error: `the target ${refusal}` };
  const addresses = await deps.resolve(url.hostname).catch(causeOf);
  if (typeof addresses === "string") return { kind: "failed", error: addresses, isOurs: true };
  if (addresses.length === 0) return { kind: "failed", error: "the target's name has no address" };
  if (!addresses.every(isPublicAddress)) return { kind: "failed", error: "the target's name has a private address" };
  const { headers, body } = requestOf(subscription, letter, deps.now());
  const signal = AbortSignal.timeout(OUTBOX_SEND_MS);
  const response = await deps.fetch(target, { method: "POST", redirect: "manual", signal, headers, body });
  await response.body?.cancel();
  if (response.ok) return { kind: "taken" };
  const error = `answered ${response.status}${isRedirect(response.status) ? "; redirects are not followed" : ""}`;
  if (response.status === 410) return { kind: "refused", error };
  return { kind: "failed", error, retryAfterMs: parseRetryAfter(response.headers.get("retry-after"), deps.now()) };
}

function requestOf(
  { channel, secret, previousSecret, previousUntil }: StoredSubscription,
  letter: Letter,
  now: number,
) {
  const { id, message } = letter;
  if (channel !== "webhook") {
    const headers = { "content-type": "application/json" };
    return { headers, body: toChatBody(channel as "slack" | "discord" | "teams", message) };
  }
  const isRotating = previousSecret !== null && (previousUntil ?? 0) > now;
  const secrets = [secret ?? "", ...(isRotating ? [previousSecret] : [])];
  const body = toWebhookBody(message);
  return { headers: signedHeaders({ id, at: now, body, secrets }), body };
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}
