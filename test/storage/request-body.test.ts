// The reader of request bodies: bounds in bytes, UTF-8 across chunks, and connections that break.

import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { packingOf, readBody } from "../../storage/request-body.ts";

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
  expect(await readBody(request, 5_000)).toEqual({ ok: false, problem: "too_large", bytes: 5_000 });
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
  expect(await readBody(announced, 10)).toEqual({ ok: false, problem: "too_large", bytes: 10 });
  expect(await readBody(new Request("http://a.example/"), 10)).toEqual({ ok: true, text: "" });
});

test("[HOS-6] a connection that breaks in the middle is the client's mistake, not an exception", async () => {
  expect(await readBody(requestOf([bytesOf("{")], true).request, 10)).toEqual({
    ok: false,
    problem: "incomplete",
    bytes: 1,
  });
});

const TEXT = '{"name":"größe"}';
const PACKED = [
  gzipSync(TEXT),
  gzipSync(TEXT, { level: 1 }),
  ...[0, 1, 6, 9].map((level) => deflateSync(TEXT, { level })),
];

test("[POS-3] a packed body is known by its first bytes, whatever chunks it comes in", async () => {
  for (const packed of PACKED) {
    for (const size of [1, 7, packed.length]) {
      const count = Math.ceil(packed.length / size);
      const chunks = Array.from({ length: count }, (_, at) => packed.subarray(at * size, (at + 1) * size));
      const read = await readBody(requestOf(chunks).request, 1_000, { unpacks: true });
      expect(read).toMatchObject({ ok: true, text: TEXT });
    }
    const framed = new Request("http://a.example/", {
      method: "POST",
      headers: { "content-length": String(packed.length) },
      body: new Uint8Array(packed),
    });
    expect(await readBody(framed, 1_000, { unpacks: true })).toMatchObject({ ok: true, text: TEXT });
  }
});

test("[POS-3] what unpacks to more than the bound is too large, and what ends early or is no packing is incomplete", async () => {
  const bomb = gzipSync(Buffer.alloc(1_000_000));
  const read = (bytes: Uint8Array) => readBody(requestOf([bytes]).request, 10_000, { unpacks: true });
  expect(await read(bomb)).toEqual({ ok: false, problem: "too_large", bytes: 10_000 });
  expect(await read(gzipSync(TEXT).subarray(0, 20))).toMatchObject({ ok: false, problem: "incomplete" });
  expect(await read(Uint8Array.of(0x1f, 0x8b, 1, 2, 3))).toEqual({ ok: false, problem: "incomplete", bytes: 0 });
});

test("[POS-3] no text of a protocol is taken for a packing", () => {
  for (const text of ["", "{", "[1]", " {}", "\ufeff{}", "en=page_view", "data=eyJ", "p=/", "x=1", "xen=1"])
    expect(packingOf(bytesOf(text))).toBeUndefined();
  expect(packingOf(deflateRawSync(TEXT))).toBeUndefined();
});

test("[HOS-4] where bodies are not unpacked, packed ones stay as they are", async () => {
  const read = await readBody(requestOf([gzipSync("{}")]).request, 100);
  expect(read.ok && read.text.startsWith("\u001f")).toBe(true);
});
