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
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(inBytes);
      const folderOf = (key: string) => {
        const cut = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
        return cut < 0 ? undefined : key.slice(0, cut + 1);
      };
      // A folder is one entry, wherever its keys are.
      const entries = [...new Map(keys.map((key) => [folderOf(key) ?? key, folderOf(key)]))];
      const from = Number(cursor ?? 0);
      const page = entries.slice(from, from + pageSize);
      const own = page
        .filter(([, folder]) => folder === undefined)
        .map(([key]) => {
          const customMetadata = notes.get(key);
          const note = include.includes("customMetadata") && customMetadata !== undefined ? { customMetadata } : {};
          return { key, size: objects.get(key)?.length ?? 0, ...note };
        });
      const delimitedPrefixes = page.flatMap(([, folder]) => folder ?? []);
      const rest = { truncated: from + pageSize < entries.length, cursor: String(from + pageSize) };
      return { objects: own, delimitedPrefixes, ...rest };
    },
    get: async (key, options) => {
      const bytes = objects.get(key);
      if (bytes === undefined) return null;
      const { offset = 0, length = bytes.length } = options?.range ?? {};
      const isSatisfiable = options?.range === undefined || (length > 0 && offset < bytes.length);
      if (!isSatisfiable) throw new Error(`get: the range ${offset}+${length} of ${key} is not satisfiable`);
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

/** R2 sorts by the bytes of keys: a character beyond 65,535 comes after all others. */
function inBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The same, counting what R2 would bill. */
export function meteredArchive(bucket: ArchiveBucket, meter: Metered): ArchiveBucket {
  return meteredR2(bucket as unknown as R2Bucket, meter) as unknown as ArchiveBucket;
}
