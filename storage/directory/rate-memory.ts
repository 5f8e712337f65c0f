// Exchange rates that an isolate remembers, so that an answer in several currencies reads one or two small rows instead
// of all rates. D1 is asked each time for the current versions of the rates. So a change of rates is in the next
// answer.

import { OWN_RATES_KEPT_MAX, RATE_AGE_DAYS_MAX, RATE_DAYS_KEPT_MAX } from "../../core/limits.ts";
import { NO_RATES, type OwnRate, type PublishedRates, type RateTable } from "../../core/rate.ts";
import type { Directory } from "./directory.ts";
import { type RateVersions, readOwnRates, readRates, readRateVersions } from "./rates.ts";

/** The money to convert: whose it is, its currencies, and its Days. */
export interface RatesWanted {
  readonly merchant: number;
  /** All currencies, with the one that is converted into. */
  readonly currencies: readonly string[];
  /** Numbers of Days in [fromDay, toDay). */
  readonly fromDay: number;
  readonly toDay: number;
}

/** Days in [from, to) of published rates. */
interface Span {
  readonly version: number;
  readonly from: number;
  readonly to: number;
  readonly rates: readonly PublishedRates[];
}

export class RateMemory {
  #published: Span = { version: 0, from: 0, to: 0, rates: [] };
  readonly #own = new Map<number, { readonly version: number; readonly rates: readonly OwnRate[] }>();

  /** The rates that convert money of these Days. Where there is only one currency nothing is read. */
  async ratesFor(db: Directory, { merchant, currencies, fromDay, toDay }: RatesWanted): Promise<RateTable> {
    if (new Set(currencies).size < 2 || toDay <= fromDay) return NO_RATES;
    const versions = await readRateVersions(db, merchant);
    const span = { from: fromDay - RATE_AGE_DAYS_MAX, to: toDay };
    return {
      published: await this.#publishedIn(db, { ...span, versions }),
      own: await this.#ownOf(db, { merchant, versions }),
    };
  }

  async #publishedIn(
    db: Directory,
    { from, to, versions }: { readonly from: number; readonly to: number; readonly versions: RateVersions },
  ): Promise<readonly PublishedRates[]> {
    const version = versions.published;
    const kept = this.#published;
    if (version === 0) return [];
    const isKept = kept.version === version;
    if (isKept && kept.from <= from && to <= kept.to) return kept.rates;
    // The span that is kept only grows: most questions end today, and differ in how far they go back.
    const joined = isKept ? { from: Math.min(from, kept.from), to: Math.max(to, kept.to) } : { from, to };
    const wanted = joined.to - joined.from <= RATE_DAYS_KEPT_MAX ? joined : { from, to };
    const rates = await readRates(db, wanted);
    if (wanted.to - wanted.from <= RATE_DAYS_KEPT_MAX) this.#published = { version, ...wanted, rates };
    return rates;
  }

  async #ownOf(
    db: Directory,
    { merchant, versions }: { readonly merchant: number; readonly versions: RateVersions },
  ): Promise<readonly OwnRate[]> {
    const version = versions.own;
    if (version === 0) return [];
    const kept = this.#own.get(merchant);
    const rates = kept?.version === version ? kept.rates : await readOwnRates(db, merchant);
    this.#own.delete(merchant); // who is asked for goes to the end: the first is the one unused for longest
    this.#own.set(merchant, { version, rates });
    for (const [oldest] of this.#own) {
      if (this.#own.size <= OWN_RATES_KEPT_MAX) break;
      this.#own.delete(oldest);
    }
    return rates;
  }
}
