// Finds the merchant that an API key belongs to. A question must name that merchant, by its id, one of its tracking IDs
// or a hostname that is proven for it. A refusal does not say whether the key or the name is wrong (L6). The isolate
// remembers a key for a minute. So a dashboard costs one database read a minute, and a revoked key works for a minute
// at most.

import { isApiKeyShaped } from "../../core/api-key.ts";
import { KEY_USE_NOTED_EVERY_MS, KEYS_KEPT_MAX, KEYS_KEPT_MS } from "../../core/limits.ts";
import { verifyTrackingId } from "../../core/tracking-id.ts";
import { findKeyHolder, type KeyHolder, noteKeyUse } from "../../storage/directory/api-keys.ts";
import { hashKey } from "../../storage/directory/credential.ts";
import type { Merchant } from "../../storage/directory/merchants.ts";
import { ownsHostname } from "../../storage/directory/streams.ts";
import { parseStreamHostname } from "../../storage/hostname.ts";
import type { Deps } from "./deps.ts";

export interface OpenedKey {
  readonly holder: KeyHolder;
  /** Hostnames that are known to be the merchant's. */
  readonly hostnames: Set<string>;
  /** Until when the key is remembered, UTC ms. */
  readonly until: number;
  /** When its use was last noted, UTC ms. Null for never. */
  usedAt: number | null;
}

/** API keys by hash, with what each opens. Only keys that exist are remembered, so guesses take no room. */
export class KeyMemory {
  readonly #keys = new Map<string, OpenedKey>();

  find(hash: string, now: number): OpenedKey | undefined {
    const known = this.#keys.get(hash);
    return known !== undefined && known.until > now ? known : undefined;
  }

  remember(hash: string, holder: KeyHolder, now: number): OpenedKey {
    const remembered = { holder, hostnames: new Set<string>(), until: now + KEYS_KEPT_MS, usedAt: holder.lastUsedAt };
    this.#keys.delete(hash); // a remembered key moves to the end: the first entry is always the oldest
    this.#keys.set(hash, remembered);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size > KEYS_KEPT_MAX && oldest !== undefined) this.#keys.delete(oldest);
    return remembered;
  }

  /**
   * Forgets all keys. It is called after a key was revoked or a merchant changed, so that this isolate obeys the change
   * at once.
   */
  clear(): void {
    this.#keys.clear();
  }
}

/** The token of an `Authorization: Bearer …` header. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
}

/**
 * What a key opens now. Undefined when there is no such key, when it has expired, or when it was rotated and its old
 * secret is no longer accepted. With `fresh` the database is read even if the key is remembered.
 */
export async function openKey(
  key: string,
  deps: Deps,
  { fresh = false }: { readonly fresh?: boolean } = {},
): Promise<OpenedKey | undefined> {
  if (!isApiKeyShaped(key)) return undefined;
  const now = deps.now();
  const known = await recall(hashKey(key), { now, fresh }, deps);
  const { expiresAt = null, secretUntil = null } = known?.holder ?? {};
  return [expiresAt, secretUntil].every((end) => end === null || end > now) ? known : undefined;
}

async function recall(
  hash: string,
  { now, fresh }: { readonly now: number; readonly fresh: boolean },
  deps: Deps,
): Promise<OpenedKey | undefined> {
  const known = fresh ? undefined : deps.keys.find(hash, now);
  if (known !== undefined) return known;
  const holder = await findKeyHolder(deps.directory, hash);
  return holder && deps.keys.remember(hash, holder, now);
}

/** Notes after the answer that a key was used, unless its use was noted within the hour. */
export function noteUse(opened: OpenedKey, deps: Deps): void {
  const now = deps.now();
  if (opened.usedAt !== null && opened.usedAt > now - KEY_USE_NOTED_EVERY_MS) return;
  opened.usedAt = now;
  deps.later("key_use", noteKeyUse(deps.directory, { id: opened.holder.id, now }));
}

/**
 * Whether `siteId` names a merchant, by its id, a tracking ID or a hostname. Hostnames of the merchant are remembered.
 */
export async function names(
  siteId: string,
  { merchant, hostnames }: { readonly merchant: Merchant; readonly hostnames: Set<string> },
  deps: Deps,
): Promise<boolean> {
  const { id, number } = merchant;
  if (siteId === id) return true;
  const tracking = verifyTrackingId(siteId, deps.signs);
  if (tracking !== undefined) return tracking.merchant === number;
  const hostname = parseStreamHostname(siteId);
  if (hostname === undefined) return false;
  if (hostnames.has(hostname)) return true;
  const owned = await ownsHostname(deps.directory, { merchant: number, hostname });
  if (owned) hostnames.add(hostname);
  return owned;
}
