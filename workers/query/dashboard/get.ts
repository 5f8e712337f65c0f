// Asks for one address of the API (GET), for what is no question about numbers: proof, keys, members. What comes is a
// part of the page like any other: no network, too much asked and a session that ended are said and mended as with
// ask(). Nothing of it is kept by the browser.

import { useEffect, useState } from "preact/hooks";
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

/** Which shop is meant, where an address does not say and somebody has several. */
export function ofShop(): Readonly<Record<string, string>> {
  return shop.value === undefined ? {} : { "footfall-merchant": shop.value.id };
}

/**
 * Asks when the page shows it, when the path changes, and whenever all is asked again. Nothing is asked without a path.
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
      if (controller.signal.aborted) return; // while the body was read
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
