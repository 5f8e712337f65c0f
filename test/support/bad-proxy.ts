// The network at its worst, in front of the real collector: a request is passed on and takes effect, and then
// the client does not hear about it. It gets an error, or its socket is cut before the answer or in the
// middle of it. Which of these happens to which request is a list that the test gives; when the list is used
// up, every answer comes through.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const MISHAPS = ["500", "429", "cut before the answer", "cut in the answer"] as const;
export type Mishap = (typeof MISHAPS)[number];

export interface BadProxy {
  readonly url: string;
  /** What happens to the next requests, in order. */
  readonly mishaps: Mishap[];
  /** What was sent and what the collector really answered, request by request. */
  readonly answers: { readonly sent: Buffer; readonly status: number; readonly body: string }[];
  stop(): Promise<void>;
}

export async function startBadProxy(target: string): Promise<BadProxy> {
  const mishaps: Mishap[] = [];
  const answers: BadProxy["answers"] = [];
  const server = createServer((request, response) => {
    void pass(request, target).then((answer) => {
      // A browser that asks whether it may send, or a client that asks how it is configured, has sent nothing yet.
      const isAsking = request.method === "OPTIONS" || /^\/(sourceConfig|array|static|flags)\//.test(request.url ?? "");
      if (!isAsking) answers.push(answer);
      answerBadly(response, answer, isAsking ? undefined : mishaps.shift());
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

interface Passed {
  readonly sent: Buffer;
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a request says of itself that its receiver needs. */
const PASSED_ON = [
  "user-agent",
  "content-type",
  "content-encoding",
  "authorization",
  "origin",
  "access-control-request-method",
  "access-control-request-headers",
];

/** The collector has committed when this resolves. */
async function pass(request: IncomingMessage, target: string): Promise<Passed> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const headers: Record<string, string> = { "user-agent": "" };
  for (const name of PASSED_ON) if (typeof request.headers[name] === "string") headers[name] = request.headers[name];
  const method = request.method ?? "GET";
  const sent = Buffer.concat(chunks);
  const body = method === "POST" ? { body: sent as Uint8Array<ArrayBuffer> } : {};
  const response = await fetch(target + request.url, { method, headers, ...body });
  const origin = [...response.headers].filter(([name]) => /^(access-control-.*|content-type)$/.test(name));
  return { sent, status: response.status, body: await response.text(), headers: Object.fromEntries(origin) };
}

function answerBadly(response: ServerResponse, { status, body, headers }: Passed, mishap?: Mishap) {
  if (mishap === "500") response.writeHead(500, headers).end("oops");
  else if (mishap === "429") response.writeHead(429, { ...headers, "Retry-After": "0" }).end();
  else if (mishap === "cut before the answer") response.destroy();
  else if (mishap === "cut in the answer") {
    response.writeHead(status, { ...headers, "Content-Length": body.length });
    response.write(body.slice(0, Math.ceil(body.length / 2)), () => response.destroy());
  } else response.writeHead(status, headers).end(body);
}
