// The body of a request as text, for every Worker. Memory never holds more of it than a body may have, and a client's
// mistake is never an exception. Such a mistake is a connection that breaks in the middle, or a body that is not framed
// as announced. The collector's bodies may be packed. That is told by their first bytes, because clients forget to send
// the header.

export type Packing = "gzip" | "deflate";

/** Something with a body: a request, or the response to one of ours. */
type Sent = Pick<Request, "headers" | "body" | "text" | "arrayBuffer">;

export type RequestBody =
  | { readonly ok: true; readonly text: string; readonly packing?: Packing }
  | {
      readonly ok: false;
      readonly problem: "too_large" | "incomplete";
      /** Bytes of work that it was: as many as a body may have, or those that came before it ended. */
      readonly bytes: number;
    };

/**
 * Reads at most `bytesMax` bytes, packed and unpacked. Invalid UTF-8 becomes U+FFFD, and a byte order mark is left out.
 * With `unpacks` a packed body is unpacked as it comes, and no further than `bytesMax`. So a small body that unpacks to
 * gigabytes costs no more than a large body.
 */
export async function readBody(
  request: Sent,
  bytesMax: number,
  { unpacks = false }: { readonly unpacks?: boolean } = {},
): Promise<RequestBody> {
  const length = request.headers.get("content-length");
  if (length !== null && Number(length) > bytesMax) return tooLarge(bytesMax);
  const read = { bytes: 0 };
  try {
    if (!unpacks) {
      // The platform ends a body at the length that it announced.
      if (length !== null) return { ok: true, text: await request.text() };
      return toBody(await readChunks(request.body, { bytesMax, read }), bytesMax);
    }
    const bytes =
      length === null ? await readBytes(request.body, { bytesMax, read }) : new Uint8Array(await request.arrayBuffer());
    if (bytes === undefined) return tooLarge(bytesMax);
    const packing = packingOf(bytes);
    if (packing === undefined) return { ok: true, text: UTF8.decode(bytes) };
    read.bytes = 0;
    return await unpack(bytes, packing, { bytesMax, read });
  } catch {
    return { ok: false, problem: "incomplete", bytes: read.bytes };
  }
}

function tooLarge(bytesMax: number): RequestBody {
  return { ok: false, problem: "too_large", bytes: bytesMax };
}

interface Reading {
  readonly bytesMax: number;
  /** Bytes that have come. They are counted where a body breaks, too. */
  readonly read: { bytes: number };
}

/** One decoder for all: it keeps no state between two whole texts. */
const UTF8 = new TextDecoder();

async function unpack(bytes: Uint8Array<ArrayBuffer>, packing: Packing, reading: Reading): Promise<RequestBody> {
  const unpacked = new Response(bytes).body?.pipeThrough(new DecompressionStream(packing)) ?? null;
  const body = toBody(await readChunks(unpacked, reading), reading.bytesMax);
  return body.ok ? { ...body, packing } : body;
}

/**
 * How a body is packed, told by its first bytes: gzip's 1f 8b, or zlib's header, which is a multiple of 31. No text of
 * a protocol begins like this: JSON begins with a bracket, a form with the name of a field.
 */
export function packingOf(bytes: Uint8Array): Packing | undefined {
  const first = bytes[0] ?? 0;
  const second = bytes[1] ?? 0;
  if (first === 0x1f && second === 0x8b) return "gzip";
  return first === 0x78 && (first * 256 + second) % 31 === 0 ? "deflate" : undefined;
}

function toBody(text: string | undefined, bytesMax: number): RequestBody {
  return text === undefined ? tooLarge(bytesMax) : { ok: true, text };
}

/** Reads a body of unknown length as text; undefined as soon as it is too large. */
async function readChunks(body: ReadableStream | null, { bytesMax, read }: Reading): Promise<string | undefined> {
  if (body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body as ReadableStream<Uint8Array>) {
    read.bytes += chunk.byteLength;
    if (read.bytes > bytesMax) return undefined; // leaving the loop cancels the stream
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Reads a body of unknown length as bytes; undefined as soon as it is too large. */
async function readBytes(
  body: ReadableStream | null,
  { bytesMax, read }: Reading,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  for await (const chunk of body as ReadableStream<Uint8Array>) {
    read.bytes += chunk.byteLength;
    if (read.bytes > bytesMax) return undefined; // leaving the loop cancels the stream
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(read.bytes);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
