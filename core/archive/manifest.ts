// What a sealed Day's folder holds: its files, which of them has which merchant's rows, and a checksum of each
// merchant's rows that DuckDB can compute as well (docs/archive.md). With it a reader finds the few row groups of a
// small merchant, a replay learns which bundles the files replace, and anybody can prove that nothing was lost since
// the seal.

import { assert } from "../outcome.ts";
import type { DayPlace } from "./object-key.ts";

const MANIFEST_VERSION = 1;

/** One merchant's rows in a sealed Day. They lie in one file, next to each other. */
export interface SealedMerchant {
  readonly merchant: number;
  readonly rows: number;
  /** SHA-256 in hex of the rows' texts, see `checksumText`. */
  readonly checksum: string;
  /** Version of the settings, rules included, under which the Day's rollups were last made when it was sealed. */
  readonly settings: number;
}

/** One file of a sealed Day. */
export interface SealedFile {
  readonly key: string;
  readonly bytes: number;
  /** The length of the file's footer, which says where the columns lie. A reader begins with it. */
  readonly footer: number;
  readonly rows: number;
  /** The merchants in the order of their numbers. All numbers are above those of the file before. */
  readonly merchants: readonly SealedMerchant[];
  /** The file with derived rows of these merchants, if there are any (derived-table.ts). */
  readonly derived?: { readonly key: string; readonly bytes: number };
}

export interface Manifest extends DayPlace {
  /** How often the Day was sealed. */
  readonly generation: number;
  readonly rows: number;
  /** How many rows of the inputs were left out because their id had come before. */
  readonly duplicates: number;
  /** Every bundle below this position of the partition's log is in the files. */
  readonly before: number;
  readonly files: readonly SealedFile[];
}

export function encodeManifest(manifest: Manifest): string {
  return JSON.stringify({ version: MANIFEST_VERSION, ...manifest });
}

/** The inverse of `encodeManifest`. Throws on anything else. */
export function decodeManifest(text: string): Manifest {
  const { version, ...manifest } = JSON.parse(text) as Manifest & { readonly version: unknown };
  assert(version === MANIFEST_VERSION, `manifest version ${String(version)} is one this reader knows`);
  return manifest;
}
