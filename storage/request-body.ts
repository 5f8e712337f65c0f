// The body of a request as text, for both Workers: never more of it in memory than it may have, and never an exception for
// what a client did. A connection that breaks in the middle, or a body that is not framed as announced, is the client's
// mistake and not ours.

export type RequestBody =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: "too_large" | "incomplete" };

/**
 * Reads at most `bytesMax` bytes, packed and unpacked. Invalid UTF-8 becomes U+FFFD, a byte order mark is left out. A body
 * said to be gzip is unpacked as it comes and no further than its bound, so a bomb costs no more than a large body.
 */
export async function readBody(
  request: Pick<Request, "headers" | "body" | "text">,
  bytesMax: number,
  packing?: "gzip",
): Promise<RequestBody> {
  const length = request.headers.get("content-length");
  if (length !== null && Number(length) > bytesMax) return { ok: false, problem: "too_large" };
  try {
    if (packing !== undefined) {
      const unpacked = request.body?.pipeThrough(new DecompressionStream(packing)) ?? null;
      return toBody(await readChunks(unpacked, bytesMax));
    }
    // The platform holds a body to the length it announced.
    const text = length === null ? await readChunks(request.body, bytesMax) : await request.text();
    return toBody(text);
  } catch {
    return { ok: false, problem: "incomplete" };
  }
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
