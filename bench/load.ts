// Load on an HTTP server: so many connections, each of which sends its next request when the last was answered, for so
// long. It speaks HTTP/1.1 over plain sockets, because Node's own client takes more CPU than what it measures. Every
// answer is checked; nothing is retried.

import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly durationMs: number;
  /** The body of each request, asked for once a request. */
  readonly body: () => string;
  /** Sees each answer; throws where it is not what it should be. */
  readonly onAnswer: (answer: { readonly status: number; readonly body: string }) => void;
}

export interface Loaded {
  readonly requests: number;
  readonly ms: number;
  /** One for each request. */
  readonly latenciesMs: readonly number[];
}

export async function load(plan: Load): Promise<Loaded> {
  const { hostname, port } = new URL(plan.url);
  const sockets = Array.from({ length: plan.connections }, () => connect(Number(port), hostname).setNoDelay());
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  const start = performance.now();
  const latencies = await Promise.all(sockets.map((socket) => converse(socket, plan, start + plan.durationMs)));
  const ms = performance.now() - start;
  for (const socket of sockets) socket.destroy();
  const latenciesMs = latencies.flat();
  return { requests: latenciesMs.length, ms, latenciesMs };
}

/** One connection's requests, one after the other, until the time is over; answers how long each took. */
function converse(socket: Socket, { url, body, onAnswer }: Load, until: number): Promise<readonly number[]> {
  const { pathname, host } = new URL(url);
  const head = `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: ${AGENT}\r\nContent-Type: application/json\r\n`;
  const latencies: number[] = [];
  return new Promise((resolve, reject) => {
    let sentAt = 0;
    let received = "";
    const send = () => {
      const text = body();
      sentAt = performance.now();
      socket.write(`${head}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    };
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed a connection")));
    socket.on("data", (bytes) => {
      received += bytes.toString("latin1");
      const answer = parseAnswer(received);
      if (answer === undefined) return;
      received = "";
      const now = performance.now();
      latencies.push(now - sentAt);
      try {
        onAnswer(answer);
      } catch (error) {
        reject(error);
        return;
      }
      if (now < until) send();
      else resolve(latencies);
    });
    send();
  });
}

const AGENT =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/** A whole answer, or undefined while more of it is to come. */
function parseAnswer(text: string): { readonly status: number; readonly body: string } | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1];
  if (length === undefined) throw new Error(`an answer without a length: ${text.slice(0, end)}`);
  const body = text.slice(end + 4);
  return body.length < Number(length) ? undefined : { status: Number(text.slice(9, 12)), body };
}
