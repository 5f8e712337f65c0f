// footfall backup bucket | recover bucket: a second copy of the bucket in a folder, and the way back. A copy is made by
// key and ETag: what the folder has already is not read again, so a run that was stopped goes on where it was. A file
// lies under its object's key, as rclone lays it; what a file's system does not keep (ETag, metadata) is in an index
// beside them. An object that is gone from the bucket stays in the copy for a week, and is then deleted there as well:
// what was erased must not stay for good.

import { createHash } from "node:crypto";
import { createReadStream, openAsBlob } from "node:fs";
import { appendFile, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { isCopiedKey } from "../../core/archive/object-key.ts";
import { messageOf, Problem } from "../problem.ts";
import { startMeter } from "../progress.ts";
import { askAdmin, type Connection, openAdmin, putAdmin } from "./connection.ts";

/** What the copy knows of an object. */
interface Copied {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
  /** MD5 of the file, in hex. */
  readonly md5: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Since when the bucket has it no more; ISO 8601. */
  readonly missing_since?: string;
}

/** An object as the API lists it. */
type Listed = Omit<Copied, "md5" | "missing_since">;

interface CopyState {
  /** When the last run that came to its end began: what is older is in the copy. */
  readonly copied_at: string;
}

const INDEX = "footfall-objects.ndjson";
const STATE = "footfall-copy.json";
const AT_ONCE = 8;
/** For so long the copy keeps what the bucket has no more. docs/operate.md says so. */
const MISSING_KEPT_MS = 7 * 86_400_000;
/** Lines of the index that are written at once: what is copied and not in it is copied once more. */
const INDEX_LINES = 200;

/** What a run has come to. */
interface CopyEnd {
  readonly folder: string;
  readonly objects: number;
  readonly copied: number;
  readonly bytes: number;
  readonly deleted: number;
  readonly copied_at: string;
}

export async function copyBucket(
  connection: Connection,
  { to, anyway }: { readonly to: string; readonly anyway: boolean },
): Promise<CopyEnd> {
  const beganAt = new Date();
  await mkdir(to, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw new Problem(`${to} cannot be the folder of a copy (${messageOf(error)}); name another`);
  });
  const known = await readIndex(to);
  const listed = await listBucket(connection);
  const there = new Map(listed.map((object) => [object.key, object]));
  const left = [...known.values()].filter(({ missing_since: since }) => since === undefined);
  const missing = left.filter(({ key }) => !there.has(key));
  if (!anyway && missing.length > MISSING_SHARE_MAX * left.length && missing.length > MISSING_MIN) {
    throw new Problem(
      `the bucket lacks ${missing.length} of the ${left.length} objects that ${to} has: is it lost? ` +
        "`footfall doctor` says so. Nothing was changed in the copy; with --anyway it follows the bucket",
    );
  }
  const wanted = listed.filter(({ key, etag }) => known.get(key)?.etag !== etag);
  const bytes = await copyAll(connection, { to, wanted, known });
  const deleted = await forgetMissing(to, { known, there, now: beganAt });
  await writeFile(join(to, INDEX), [...known.values()].map((one) => `${JSON.stringify(one)}\n`).join(""));
  const state: CopyState = { copied_at: beganAt.toISOString() };
  await writeFile(join(to, STATE), `${JSON.stringify(state)}\n`);
  return { folder: to, objects: there.size, copied: wanted.length, bytes, deleted, copied_at: state.copied_at };
}

/** More than so large a share of the copy is not deleted from a bucket within a run's interval. */
const MISSING_SHARE_MAX = 0.5;
const MISSING_MIN = 20;

async function listBucket(connection: Connection): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  for (let after: string | null = ""; after !== null; ) {
    const from: string = after === "" ? "" : `?after=${encodeURIComponent(after)}`;
    const page = (await askAdmin(connection, "GET", `/api/v1/bucket${from}`)) as {
      readonly objects: readonly Listed[];
      readonly next: string | null;
    };
    found.push(...page.objects);
    after = page.next;
  }
  return found;
}

interface Copying {
  readonly to: string;
  readonly wanted: readonly Listed[];
  readonly known: Map<string, Copied>;
}

/** Copies objects, and notes each in the index. Returns how many bytes they are. */
async function copyAll(connection: Connection, { to, wanted, known }: Copying): Promise<number> {
  const meter = startMeter("copied", wanted.length);
  let [bytes, done] = [0, 0];
  let lines: Copied[] = [];
  const flush = async () => {
    const some = lines;
    lines = [];
    if (some.length > 0) await appendFile(join(to, INDEX), some.map((one) => `${JSON.stringify(one)}\n`).join(""));
  };
  try {
    await inTurns(wanted, async (object) => {
      const copied = await copyOne(connection, to, object);
      if (copied !== undefined) {
        known.set(copied.key, copied);
        lines.push(copied);
        bytes += copied.bytes;
        if (lines.length >= INDEX_LINES) await flush();
      }
      done += 1;
      meter.update(done);
    });
  } finally {
    meter.stop();
    await flush();
  }
  return bytes;
}

/** Undefined where it is gone since it was listed. */
async function copyOne(
  connection: Connection,
  to: string,
  { key, etag: listed, metadata }: Listed,
): Promise<Copied | undefined> {
  let response: Response;
  try {
    response = await openAdmin(connection, `/api/v1/bucket/object?key=${encodeURIComponent(key)}`);
  } catch (error) {
    if (error instanceof Problem && error.message.includes(" answers 404")) return undefined;
    throw error;
  }
  const path = pathOf(to, key);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(`${path}${PART}`, "w", 0o600);
  const hash = createHash("md5");
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      hash.update(chunk);
      bytes += chunk.length;
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  const md5 = hash.digest("hex");
  // What is between may pass on no header of ours. An object that was put since it was listed is copied once more then.
  const etag = response.headers.get("footfall-etag") ?? (listed === md5 ? listed : "");
  // Of an object that was put at once the ETag is its MD5.
  if (/^[0-9a-f]{32}$/.test(etag) && etag !== md5)
    throw new Problem(`${key} came with other bytes than R2 has (MD5 ${md5}, not ${etag}); run this again`);
  await rename(`${path}${PART}`, path);
  return { key, bytes, etag, md5, metadata };
}

/** Of a file that is being written. No key ends so. */
const PART = ".footfall-part";

/** Notes what the bucket has no more, and deletes what it has not had for a week. */
async function forgetMissing(
  to: string,
  { known, there, now }: { known: Map<string, Copied>; there: ReadonlyMap<string, Listed>; now: Date },
): Promise<number> {
  let deleted = 0;
  for (const copied of [...known.values()]) {
    const { missing_since: since, ...found } = copied;
    if (there.has(copied.key)) known.set(copied.key, found);
    else if (since === undefined) known.set(copied.key, { ...found, missing_since: now.toISOString() });
    else if (now.getTime() - Date.parse(since) > MISSING_KEPT_MS) {
      await rm(pathOf(to, copied.key), { force: true });
      known.delete(copied.key);
      deleted += 1;
    }
  }
  return deleted;
}

/** The last line of a key counts. A run that was killed may have left half a line. */
async function readIndex(folder: string): Promise<Map<string, Copied>> {
  const known = new Map<string, Copied>();
  const text = await readFile(join(folder, INDEX), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw new Problem(`${join(folder, INDEX)} cannot be read (${messageOf(error)})`);
  });
  for (const line of text.split("\n")) {
    const one = parse(line);
    if (one !== undefined) known.set(one.key, one);
  }
  return known;
}

function parse(line: string): Copied | undefined {
  try {
    const one = JSON.parse(line) as Copied;
    return isCopiedKey(one.key) ? one : undefined;
  } catch {
    return undefined;
  }
}

function pathOf(folder: string, key: string): string {
  return join(folder, ...key.split("/"));
}

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** What a recovery has come to. */
interface BucketEnd {
  readonly put_back: number;
  readonly damaged: readonly string[];
  readonly copied_at: string | null;
  readonly claims: number;
  readonly records: number;
  readonly imports: number;
  readonly days: number;
  readonly doubted: number;
  readonly cleaned: number;
  readonly months: number;
}

type Found = Omit<BucketEnd, "put_back" | "damaged" | "copied_at">;

export async function recoverBucket(
  connection: Connection,
  { from, copiedAt: given }: { readonly from: string | undefined; readonly copiedAt: string | undefined },
): Promise<BucketEnd> {
  const back = from === undefined ? { put_back: 0, damaged: [] } : await putBack(connection, from);
  const copiedAt = given ?? (from === undefined ? undefined : await readCopiedAt(from));
  const body = copiedAt === undefined ? {} : { copied_at: copiedAt };
  let all: Found = { claims: 0, records: 0, imports: 0, days: 0, doubted: 0, cleaned: 0, months: 0 };
  for (let step: string | null | undefined; step !== null; ) {
    const asked = { ...body, ...(step !== undefined && { step }) };
    const { next, ...found } = (await askAdmin(connection, "POST", "/api/v1/recover/bucket", asked)) as Found & {
      readonly next: string | null;
    };
    all = sumOf(all, found);
    if (found.days > 0) console.error(`${all.days} Days looked at, ${all.doubted} of them in doubt`);
    step = next;
  }
  return { ...back, copied_at: copiedAt ?? null, ...all };
}

function sumOf(one: Found, other: Found): Found {
  const names = Object.keys(one) as (keyof Found)[];
  return Object.fromEntries(names.map((name) => [name, one[name] + other[name]])) as unknown as Found;
}

/**
 * Puts back what the bucket lacks and the copy has. Manifests come last, as a seal writes them: what has one is whole.
 * What the bucket has is newer, and stays.
 */
async function putBack(
  connection: Connection,
  from: string,
): Promise<{ readonly put_back: number; readonly damaged: readonly string[] }> {
  const known = await readIndex(from);
  const keys = known.size > 0 ? [...known.keys()] : await listFiles(from);
  const there = new Set((await listBucket(connection)).map(({ key }) => key));
  const isWanted = (key: string) => !there.has(key) && known.get(key)?.missing_since === undefined;
  const wanted = keys.filter((key) => isWanted(key)).sort((a, b) => rankOf(a) - rankOf(b));
  if (keys.length === 0) throw new Problem(`${from} has no copy of a bucket: no file in it has the key of an object`);
  const meter = startMeter("put back", wanted.length);
  const damaged: string[] = [];
  let [put, done] = [0, 0];
  try {
    for (const some of [0, 1, 2].map((rank) => wanted.filter((key) => rankOf(key) === rank)))
      await inTurns(some, async (key) => {
        const md5 = await digestOf(pathOf(from, key));
        const copied = known.get(key);
        if (md5 === undefined || (copied !== undefined && copied.md5 !== md5)) damaged.push(key);
        else {
          const metadata = JSON.stringify(copied?.metadata ?? {});
          const query = new URLSearchParams({ key, md5, metadata });
          const path = `/api/v1/bucket/object?${query}`;
          const answer = (await putAdmin(connection, path, await openAsBlob(pathOf(from, key)))) as { put: boolean };
          if (answer.put) put += 1;
        }
        done += 1;
        meter.update(done);
      });
  } finally {
    meter.stop();
  }
  return { put_back: put, damaged };
}

function rankOf(key: string): number {
  return key.endsWith("/manifest.json") || /^backup\/directory\/[^/]+\.json$/.test(key)
    ? 2
    : key.endsWith(".part.json")
      ? 1
      : 0;
}

/** Undefined where there is no file. */
async function digestOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) return undefined;
  const hash = createHash("md5");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** The keys of a copy that rclone has made. */
async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    throw new Problem(`${folder} cannot be read (${messageOf(error)})`);
  });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return files.map((path) => relative(folder, path).split(sep).join("/")).filter((key) => isCopiedKey(key));
}

async function readCopiedAt(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, STATE), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as CopyState).copied_at;
}

export function toCopyText(answer: unknown): string {
  const { folder, objects, copied, bytes, deleted, copied_at } = answer as CopyEnd;
  const gone = deleted > 0 ? `; ${deleted} that the bucket has had no more for a week were deleted` : "";
  return [
    `${folder} is a copy of the bucket as of ${copied_at}: ${objects} objects, ${copied} of them new (${bytes} bytes)${gone}`,
    "keep it where no token of the deployment can write: footfall recover bucket --from <folder> puts it back",
  ].join("\n");
}

export function toBucketText(answer: unknown): string {
  const { put_back, damaged, copied_at, claims, records, imports, days, doubted, cleaned, months } =
    answer as BucketEnd;
  const some = damaged.slice(0, DAMAGED_SHOWN).join(", ");
  return [
    `${put_back} objects were put back; what was there stays`,
    ...(damaged.length > 0
      ? [`${damaged.length} files of the copy are damaged or gone, and were left out: ${some}`]
      : []),
    `numbers are claimed as the directory knows them (${claims} had no claim): none is given twice`,
    ...(records > 0 ? [`${records} records of erasures and of what was revoked are there again`] : []),
    ...(imports > 0 ? [`${imports} parts of imported rollups were written from ledgers`] : []),
    `${days} closed Days were looked at: ${doubted} are compared with their numbers first, of ${cleaned} some files go again`,
    ...(months > 0 ? [`${months} month files are gone: their numbers are counted from events`] : []),
    ...(put_back + doubted === 0
      ? []
      : [
          `lost are events that came after ${copied_at ?? "any copy"}, but for those that partitions have in their logs`,
          "whose events of a Day are lost: footfall archive days --from … --to … shows of how many merchants, once it is sealed",
        ]),
  ].join("\n");
}

const DAMAGED_SHOWN = 10;
