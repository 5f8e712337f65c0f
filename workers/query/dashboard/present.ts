// Who is there now, one value for the whole page: the header and the page Now never differ. From the partition's
// memory, so asking reads nothing of the archive. A tab that nobody looks at does not ask.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { type Failure, request } from "./numbers.ts";
import { noteSignedOut, round } from "./store.ts";

/** What `GET /api/v2/now` answers. */
export interface Present {
  readonly as_of: string;
  readonly visitors: { readonly last_5_minutes: number; readonly last_30_minutes: number };
  readonly pages: readonly { readonly page: string; readonly visitors: number }[];
  readonly sources: readonly { readonly source: string; readonly visitors: number }[];
  readonly orders: readonly {
    readonly at: string;
    readonly currency: string;
    readonly revenue: number;
    readonly units: number;
    readonly products: readonly string[];
  }[];
}

/** The last answer, and what went wrong since. */
export const present = signal<{ readonly answer?: Present; readonly failure?: Failure }>({});

/** Where it is asked for. */
export function presentPath(id: string): string {
  return `/api/v2/now?site_id=${encodeURIComponent(id)}`;
}

interface Pace {
  readonly everyMs: number;
  /** How long it waits at first, so that the numbers of the page come before it. */
  readonly afterMs: number;
}

/** Asks for it again and again, for as long as a page with this shop is there. */
export function usePresent(id: string | undefined, { everyMs, afterMs }: Pace): void {
  const again = round.value;
  useEffect(() => {
    if (id === undefined) return undefined;
    const controller = new AbortController();
    const { signal: until } = controller;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isWaiting = false; // for its time, or for an answer
    const ask = async () => {
      isWaiting = !document.hidden; // until somebody looks
      if (!isWaiting) return;
      const reply = await request("GET", presentPath(id), { signal: until });
      let waitMs = everyMs;
      if ("body" in reply) present.value = { answer: reply.body as Present };
      else {
        present.value = { ...present.value, failure: reply.failure };
        noteSignedOut(reply.failure);
        if (reply.failure.why === "too often") waitMs = Math.max(waitMs, reply.failure.retryAfterSeconds * 1_000);
      }
      wait(waitMs);
    };
    const wait = (ms: number) => {
      isWaiting = true;
      timer = setTimeout(() => {
        ask().catch((error: unknown) => {
          if (!until.aborted) throw error;
        });
      }, ms);
    };
    const look = () => {
      if (!document.hidden && !isWaiting) wait(0);
    };
    wait(afterMs);
    document.addEventListener("visibilitychange", look);
    return () => {
      controller.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [id, everyMs, afterMs, again]);
}
