// The methods of an R2 bucket that reading and sealing the archive use, and two things that many callers do: read a
// listing page by page, and delete many keys. The simulation has a stand-in for it.

import { assert } from "../../core/outcome.ts";

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** `include`: R2 lists the metadata of objects only when asked for it. */
interface ListOptions {
  prefix: string;
  cursor?: string;
  delimiter?: string;
  include?: "customMetadata"[];
}

export interface ArchiveBucket {
  list(options: ListOptions): Promise<Listing>;
  /** The whole object, or a range of it. */
  get(key: string, options?: { range: ByteRange }): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
  put(
    key: string,
    value: Uint8Array<ArrayBuffer> | string,
    options?: { readonly customMetadata: Record<string, string> },
  ): Promise<unknown>;
  delete(keys: string[]): Promise<void>;
}

/** The archive of a Worker that binds its bucket. */
export function archiveOf({ bucket }: { readonly bucket: R2Bucket }): Archive {
  return { bucket: archiveBucketOf(bucket) };
}

/** Wraps a bucket of R2. R2's own types have more than the archive needs, in unions that TypeScript cannot match. */
export function archiveBucketOf(bucket: R2Bucket): ArchiveBucket {
  return {
    get: (key, options) => bucket.get(key, options),
    put: (key, value, options) => bucket.put(key, value, options),
    delete: (keys) => bucket.delete(keys),
    list: async (options) => {
      const page = await bucket.list(options);
      const { objects, delimitedPrefixes } = page;
      return page.truncated
        ? { objects, delimitedPrefixes, truncated: true, cursor: page.cursor }
        : { objects, delimitedPrefixes, truncated: false };
    },
  };
}

export interface ListedObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** When it was written. */
  readonly uploaded?: Date;
  /** The metadata that was stored with it. */
  readonly customMetadata?: Record<string, string>;
}

export interface Listing {
  readonly objects: readonly ListedObject[];
  readonly delimitedPrefixes?: readonly string[];
  readonly truncated: boolean;
  readonly cursor?: string;
}

/** Where the archive is read from. */
export interface Archive {
  readonly bucket: ArchiveBucket;
}

/** Keys that one call may delete. */
const DELETED_MAX = 1_000;

/** The pages of a listing. */
export async function* pagesOf({ bucket }: Archive, options: Omit<ListOptions, "cursor">): AsyncGenerator<Listing> {
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ ...options, ...(cursor === undefined ? {} : { cursor }) });
    yield page;
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
}

/** Every key under a prefix, in order, with its size in bytes. */
export async function listKeys(
  archive: Archive,
  prefix: string,
  include: ListOptions["include"] = [],
): Promise<readonly ListedObject[]> {
  const found: ListedObject[] = [];
  for await (const page of pagesOf(archive, { prefix, include })) found.push(...page.objects);
  return found;
}

/** The bytes of an object or of a range of it; undefined when there is no such object. */
export async function readObject(
  { bucket }: { readonly bucket: Pick<ArchiveBucket, "get"> },
  key: string,
  range?: ByteRange,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const object = await (range === undefined ? bucket.get(key) : bucket.get(key, { range }));
  return object === null ? undefined : new Uint8Array(await object.arrayBuffer());
}

/**
 * The same, but it throws where there is no object. Only sealing and erasure delete objects. A reader that came too
 * late finds the new objects when it asks again.
 */
export async function readObjectOf(archive: Archive, key: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readObject(archive, key, range);
  assert(bytes !== undefined, `${key} is where the archive says`);
  return bytes;
}

export async function putObject(
  { bucket }: Archive,
  key: string,
  value: Uint8Array<ArrayBuffer> | string,
): Promise<void> {
  await bucket.put(key, value);
}

/** Deletes keys. Keys that are already gone do no harm. R2 does not bill deletes. */
export async function deleteKeys({ bucket }: Archive, keys: readonly string[]): Promise<void> {
  for (let start = 0; start < keys.length; start += DELETED_MAX) {
    await bucket.delete(keys.slice(start, start + DELETED_MAX));
  }
}
