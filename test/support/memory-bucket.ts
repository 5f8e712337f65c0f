// An archive bucket in memory, for tests of what reads and writes it; the real one is in the tests that start workerd.

import type { Metered } from "../../core/meter.ts";
import type { ArchiveBucket } from "../../storage/archive/bucket.ts";
import type { ClaimBucket } from "../../storage/directory/number-claim.ts";
import { meteredR2 } from "../../storage/metered.ts";

interface ListOptions {
  readonly prefix: string;
  readonly cursor?: string;
  readonly delimiter?: string;
  readonly limit?: number;
  readonly include?: readonly string[];
}

interface PutOptions {
  readonly onlyIf?: object;
  readonly customMetadata?: Record<string, string>;
}

/** Lists `pageSize` objects a page, in the order of keys, as R2 does. */
export function memoryArchive(
  objects: Map<string, Uint8Array> = new Map(),
  pageSizeMax = 1_000,
): ArchiveBucket & ClaimBucket {
  const notes = new Map<string, Record<string, string>>();
  return {
    list: async ({ prefix, cursor, delimiter, limit, include = [] }: ListOptions) => {
      const pageSize = Math.min(limit ?? pageSizeMax, pageSizeMax);
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
      if (delimiter !== undefined) {
        const cut = (key: string) => key.indexOf(delimiter, prefix.length);
        const folders = keys.flatMap((key) => (cut(key) < 0 ? [] : [key.slice(0, cut(key) + 1)]));
        const own = keys.filter((key) => cut(key) < 0).map((key) => ({ key, size: objects.get(key)?.length ?? 0 }));
        return { objects: own, delimitedPrefixes: [...new Set(folders)], truncated: false };
      }
      const from = Number(cursor ?? 0);
      const page = keys.slice(from, from + pageSize).map((key) => {
        const customMetadata = notes.get(key);
        const note = include.includes("customMetadata") && customMetadata !== undefined ? { customMetadata } : {};
        return { key, size: objects.get(key)?.length ?? 0, ...note };
      });
      const rest = { truncated: from + pageSize < keys.length, cursor: String(from + pageSize) };
      return { objects: page, ...rest };
    },
    get: async (key, options) => {
      const bytes = objects.get(key);
      if (bytes === undefined) return null;
      const { offset = 0, length = bytes.length } = options?.range ?? {};
      return { arrayBuffer: async () => bytes.slice(offset, offset + length).buffer as ArrayBuffer };
    },
    put: async (key: string, value: Uint8Array | string, options?: PutOptions) => {
      if (options?.onlyIf !== undefined && objects.has(key)) return null;
      notes.set(key, options?.customMetadata ?? {});
      objects.set(key, typeof value === "string" ? new TextEncoder().encode(value) : value.slice());
      return { key };
    },
    delete: async (keys) => {
      for (const key of keys) objects.delete(key);
    },
  };
}

/** The same, counting what R2 would bill. */
export function meteredArchive(bucket: ArchiveBucket, meter: Metered): ArchiveBucket {
  return meteredR2(bucket as unknown as R2Bucket, meter) as unknown as ArchiveBucket;
}
