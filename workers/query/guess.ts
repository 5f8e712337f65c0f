// Made-up keys, links and sessions. Each is looked up in the database, and nothing else bounds them: a limit by
// credential counts only those that exist. So an address whose credentials were wrong so often is not looked up for a
// while, before anything of the request is read. Credentials that were good lately go on from there: who guesses beside
// others behind one address does not lock them out.

import type { Context, Next } from "hono";
import { CREDENTIALS_KEPT_MAX, CREDENTIALS_KEPT_MS, RATE_LIMIT_PERIOD_SECONDS } from "../../core/limits.ts";
import { hashKey } from "../../storage/directory/credential.ts";
import { customerKey } from "../../storage/rate-limit.ts";
import { bearerOf } from "./authorize.ts";
import type { Deps } from "./deps.ts";
import type { AddressLimit } from "./limit.ts";
import { sessionTokenOf } from "./membership.ts";
import { isAdminToken } from "./principal.ts";

/** Texts until an instant, UTC ms, the oldest of which are forgotten when there are too many. */
class Lately {
  readonly #until = new Map<string, number>();

  has(text: string, now: number): boolean {
    return (this.#until.get(text) ?? 0) > now;
  }

  add(text: string, until: number): void {
    this.#until.delete(text); // back at the end: the first one is the oldest
    this.#until.set(text, until);
    const [oldest] = this.#until.keys();
    if (this.#until.size > CREDENTIALS_KEPT_MAX && oldest !== undefined) this.#until.delete(oldest);
  }
}

/** What an isolate knows: addresses that guess, and credentials that were good, by hash. */
export class GuessMemory {
  readonly closed = new Lately();
  readonly good = new Lately();
}

export interface GuessLimit {
  readonly memory: GuessMemory;
  /** Counts a credential that was none. */
  readonly admits: AddressLimit;
}

export const GUESSING = `This address has sent too many wrong credentials. Ask again after the ${RATE_LIMIT_PERIOD_SECONDS} seconds of Retry-After.`;

export interface Guessing {
  readonly deps: Deps;
  readonly refuse: () => Response;
  /** What a credential has shown to be once it is answered; undefined where that is not known. */
  readonly judge?: () => "good" | "wrong" | undefined;
}

/** Answers a request of a credential by `next`, or by `refuse` where its address guesses. */
export async function limitGuesses(
  c: Context,
  next: Next,
  { deps, refuse, judge = () => judgedByStatus(c) }: Guessing,
): Promise<Response | undefined> {
  const { guessLimit: limit, now } = deps;
  const credential = bearerOf(c.req.header("authorization")) ?? sessionTokenOf(c);
  const address = customerKey(c.req.header("cf-connecting-ip") ?? "");
  if (limit === undefined || credential === undefined || address === "") return void (await next());
  const { closed, good } = limit.memory;
  const hash = hashKey(credential);
  if (closed.has(address, now()) && !good.has(hash, now()) && !isAdminToken(credential, deps)) {
    c.header("Retry-After", String(RATE_LIMIT_PERIOD_SECONDS));
    return refuse();
  }
  await next();
  const judged = judge();
  if (judged === "good") good.add(hash, now() + CREDENTIALS_KEPT_MS);
  else if (judged === "wrong" && !(await limit.admits(`guess ${address}`)))
    closed.add(address, now() + RATE_LIMIT_PERIOD_SECONDS * 1_000);
  return undefined;
}

function judgedByStatus(c: Context): "good" | "wrong" | undefined {
  if (c.res.ok) return "good";
  return c.res.status === 401 ? "wrong" : undefined;
}
