// Asks one address of the API (GET) for something other than numbers: a proof, keys, members. The answer is a part of
// the page like any other. When the network is missing, too much was asked or the session has ended, the page says so
// and recovers, as it does with ask(). The browser stores nothing of the answer.

import { useEffect, useState } from "preact/hooks";
import { boot } from "./boot.ts";
import { type Failure, request } from "./numbers.ts";
import { drop, fail, parts, put, round, shop } from "./store.ts";

/** What is known of an address. */
export interface Got<Body> {
  /** What it answered last; stays when it fails later. */
  readonly body?: Body;
  /** Whether a newer one is on its way, or did not come. */
  readonly isStale: boolean;
  readonly failure?: Failure;
  /** Asks again, as after a change. */
  readonly reload: () => void;
}

/** Names the shop, for addresses that do not name one: the shop that is shown, or else the first of the member's. */
export function ofShop(): Readonly<Record<string, string>> {
  const id = shop.value?.id ?? boot.shops[0]?.id;
  return id === undefined ? {} : { "footfall-merchant": id };
}

/**
 * Asks when the component is first shown, when the path changes, and when the whole page asks again. Without a path it
 * asks nothing.
 */
export function useGet<Body>(path: string | undefined): Got<Body> {
  const [turn, setTurn] = useState(0);
  const again = round.value;
  useEffect(() => (path === undefined ? undefined : () => drop(path)), [path]);
  useEffect(() => {
    if (path === undefined) return undefined;
    const controller = new AbortController();
    const { body, asOf } = parts.value[path] ?? {};
    put(path, { isStale: true, ...(asOf !== undefined && { body, asOf }) });
    const read = async () => {
      const reply = await request("GET", path, { signal: controller.signal, headers: ofShop() });
      if (controller.signal.aborted) return; // it was aborted while the body was read
      if ("failure" in reply) return fail(path, reply.failure);
      const told = (reply.body as { readonly as_of?: string } | null)?.as_of;
      put(path, { body: reply.body, asOf: told ?? new Date().toISOString(), isStale: false });
    };
    read().catch((error: unknown) => {
      if (!controller.signal.aborted) throw error;
    });
    return () => controller.abort();
  }, [path, turn, again]);
  const part = path === undefined ? undefined : parts.value[path];
  return { isStale: true, ...(part as Partial<Got<Body>>), reload: () => setTurn((n) => n + 1) };
}
