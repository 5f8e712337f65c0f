// The body of a request as text, for both Workers: never more of it in memory than it may have, and never an exception for
// what a client did. A connection that breaks in the middle, or a body that is not framed as announced, is the client's
// mistake and not ours.

export type RequestBody =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: "too_large" | "incomplete" };

/** Reads at most `bytesMax` bytes. Invalid UTF-8 becomes U+FFFD, a byte order mark is left out. */
export async function readBody(request: Request, bytesMax: number): Promise<RequestBody> {
  const length = request.headers.get("content-length");
  if (length !== null && Number(length) > bytesMax) return { ok: false, problem: "too_large" };
  try {
    // The platform holds a body to the length it announced.
    const text = length === null ? await readChunks(request, bytesMax) : await request.text();
    return text === undefined ? { ok: false, problem: "too_large" } : { ok: true, text };
  } catch {
    return { ok: false, problem: "incomplete" };
  }
}

/** A body without a length; undefined as soon as it is too large. */
async function readChunks(request: Request, bytesMax: number): Promise<string | undefined> {
  if (request.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of request.body as ReadableStream<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) return undefined; // leaving the loop cancels the stream
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
