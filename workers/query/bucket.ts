// Admin requests about the bucket as a whole: a list of its objects and the bytes of each, for a second copy of it; an
// object of such a copy that is put back where there is none; and what makes the deployment whole again after the
// bucket was lost (storage/bucket-recovery.ts). docs/operate.md says how a copy is made, and that one of a large
// deployment is made with rclone.

import type { Context } from "hono";
import { isCopiedKey } from "../../core/archive/object-key.ts";
import { BUCKET_PAGE_MAX, COPIED_METADATA_LENGTH_MAX } from "../../core/limits.ts";
import { archiveOf } from "../../storage/archive/bucket.ts";
import { type BucketStep, parseBucketStep, recoverBucket } from "../../storage/bucket-recovery.ts";
import { raiseEpoch } from "../../storage/directory/epoch.ts";
import { sendDue } from "../../storage/seal-due.ts";
import type { Deps } from "./deps.ts";
import { CURSOR, type Field, INSTANT, required, wholeNumber } from "./field.ts";
import { parseJson } from "./json.ts";
import { refusedBehind } from "./new-number.ts";
import { findPartitions } from "./operations.ts";
import { type Checked, problem } from "./problem.ts";
import { bodyOf, type FileReply, parametersOf, type Reply } from "./request.ts";

const KEY: Field<string, false> = {
  required: false,
  expected: "the key of an object that a copy of the bucket holds, as GET /api/v1/bucket lists it",
  schema: { type: "string", maxLength: 1_024, examples: ["numbers/epoch"] },
  parse: (value) => (typeof value === "string" && isCopiedKey(value) ? value : undefined),
};
const MD5: Field<string, false> = {
  required: false,
  expected: "the MD5 of the object's bytes, in 32 hex digits",
  schema: { type: "string", pattern: "^[0-9a-f]{32}$" },
  parse: (value) => (typeof value === "string" && /^[0-9a-f]{32}$/.test(value) ? value : undefined),
};
const METADATA: Field<Record<string, string>, false> = {
  required: false,
  expected: `a JSON object of texts, of at most ${COPIED_METADATA_LENGTH_MAX} characters`,
  schema: { type: "string", maxLength: COPIED_METADATA_LENGTH_MAX },
  parse: (value) => {
    if (typeof value !== "string" || value.length > COPIED_METADATA_LENGTH_MAX) return undefined;
    const read = parseJson(value);
    if (!read.ok || typeof read.value !== "object" || read.value === null || Array.isArray(read.value))
      return undefined;
    const entries = Object.entries(read.value as Record<string, unknown>);
    // What a header can hold, as R2 keeps it.
    const isPlain = ([name, text]: (typeof entries)[number]) =>
      /^[a-z_]{1,64}$/.test(name) && name !== "__proto__" && typeof text === "string" && /^[ -~]*$/.test(text);
    return entries.every(isPlain) ? (Object.fromEntries(entries) as Record<string, string>) : undefined;
  },
};
const STEP: Field<string, false> = {
  required: false,
  expected: "what the answer before had as `next`",
  schema: { type: "string", maxLength: 300 },
  parse: (value) => (typeof value === "string" && value.length <= 300 ? value : undefined),
};
export const BUCKET_PAGE = { after: CURSOR, limit: wholeNumber(1, BUCKET_PAGE_MAX) };
export const BUCKET_OBJECT = { key: required(KEY) };
export const NEW_BUCKET_OBJECT = { key: required(KEY), md5: required(MD5), metadata: METADATA };
export const BUCKET_RECOVERY = { copied_at: INSTANT, step: STEP };

/** GET /api/v1/bucket?after&limit: the objects that a copy holds, in the order of their keys. */
export async function getBucket(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const page = parametersOf(c, BUCKET_PAGE);
  if (!page.ok) return page;
  const { after, limit = BUCKET_PAGE_MAX } = page.value;
  const from = after === undefined ? {} : { startAfter: after };
  const listed = await deps.bucket.list({ ...from, limit, include: ["customMetadata"] });
  const objects = listed.objects
    .filter(({ key }) => isCopiedKey(key))
    .map(({ key, size, etag, uploaded, customMetadata = {} }) => ({
      key,
      bytes: size,
      etag,
      uploaded_at: uploaded.toISOString(),
      metadata: customMetadata,
    }));
  const next = listed.truncated ? (listed.objects.at(-1)?.key ?? null) : null;
  return { ok: true, value: { body: { objects, next } } };
}

/** GET /api/v1/bucket/object?key: its bytes. */
export async function getBucketObject(c: Context, deps: Deps): Promise<Checked<FileReply>> {
  const asked = parametersOf(c, BUCKET_OBJECT);
  if (!asked.ok) return asked;
  const { key } = asked.value;
  const object = await deps.bucket.get(key);
  if (object === null) return problem("not_found", "There is no object of this key.", "key");
  const bytes = object.body as ReadableStream<Uint8Array>;
  const name = key.split("/").at(-1) ?? "object";
  const headers = { "footfall-etag": object.etag };
  return {
    ok: true,
    value: { file: { contentType: "application/octet-stream", name, headers, bytes: chunksOf(bytes) } },
  };
}

async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) yield chunk;
}

/**
 * PUT /api/v1/bucket/object?key&md5&metadata with the bytes as its body: puts an object back. One that is there stays
 * as it is, since it is newer.
 */
export async function putBucketObject(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const asked = parametersOf(c, NEW_BUCKET_OBJECT);
  if (!asked.ok) return asked;
  const { key, md5, metadata = {} } = asked.value;
  if (c.req.header("content-length") === undefined)
    return problem("invalid_body", "The body must be the object's bytes, with a Content-Length.");
  const options = { md5, customMetadata: metadata, onlyIf: { etagDoesNotMatch: "*" } };
  try {
    const put = await deps.bucket.put(key, c.req.raw.body ?? new Uint8Array(), options);
    return { ok: true, value: { body: { key, put: put !== null } } };
  } catch (error) {
    // R2 names its code: 10037 is a digest that the bytes have not.
    if (!/MD5|10037/.test(String(error))) throw error;
    return problem("invalid_field", "The body has another MD5 than this.", "md5");
  }
}

/**
 * POST /api/v1/recover/bucket {"copied_at"?,"step"?}: makes the deployment whole again after the bucket was lost, a
 * step at a time, once a copy was put back. While the answer has a `next`, ask again with that as `step`. `copied_at`
 * is when the copying began. A repeat is harmless.
 */
export async function postBucketRecovery(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const body = await bodyOf(c, BUCKET_RECOVERY);
  if (!body.ok) return body;
  const { copied_at: copiedAt, step: text } = body.value;
  let step: BucketStep | undefined;
  if (text !== undefined) {
    step = parseBucketStep(text, deps.ledgers.all.length);
    if (step === undefined) return problem("invalid_field", `"step" must be ${STEP.expected}.`, "step");
  }
  // A directory that is behind is recovered first: its numbers are not all that were given.
  const behind = await refusedBehind(deps);
  if (behind !== undefined) return behind;
  const recovery = { ...deps, ...archiveOf(deps), claims: deps, partitions: () => findPartitions(deps) };
  const { next, ...found } = await recoverBucket(step, copiedAt, recovery);
  if (next === null) {
    await raiseEpoch(deps);
    await deps.background.backUpDirectory();
    await sendDue(deps);
  }
  return { ok: true, value: { status: 202, body: { ...found, next: next === null ? null : JSON.stringify(next) } } };
}
