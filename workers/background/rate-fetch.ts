// The cron's step that fetches the deployment's exchange rates once a day. RATES_URL names a file of the European
// Central Bank, or one in its form. A failure is logged, and the next cron tries again. Fetching twice is harmless:
// known rates stay as they are, and a corrected rate replaces the former one.

import { RATE_FILE_LENGTH_MAX, RATES_FETCH_MS, RATES_FETCHED_AT_MS } from "../../core/limits.ts";
import { causeOf } from "../../core/outcome.ts";
import { parseRateFile } from "../../core/rate-file.ts";
import { lastRateDay } from "../../core/rate-parser.ts";
import { DAY_MS } from "../../core/time.ts";
import { noteFetched, readFetchedAt, writeRates } from "../../storage/directory/rates.ts";
import { readBody } from "../../storage/request-body.ts";
import type { Deps } from "./deps.ts";

type FetchDeps = Pick<Deps, "directory" | "now" | "log" | "ratesUrl" | "fetch">;

/** Fetches rates if they are due. */
export async function fetchRates(deps: FetchDeps): Promise<void> {
  const { ratesUrl: url, directory, log } = deps;
  if (url === "") return;
  const now = deps.now();
  if (!isDue({ fetchedAt: await readFetchedAt(directory), now })) return;
  try {
    const text = await readFile(url, deps);
    const read = parseRateFile(text);
    if (!read.ok) throw new Error(read.rejection.message);
    const days = read.value.filter(({ day }) => day <= lastRateDay(now));
    const { added, changed } = await writeRates(directory, days);
    await noteFetched(directory, now);
    log({ event: "rates_fetched", days: days.length, added, changed });
  } catch (error) {
    log({ event: "rates_fetch_failed", error: causeOf(error) });
  }
}

/** Whether rates may have been published since the last fetch. */
export function isDue({ fetchedAt, now }: { readonly fetchedAt: number | null; readonly now: number }): boolean {
  const published = Math.floor((now - RATES_FETCHED_AT_MS) / DAY_MS) * DAY_MS + RATES_FETCHED_AT_MS;
  return fetchedAt === null || fetchedAt < published;
}

async function readFile(url: string, deps: Pick<FetchDeps, "fetch">): Promise<string> {
  const response = await deps.fetch(url, { signal: AbortSignal.timeout(RATES_FETCH_MS) });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`answered ${response.status}`);
  }
  // Content-Length is the length of the sent bytes, which may be packed. So the bound applies to the unpacked bytes as
  // they come.
  const sent = await readBody(new Response(response.body), RATE_FILE_LENGTH_MAX);
  if (sent.ok) return sent.text;
  throw new Error(sent.problem === "too_large" ? `has more than ${RATE_FILE_LENGTH_MAX} bytes` : "ended early");
}
