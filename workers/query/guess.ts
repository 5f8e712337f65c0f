// A limit for made-up keys, links and sessions. Each of them is looked up in the database, and the limits by credential
// count only credentials that exist. So an address that has sent many wrong credentials is closed for a while. What it
// sends is refused before anything of the request is read. Credentials that were good lately are still answered from a
// closed address, so that a guesser does not lock out others behind it.

import type { Context, Next } from "hono";
import { CREDENTIALS_KEPT_MAX, CREDENTIALS_KEPT_MS, RATE_LIMIT_PERIOD_SECONDS } from "../../core/limits.ts";
import { hashKey } from "../../storage/directory/credential.ts";
import { customerKey } from "../../storage/rate-limit.ts";
import { bearerOf } from "./authorize.ts";
import type { Deps } from "./deps.ts";
import type { AddressLimit } from "./limit.ts";
import { sessionTokenOf } from "./membership.ts";
import { isAdminToken } from "./principal.ts";

/** Texts that are remembered until an instant (UTC ms). When there are too many, the oldest ones are forgotten. */
class Lately {
  readonly #until = new Map<string, number>();

  has(text: string, now: number): boolean {
    return (this.#until.get(text) ?? 0) > now;
  }

  delete(text: string): void {
    this.#until.delete(text);
  }

  add(text: string, until: number): void {
    this.#until.delete(text); // moved to the end: the first one is the oldest
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
  /** Counts a wrong credential. Returns whether its address may send more. */
  readonly admits: AddressLimit;
}

export const GUESSING = `This address has sent too many wrong credentials. Ask again after the ${RATE_LIMIT_PERIOD_SECONDS} seconds of Retry-After.`;

export interface Guessing {
  readonly deps: Deps;
  readonly refuse: () => Response;
  /** The credential of the request, if it is neither a bearer nor a session. */
  readonly credential?: string;
  /** Whether a credential was good or wrong, as the answer shows. Undefined where the answer does not show it. */
  readonly judge?: () => "good" | "wrong" | undefined;
}

/** Answers a request by `next`, or by `refuse` where its address is closed for guessing. */
export async function limitGuesses(
  c: Context,
  next: Next,
  { deps, refuse, credential: named, judge = () => judgedByStatus(c) }: Guessing,
): Promise<Response | undefined> {
  const { guessLimit: limit, now } = deps;
  const credential = named ?? bearerOf(c.req.header("authorization")) ?? sessionTokenOf(c);
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
  if (judged !== "wrong") return undefined;
  good.delete(hash);
  if (!(await limit.admits(`guess ${address}`))) closed.add(address, now() + RATE_LIMIT_PERIOD_SECONDS * 1_000);
  return undefined;
}

/** The judgement for a path that answers anybody. There success says nothing about a credential that was sent. */
export function judgedAsOpen(c: Context): "wrong" | undefined {
  return c.res.status === 401 ? "wrong" : undefined;
}

function judgedByStatus(c: Context): "good" | "wrong" | undefined {
  if (c.res.ok) return "good";
  return c.res.status === 401 ? "wrong" : undefined;
}
