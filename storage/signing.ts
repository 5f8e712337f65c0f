// The deployment's secrets: signing as core wants it, HMAC-SHA-256 as a plain function, and telling whether somebody
// knows a secret. The collector checks tracking IDs, the query Worker makes them. All of it is synchronous
// (node:crypto, which workerd has), because core is. This file knows nothing of what is signed.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Sign } from "../core/tracking-id.ts";

/** The part of a Worker's environment that holds the secrets. */
export interface SigningEnv {
  readonly TRACKING_SECRET: string;
  /** The secret before this one. It is accepted while a rotation lasts. */
  readonly TRACKING_SECRET_PREVIOUS?: string;
}

/** HMAC-SHA-256 under one secret. An empty secret is a deployment mistake and throws. */
export function signWith(secret: string): Sign {
  if (!secret) throw new Error("TRACKING_SECRET is not set");
  return (message) => new Uint8Array(createHmac("sha256", secret).update(message).digest());
}

/** Every secret that is valid now. The first is the one to make new tracking IDs with. */
export function signsOf(env: SigningEnv): readonly [Sign, ...Sign[]] {
  const previous = env.TRACKING_SECRET_PREVIOUS ? [signWith(env.TRACKING_SECRET_PREVIOUS)] : [];
  return [signWith(env.TRACKING_SECRET), ...previous];
}

/**
 * Whether a caller's text is the secret. The comparison takes equally long wherever the two differ. Nothing matches an
 * unset secret.
 */
export function isSecret(text: string, secret: string | undefined): boolean {
  if (!secret) return false;
  const digest = (value: string) => createHash("sha256").update(value).digest();
  return timingSafeEqual(digest(text), digest(secret));
}

/**
 * The secrets that seal what leaves our hands (messages of the overflow queue, cookies of known browsers), the current
 * one first.
 */
export function sealSecretsOf(env: SigningEnv): readonly string[] {
  return [env.TRACKING_SECRET, env.TRACKING_SECRET_PREVIOUS ?? ""].filter((secret) => secret !== "");
}
