// The body of a request as text, for every Worker: never more of it in memory than it may have, and never an exception
// for what a client did. A connection that breaks in the middle, or a body that is not framed as announced, is the
// client's mistake and not ours. The collector's bodies may be packed; their own first bytes say so, because clients
// forget to.

export type Packing = "gzip" | "deflate";

/** What has a body: a request, or an answer that was asked for. */
type Sent = Pick<Request, "headers" | "body" | "text" | "arrayBuffer">;

export type RequestBody =
  | { readonly ok: true; readonly text: string; readonly packing?: Packing }
  | { readonly ok: false; readonly problem: "too_large" | "incomplete" };

/**
 * Reads at most `bytesMax` bytes, packed and unpacked. Invalid UTF-8 becomes U+FFFD, a byte order mark is left
 * out. Where a packed body `unpacks`, it is unpacked as it comes and no further than its bound, so a bomb costs
 * no more than a large body.
 */
export async function readBody(
  request: Sent,
  bytesMax: number,
  { unpacks = false }: { readonly unpacks?: boolean } = {},
): Promise<RequestBody> {
  const length = request.headers.get("content-length");
  if (length !== null && Number(length) > bytesMax) return { ok: false, problem: "too_large" };
  try {
    if (!unpacks) {
      // The platform holds a body to the length it announced.
      return toBody(length === null ? await readChunks(request.body, bytesMax) : await request.text());
    }
    const bytes =
      length === null ? await readBytes(request.body, bytesMax) : new Uint8Array(await request.arrayBuffer());
    if (bytes === undefined) return { ok: false, problem: "too_large" };
    const packing = packingOf(bytes);
    return packing === undefined ? { ok: true, text: UTF8.decode(bytes) } : await unpack(bytes, packing, bytesMax);
  } catch {
    return { ok: false, problem: "incomplete" };
  }
}

/** Keeps nothing between two whole texts. */
const UTF8 = new TextDecoder();

async function unpack(bytes: Uint8Array<ArrayBuffer>, packing: Packing, bytesMax: number): Promise<RequestBody> {
  const unpacked = new Response(bytes).body?.pipeThrough(new DecompressionStream(packing)) ?? null;
  const read = toBody(await readChunks(unpacked, bytesMax));
  return read.ok ? { ...read, packing } : read;
}

/**
 * What a body says of itself by its first bytes: gzip's 1f 8b, or zlib's header, which is a multiple of 31. No text of
 * a protocol begins so: JSON begins with a bracket, a form with the name of a field.
 */
export function packingOf(bytes: Uint8Array): Packing | undefined {
  const first = bytes[0] ?? 0;
  const second = bytes[1] ?? 0;
  if (first === 0x1f && second === 0x8b) return "gzip";
  return first === 0x78 && (first * 256 + second) % 31 === 0 ? "deflate" : undefined;
}

function toBody(text: string | undefined): RequestBody {
  return text === undefined ? { ok: false, problem: "too_large" } : { ok: true, text };
}

/** A body whose length is not known; undefined as soon as it is too large. */
async function readChunks(body: ReadableStream | null, bytesMax: number): Promise<string | undefined> {
  if (body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body as ReadableStream<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) return undefined; // leaving the loop cancels the stream
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** The same as bytes. */
async function readBytes(body: ReadableStream | null, bytesMax: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as ReadableStream<Uint8Array>) {
    length += chunk.byteLength;
    if (length > bytesMax) return undefined; // leaving the loop cancels the stream
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
