// Who may ask: an API key opens one merchant, and the question must name that merchant by its id, one of its tracking IDs
// or a hostname it owns. Whether the key or the name is wrong is not said (L6). Keys are remembered in the isolate for a
// minute, so that a dashboard costs one database read a minute and a revoked key works no longer than that.

import { KEYS_KEPT_MAX, KEYS_KEPT_MS } from "../../core/limits.ts";
import { verifyTrackingId } from "../../core/tracking-id.ts";
import { findKeyHolder, type KeyHolder } from "../../storage/api-keys.ts";
import { hashKey, isApiKeyShaped } from "../../storage/credential.ts";
import { type Merchant, ownsHostname, parseStreamHostname } from "../../storage/merchants.ts";
import type { Deps } from "./deps.ts";

interface Remembered {
  readonly holder: KeyHolder;
  /** Hostnames that were found to be the merchant's. */
  readonly hostnames: Set<string>;
  /** UTC ms. */
  readonly until: number;
}

/** API keys by hash, with what they open. Only keys that exist are remembered: guesses take no room. */
export class KeyMemory {
  readonly #keys = new Map<string, Remembered>();

  find(hash: string, now: number): Remembered | undefined {
    const known = this.#keys.get(hash);
    return known !== undefined && known.until > now ? known : undefined;
  }

  remember(hash: string, holder: KeyHolder, now: number): Remembered {
    const remembered = { holder, hostnames: new Set<string>(), until: now + KEYS_KEPT_MS };
    this.#keys.delete(hash); // a key that is back goes to the end: the first entry is always the oldest
    this.#keys.set(hash, remembered);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size > KEYS_KEPT_MAX && oldest !== undefined) this.#keys.delete(oldest);
    return remembered;
  }

  /** After a key was revoked or a merchant changed, this isolate at once does as it was told. */
  clear(): void {
    this.#keys.clear();
  }
}

/** The token of an `Authorization: Bearer …` header. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
}

/** The merchant that a key opens and `siteId` names; undefined when they do not belong together. */
export async function authorize(
  { key, siteId }: { readonly key: string; readonly siteId: string },
  deps: Deps,
): Promise<Merchant | undefined> {
  if (!isApiKeyShaped(key)) return undefined;
  const now = deps.now();
  const known = await recall(hashKey(key), now, deps);
  if (known === undefined) return undefined;
  const { merchant, expiresAt } = known.holder;
  if (expiresAt !== null && expiresAt <= now) return undefined;
  return (await names(siteId, known, deps)) ? merchant : undefined;
}

async function recall(hash: string, now: number, deps: Deps): Promise<Remembered | undefined> {
  const known = deps.keys.find(hash, now);
  if (known !== undefined) return known;
  const holder = await findKeyHolder(deps.db, hash, deps.meter);
  return holder && deps.keys.remember(hash, holder, now);
}

async function names(siteId: string, { holder, hostnames }: Remembered, deps: Deps): Promise<boolean> {
  const { id, number } = holder.merchant;
  if (siteId === id) return true;
  const tracking = verifyTrackingId(siteId, deps.signs);
  if (tracking !== undefined) return tracking.merchant === number;
  const hostname = parseStreamHostname(siteId);
  if (hostname === undefined) return false;
  if (hostnames.has(hostname)) return true;
  const owned = await ownsHostname(deps.db, { merchant: number, hostname }, deps.meter);
  if (owned) hostnames.add(hostname);
  return owned;
}
