// What a sealed Day's folder holds: which files, which merchants' rows are in which of them, and a checksum of each
// merchant's rows that DuckDB can compute as well (docs/archive.md). Readers find a small merchant's few row groups by
// it, a replay learns which bundles it stands for, and anybody can prove that nothing was lost since.

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
  /** Bytes at its end that say where its columns lie: a reader begins with them. */
  readonly footer: number;
  readonly rows: number;
  /** In the order of their numbers, and all above those of the file before. */
  readonly merchants: readonly SealedMerchant[];
}

export interface Manifest extends DayPlace {
  /** How often the Day was sealed. */
  readonly generation: number;
  readonly rows: number;
  /** Rows of the inputs that were left out: the same id once more. */
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
