// A scan of some Days, as text, on its way to the scan of all Days: what one part of a job has counted. Visits never
// span Days, so parts add up: counts are sums, and visitors are unions. A part that is counted again gives the same
// text.

import { COUNTERS, type Counts } from "../counting/rollup.ts";
import { GROUPS_MAX, SCAN_VISITORS_MAX } from "../limits.ts";
import type { VisitCounts } from "./metric.ts";
import { addDated, type DatedTakings } from "./money.ts";
import { addTo, addVisitor, namesOf, type Scan, type ScanProblem, sumOf, type Visitors } from "./scan.ts";

interface EncodedSum {
  readonly dimensions: readonly string[];
  readonly counts: readonly number[];
  readonly visitors: readonly string[];
  readonly purse: readonly DatedTakings[];
  /** scroll, scrolledVisits */
  readonly more: readonly [number, number];
}

interface EncodedScan {
  readonly version: 3;
  readonly sums: readonly EncodedSum[];
  readonly entries: readonly (readonly [key: string, counts: VisitCounts])[];
  readonly orderPlaces: readonly string[];
  readonly totals: Readonly<
    Record<keyof Scan["totals"], readonly (readonly [key: string, visitors: readonly string[]])[]>
  >;
}

export function encodeScan({
  names,
  sums,
  entries,
  totals,
  orderPlaces,
}: Pick<Scan, "names" | "sums" | "entries" | "totals" | "orderPlaces">): string {
  const sets = (map: ReadonlyMap<string, Visitors>) =>
    [...map].map(([key, visitors]) => [key, namesOf(names, visitors)] as const);
  const encoded: EncodedScan = {
    version: 3,
    sums: [...sums.values()].map(({ dimensions, counts, visitors, purse, ...more }) => ({
      dimensions,
      counts: COUNTERS.map((counter) => counts[counter]),
      visitors: namesOf(names, visitors),
      purse: [...purse.values()],
      more: [more.scroll, more.scrolledVisits],
    })),
    entries: [...entries],
    orderPlaces: [...orderPlaces],
    totals: { all: sets(totals.all), label: sets(totals.label), group: sets(totals.group) },
  };
  return JSON.stringify(encoded);
}

/** Adds a text of `encodeScan` to a scan of the same plan. A problem ends the scan. */
export function absorbScan(scan: Scan, text: string): ScanProblem | undefined {
  const { sums, entries, totals, orderPlaces } = JSON.parse(text) as EncodedScan;
  for (const { dimensions, counts, visitors, purse, more } of sums) {
    const sum = sumOf(scan, dimensions);
    for (const [at, counter] of COUNTERS.entries()) (sum.counts as Counts)[counter] += counts[at] as number;
    for (const visitor of visitors) addTo(scan, sum.visitors, scan.names.numberOf(visitor));
    for (const takings of purse) addDated(sum.purse, takings);
    sum.scroll += more[0];
    sum.scrolledVisits += more[1];
    if (scan.sums.size > GROUPS_MAX) return "groups";
    if (scan.visitors > SCAN_VISITORS_MAX) return "visitors";
  }
  for (const place of orderPlaces) scan.orderPlaces.add(place);
  for (const [key, counts] of entries) {
    const known = scan.entries.get(key);
    if (known === undefined) scan.entries.set(key, counts);
    else for (const name of ["visits", "bounces", "duration_ms"] as const) known[name] += counts[name];
  }
  for (const which of ["all", "label", "group"] as const)
    for (const [key, visitors] of totals[which])
      for (const visitor of visitors) addVisitor(scan, scan.totals[which], key, visitor);
  return scan.visitors > SCAN_VISITORS_MAX ? "visitors" : undefined;
}
