// A request as the collector takes it, by whichever way it comes: with its address cut in two once, and free of the
// router, whose context, middleware and answers take 15 µs of a hit. Nothing of it is believed yet.

import type { CollectorEnv } from "./env.ts";

export interface Incoming {
  readonly request: Request;
  /** The request's: the platform makes an object of them when it is first asked. */
  readonly headers: Headers;
  readonly env: CollectorEnv;
  /** Such as "/v1/events". */
  readonly path: string;
  /** The query string without its question mark. */
  readonly query: string;
  /** Lets work go on after the answer. */
  readonly later: (work: Promise<void>) => void;
}

export function incomingOf(
  request: Request,
  env: CollectorEnv,
  context: Pick<ExecutionContext, "waitUntil">,
): Incoming {
  const { url } = request;
  const start = url.indexOf("/", url.indexOf("://") + "://".length);
  const question = url.indexOf("?", start);
  return {
    request,
    headers: request.headers,
    env,
    path: url.slice(start, question < 0 ? undefined : question),
    query: question < 0 ? "" : url.slice(question + 1),
    later: (work) => context.waitUntil(work),
  };
}

/** A header of the request, "" where it is not there. */
export function headerOf({ headers }: Incoming, name: string): string {
  return headers.get(name) ?? "";
}
