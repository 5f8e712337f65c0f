// A real HTTP server that takes what it is sent and answers as it is told to: a receiver of webhooks, a mail provider's
// API, or a resolver of names.

import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Taken {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  readonly url: string;
  readonly taken: Taken[];
  /** What it answers; `answer` instead where it is set. */
  readonly answers: { status: number; headers?: Record<string, string>; answer?: (to: ServerResponse) => void };
  readonly close: () => void;
}

export async function startReceiver(): Promise<Receiver> {
  const taken: Taken[] = [];
  const answers: Receiver["answers"] = { status: 200 };
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      taken.push({ path: request.url ?? "", headers: request.headers, body });
      if (answers.answer !== undefined) answers.answer(response);
      else response.writeHead(answers.status, answers.headers).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, taken, answers, close };
}
