// A collector of forty lines for tests of what sends to it: it counts ids, and can be told to misbehave.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type Misbehaviour = "429" | "500 after counting" | "cut after counting" | "refuse tracking id";

export interface FakeCollector {
  readonly url: string;
  /** Everything sent, by id, in the order in which it was taken in. */
  readonly events: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly requests: () => number;
  /** So many requests were open at once, at most. */
  readonly openMost: () => number;
  stop(): Promise<void>;
}

/** Starts on a free port. `misbehave` and `delayMs` are asked with the number of the request, from 1. */
export async function startFakeCollector(
  misbehave: (request: number) => Misbehaviour | undefined = () => undefined,
  delayMs: (request: number) => number = () => 0,
): Promise<FakeCollector> {
  const events = new Map<string, Readonly<Record<string, unknown>>>();
  let requests = 0;
  let open = 0;
  let openMost = 0;
  const server = createServer(async (request, response) => {
    const number = ++requests;
    const fault = misbehave(number);
    openMost = Math.max(openMost, ++open);
    response.once("close", () => void open--);
    let text = "";
    for await (const chunk of request) text += chunk;
    const sent = (JSON.parse(text) as { events: { id: string }[] }).events;
    await new Promise((settle) => setTimeout(settle, delayMs(number)));
    const answer = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
    if (fault === "429") return answer(429, {});
    if (fault === "refuse tracking id") {
      const rejected = sent.map((_, index) => ({
        index,
        code: "unknown_tracking_id",
        message: "tracking_id is unknown",
      }));
      return answer(400, { accepted: 0, duplicates: 0, dropped: [], rejected });
    }
    const before = events.size;
    for (const event of sent) if (!events.has(event.id)) events.set(event.id, event);
    if (fault === "500 after counting") return answer(500, {});
    if (fault === "cut after counting") return request.socket.destroy();
    const accepted = events.size - before;
    return answer(202, { accepted, duplicates: sent.length - accepted, dropped: [], rejected: [] });
  });
  await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
  const stop = () =>
    new Promise<void>((settle) => {
      server.close(() => settle());
      server.closeAllConnections();
    });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, events, requests: () => requests, openMost: () => openMost, stop };
}
