// HTTP by hand, for what `fetch` is too well-behaved to send: broken lengths, strange bytes in headers, half a body.
// The answer is read by hand as well, and no answer within ten seconds is a hang, which is an error.

import { connect } from "node:net";

const ANSWER_WITHIN_MS = 10_000;

export interface RawAnswer {
  /** 0 when the connection was closed without a word. */
  readonly status: number;
  readonly body: string;
}

/**
 * Sends bytes to a server and reads one answer. Resolves when the answer is complete or the server hangs up. `isAll`
 * says to the server that nothing more will come, so that it need not wait for the rest of a body.
 */
export function sendRaw(url: string, bytes: string | Uint8Array, isAll = false): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((settle, fail) => {
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true }, () => {
      if (isAll) socket.end(bytes);
      else socket.write(bytes);
    });
    const received: Buffer[] = [];
    const finish = () => {
      socket.destroy();
      settle(answerOf(Buffer.concat(received)));
    };
    socket.setTimeout(ANSWER_WITHIN_MS, () => {
      socket.destroy();
      fail(new Error(`no answer within ${ANSWER_WITHIN_MS} ms; received ${Buffer.concat(received).length} bytes`));
    });
    socket.on("data", (chunk: Buffer) => {
      received.push(chunk);
      if (isComplete(Buffer.concat(received).toString("latin1"))) finish();
    });
    socket.on("end", finish);
    socket.on("error", finish); // a reset: the server did not want to hear the rest
  });
}

/** A request line and headers. "Connection: close" makes the end of the answer the end of the connection. */
export function requestOf(method: string, path: string, headers: readonly string[] = []): string {
  return [`${method} ${path} HTTP/1.1`, "Host: localhost", "Connection: close", ...headers, "", ""].join("\r\n");
}

function isComplete(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end));
  if (length !== null) return text.length - end - 4 >= Number(length[1]);
  return text.endsWith("\r\n0\r\n\r\n");
}

function answerOf(bytes: Buffer): RawAnswer {
  const text = bytes.toString("utf8");
  const end = text.indexOf("\r\n\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
  const body = text.slice(end + 4);
  const chunked = /\r\ntransfer-encoding: *chunked/i.test(text.slice(0, end));
  return { status, body: chunked ? body.replace(/^[0-9a-f]+\r\n|\r\n[0-9a-f]+\r\n(?:\r\n)?/gi, "") : body };
}
