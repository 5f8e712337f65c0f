// Acceptance by region, an option. Partitions then exist in several regions, and a hit becomes durable in the region
// nearest to its visitor. A region is part of a partition's name, so rows, files and replays know it, and counts of
// regions add up. The continent of the address decides the region, from an instant on.

import { assert } from "./outcome.ts";

/** Where the platform can place a partition (its location hints). */
export const REGIONS = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"] as const;
export type Region = (typeof REGIONS)[number];
/** The platform's names of continents; * stands for all others. */
const CONTINENTS = ["AF", "AN", "AS", "EU", "NA", "OC", "SA", "*"];

export interface Regions {
  /** They hold for events from this time on, UTC ms. */
  readonly from: number;
  readonly byContinent: ReadonlyMap<string, string>;
}

/**
 * The deployment's setting REGIONS: an instant, and the region of each continent, such as "2026-12-01T00:00:00Z EU=weur
 * AS=apac *=enam". Undefined for an empty text. Throws on anything else.
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

/** The regions of a deployment's partitions. None where the option is off. */
export function namesOf(regions: Regions | undefined): readonly string[] {
  return [...new Set(regions?.byContinent.values())];
}

/** The region that takes a client's events, from an instant on. */
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
 * Where the platform should place a partition: in the region of its name. Undefined where the platform chooses. The
 * first request decides for good, so every caller gives it, even a question that comes before the first hit.
 */
export function locationOf(partition: string): { readonly locationHint: Region } | undefined {
  const region = regionOf(partition);
  return region === "" ? undefined : { locationHint: region };
}
