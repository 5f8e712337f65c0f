// Signatures of webhooks as Standard Webhooks has them (standardwebhooks.com): HMAC-SHA-256 over id, instant and body.
// Alerts to operators and notices to merchants are signed here. While a secret is rotated, both secrets sign.

import { createHmac } from "node:crypto";

export interface Signed {
  /** The same for each attempt, so that a receiver knows a repetition. */
  readonly id: string;
  /** UTC ms of this attempt. */
  readonly at: number;
  readonly body: string;
  /** Each `whsec_` and base64; the current one first. */
  readonly secrets: readonly string[];
}

/** Whether a text is `whsec_` and 24 or more bytes of base64. */
export function isWebhookSecret(text: string): boolean {
  return /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(text);
}

/** A secret of 32 random bytes. */
export function webhookSecret(random: Uint8Array): string {
  return `whsec_${Buffer.from(random).toString("base64")}`;
}

export function signedHeaders({ id, at, body, secrets }: Signed): Readonly<Record<string, string>> {
  const seconds = Math.floor(at / 1_000);
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice("whsec_".length), "base64");
    return `v1,${createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64")}`;
  });
  return {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": signatures.join(" "),
  };
}
