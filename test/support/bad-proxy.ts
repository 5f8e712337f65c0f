// The network at its worst, in front of the real collector: a request is passed on and takes effect, and then the client
// does not hear about it. It gets an error, or its socket is cut before the answer or in the middle of it. Which of these
// happens to which request is a list that the test gives; when the list is used up, every answer comes through.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const MISHAPS = ["500", "429", "cut before the answer", "cut in the answer"] as const;
export type Mishap = (typeof MISHAPS)[number];

export interface BadProxy {
  readonly url: string;
  /** What happens to the next requests, in order. */
  readonly mishaps: Mishap[];
  /** What the collector really answered, request by request. */
  readonly answers: { readonly status: number; readonly body: string }[];
  stop(): Promise<void>;
}

export async function startBadProxy(target: string): Promise<BadProxy> {
  const mishaps: Mishap[] = [];
  const answers: BadProxy["answers"] = [];
  const server = createServer((request, response) => {
    void pass(request, target).then((answer) => {
      answers.push(answer);
      answerBadly(response, answer, mishaps.shift());
    });
  });
  await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
  const { port } = server.address() as AddressInfo;
  const stop = () =>
    new Promise<void>((settle) => {
      server.closeAllConnections();
      server.close(() => settle());
    });
  return { url: `http://127.0.0.1:${port}`, mishaps, answers, stop };
}

/** The collector has committed when this resolves. */
async function pass(request: IncomingMessage, target: string): Promise<{ status: number; body: string }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const headers = { "user-agent": request.headers["user-agent"] ?? "" };
  const response = await fetch(target + request.url, { method: "POST", headers, body: Buffer.concat(chunks) });
  return { status: response.status, body: await response.text() };
}

function answerBadly(response: ServerResponse, { status, body }: { status: number; body: string }, mishap?: Mishap) {
  if (mishap === "500") response.writeHead(500).end("oops");
  else if (mishap === "429") response.writeHead(429, { "Retry-After": "0" }).end();
  else if (mishap === "cut before the answer") response.destroy();
  else if (mishap === "cut in the answer") {
    response.writeHead(status, { "Content-Type": "application/json", "Content-Length": body.length });
    response.write(body.slice(0, Math.ceil(body.length / 2)), () => response.destroy());
  } else response.writeHead(status, { "Content-Type": "application/json" }).end(body);
}
