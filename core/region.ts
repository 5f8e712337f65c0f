// Regional acceptance, an option: partitions stand in several regions, and a hit is made durable in the one nearest to
// its visitor. A region is part of a partition's name, so that rows, files and replays know of it; counts of regions
// add up. Which region a visitor belongs to is decided by the continent of the address, from an instant on.

import { assert } from "./outcome.ts";

/** Where the platform can place a partition (its location hints). */
export const REGIONS = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"] as const;
export type Region = (typeof REGIONS)[number];
/** As the platform names where an address is; * is everywhere else. */
const CONTINENTS = ["AF", "AN", "AS", "EU", "NA", "OC", "SA", "*"];

export interface Regions {
  /** UTC ms of an event from which on they hold. */
  readonly from: number;
  readonly byContinent: ReadonlyMap<string, string>;
}

/**
 * The deployment's setting REGIONS: an instant and what is where, such as "2026-12-01T00:00:00Z EU=weur AS=apac
 * *=enam". Empty where there are none. Throws on anything else.
 */
export function parseRegions(text: string): Regions | undefined {
  if (text.trim() === "") return undefined;
  const [instant = "", ...pairs] = text.trim().split(/\s+/);
  const from = Date.parse(instant);
  assert(
    /^\d{4}-\d\d-\d\dT/.test(instant) && Number.isFinite(from),
    `REGIONS begins with an instant, not "${instant}"`,
  );
  const byContinent = new Map(pairs.map((pair) => pair.split("=") as [string, string]));
  for (const [continent, region] of byContinent) {
    assert(
      CONTINENTS.includes(continent),
      `REGIONS names continents, one of ${CONTINENTS.join(", ")}: not "${continent}"`,
    );
    assert(
      REGIONS.some((one) => one === region),
      `REGIONS names regions, one of ${REGIONS.join(", ")}: not "${region}"`,
    );
  }
  assert(byContinent.has("*"), "REGIONS says with *=… where everybody else is");
  return { from, byContinent };
}

/** The regions partitions stand in; none where the option is off. */
export function namesOf(regions: Regions | undefined): readonly string[] {
  return [...new Set(regions?.byContinent.values())];
}

/** Whose hits come from where: the region of their events from an instant on. */
export interface Nearby {
  readonly region: string;
  /** UTC ms. */
  readonly from: number;
}

/** Where a client's hits are accepted; undefined where there are no regions. */
export function nearest(regions: Regions | undefined, continent: string): Nearby | undefined {
  if (regions === undefined) return undefined;
  const { from, byContinent } = regions;
  return { from, region: byContinent.get(continent) ?? (byContinent.get("*") as string) };
}

/** A partition's name in a region; "" for none. */
export function inRegion(partition: string, region: string): string {
  return region === "" ? partition : `${partition}-${region}`;
}

/** The region in a partition's name; "" where there is none. */
export function regionOf(partition: string): Region | "" {
  const [, last] = /-([a-z]+)$/.exec(partition) ?? [];
  return REGIONS.find((region) => region === last) ?? "";
}

/**
 * Where the platform is to place a partition when it is first asked for: in the region of its name; undefined where the
 * platform chooses. Who asks first decides for good, so everybody says it, also a question that comes before the first
 * hit.
 */
export function locationOf(partition: string): { readonly locationHint: Region } | undefined {
  const region = regionOf(partition);
  return region === "" ? undefined : { locationHint: region };
}
