// The reader of request bodies: bounds in bytes, UTF-8 across chunks, and connections that break.

import { expect, test } from "vitest";
import { readBody } from "../../storage/request-body.ts";

/** A request whose body comes in these chunks, without a length; it breaks at the end where `breaks`. */
function requestOf(chunks: readonly Uint8Array[], breaks = false): { request: Request; pulled: () => number } {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks[pulled++];
      if (chunk !== undefined) controller.enqueue(chunk);
      else if (breaks) controller.error(new Error("connection lost"));
      else controller.close();
    },
  });
  const init = { method: "POST", body, duplex: "half" };
  return { request: new Request("http://a.example/", init as unknown as RequestInit), pulled: () => pulled };
}

const bytesOf = (text: string) => new TextEncoder().encode(text);

test("[HOS-4] a character cut by a chunk is whole again, a byte order mark is left out, and wrong bytes are marked", async () => {
  const euro = bytesOf("\ufeff12 €");
  const { request } = requestOf([euro.slice(0, -2), euro.slice(-2), Uint8Array.of(0xff)]);
  expect(await readBody(request, 100)).toEqual({ ok: true, text: "12 €\ufffd" });
});

test("[HOS-4] a body without an end is left as soon as it is too large", async () => {
  const { request, pulled } = requestOf(Array.from({ length: 1_000 }, () => new Uint8Array(1_000)));
  expect(await readBody(request, 5_000)).toEqual({ ok: false, problem: "too_large" });
  expect(pulled()).toBeLessThan(10);
});

test("[HOS-4] a body of exactly the bound is read, one byte more is not", async () => {
  for (const [length, ok] of [
    [10, true],
    [11, false],
  ] as const)
    expect((await readBody(requestOf([new Uint8Array(length)]).request, 10)).ok).toBe(ok);
});

test("[HOS-6] an announced length beyond the bound is refused unread; no body is an empty text", async () => {
  const announced = new Request("http://a.example/", {
    method: "POST",
    headers: { "content-length": "11" },
    body: "x",
  });
  expect(await readBody(announced, 10)).toEqual({ ok: false, problem: "too_large" });
  expect(await readBody(new Request("http://a.example/"), 10)).toEqual({ ok: true, text: "" });
});

test("[HOS-6] a connection that breaks in the middle is the client's mistake, not an exception", async () => {
  expect(await readBody(requestOf([bytesOf("{")], true).request, 10)).toEqual({ ok: false, problem: "incomplete" });
});
