// What the demo's merchant has decided before its visits are sent: goals, the hosts its pages are on, and what a franc
// is in euros. Rules hold from half an hour later on, so the Days that are closed get them by a rebuild, as any
// merchant's past does.

import { askAdmin, type Connection } from "../footfall/connection.ts";
import type { Job } from "../footfall/replay.ts";
import { Problem } from "../problem.ts";
import { CURRENCY, FOREIGN, SHOP_HOST } from "./shop.ts";

export const RULES = {
  hostnames: [SHOP_HOST],
  goals: [
    { name: "Order", event: "purchase" },
    { name: "Basket", event: "add_to_cart" },
    { name: "Newsletter", event: "Signed Up" },
    { name: "Read the journal", page: "/journal/*" },
  ],
};
const REBUILT_WITHIN_MS = 60_000;
const ASK_EVERY_MS = 500;

interface Timeline {
  readonly version: number;
  readonly timeline: readonly { readonly version: number; readonly from_date?: string; readonly to_date?: string }[];
}

export interface Days {
  /** The first and the last one. */
  readonly from: string;
  readonly to: string;
}

/** The same rules again change nothing. */
export async function decideRules(connection: Connection, merchant: string): Promise<void> {
  const note = "goals and the host of the demo";
  await askAdmin(connection, "PUT", `/api/v1/merchants/${merchant}/rules`, { rules: RULES, note });
}

/** What a franc is worth; `from` is a Day before the first order. */
export async function decideRate(connection: Connection, merchant: string, from: string): Promise<void> {
  const rates = [{ currency: FOREIGN.currency, in: CURRENCY, rate: FOREIGN.rate, from }];
  await askAdmin(connection, "POST", `/api/v1/merchants/${merchant}/rates`, { rates });
}

/**
 * Gives closed Days the rules, unless they have them. They must be sealed, which may take a moment: until then it is
 * refused.
 */
export async function rebuildPast(connection: Connection, merchant: string, days: Days): Promise<void> {
  const { version, timeline } = (await askAdmin(connection, "GET", `/api/v1/merchants/${merchant}/rules`)) as Timeline;
  const isGiven = timeline.some(
    (period) =>
      period.version === version && (period.from_date ?? "~") <= days.from && (period.to_date ?? "") >= days.to,
  );
  if (isGiven) return;
  const job = { kind: "rebuild", ...days, merchants: [merchant], rules: "current" };
  const deadline = Date.now() + REBUILT_WITHIN_MS;
  for (;;) {
    const started = await askAdmin(connection, "POST", "/api/v1/replays", job).catch((error: unknown) => {
      if (!(error instanceof Problem) || !/ answers 409/.test(error.message) || Date.now() > deadline) throw error;
      return undefined;
    });
    if (started !== undefined) return await untilRebuilt(connection, (started as Job).id, deadline);
    await new Promise((settle) => setTimeout(settle, ASK_EVERY_MS));
  }
}

async function untilRebuilt(connection: Connection, id: string, deadline: number): Promise<void> {
  for (;;) {
    const { state } = (await askAdmin(connection, "GET", `/api/v1/replays/${id}`)) as Job;
    if (state === "done") return;
    if (state !== "running" || Date.now() > deadline) {
      throw new Problem(
        `the past did not get the demo's rules: replay ${id} is ${state}; \`replay show ${id}\` says why`,
      );
    }
    await new Promise((settle) => setTimeout(settle, ASK_EVERY_MS));
  }
}

interface Key {
  readonly id: string;
  readonly api_key: string;
}

/** Does something as the shop's server, with a key that is gone afterwards. */
export async function asServer<T>(
  connection: Connection,
  merchant: string,
  act: (key: string) => Promise<T>,
): Promise<T> {
  const keys = `/api/v1/merchants/${merchant}/keys`;
  const { id, api_key } = (await askAdmin(connection, "POST", keys, { name: "demo's server", scope: "write" })) as Key;
  try {
    return await act(api_key);
  } finally {
    await askAdmin(connection, "DELETE", `${keys}/${id}`);
  }
}
