// The shape of a hit with nothing in it: the body is parsed, hits of a moment share one call of one object, and the
// object stores their texts as one row of its SQLite before any of them is answered. What Footfall takes beyond it is
// what it does with a hit: who sent it, whether it was told before, what it is, what it counts.

import { DurableObject } from "cloudflare:workers";
import { COALESCE_EVENTS_MAX, COALESCE_MS } from "../core/limits.ts";

export interface BareEnv {
  readonly BARE: DurableObjectNamespace<BareObject>;
}

/** One object for all hits: it keeps what it is sent, and answers how much that was. */
export class BareObject extends DurableObject {
  #next = 0;

  constructor(ctx: DurableObjectState, env: BareEnv) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS log (first INTEGER PRIMARY KEY, rows TEXT)");
  }

  append(count: number, rows: string): number {
    this.ctx.storage.sql.exec("INSERT OR REPLACE INTO log VALUES (?, ?)", this.#next, rows);
    this.#next += count;
    return count;
  }
}

/** Hits that share a call. */
interface Group {
  readonly texts: string[];
  readonly full: PromiseWithResolvers<void>;
  readonly shared: PromiseWithResolvers<number>;
  readonly reply: Promise<number>;
}

let gathering: Group | undefined;

export async function serveBare(request: Request, env: BareEnv, context: ExecutionContext): Promise<Response> {
  const text = await request.text();
  const { url } = JSON.parse(text) as { readonly url?: string };
  const known = gathering;
  const group = known ?? gather(env, context);
  group.texts.push(text);
  if (group.texts.length >= COALESCE_EVENTS_MAX) group.full.resolve();
  await (known === undefined ? group.reply : group.shared.promise);
  return new Response(JSON.stringify({ accepted: url === undefined ? 0 : 1 }), { status: 202, headers: HEADERS });
}

const HEADERS = { "content-type": "application/json" };

function gather(env: BareEnv, context: ExecutionContext): Group {
  const texts: string[] = [];
  const full = Promise.withResolvers<void>();
  const shared = Promise.withResolvers<number>();
  const call = async () => {
    const timer = setTimeout(full.resolve, COALESCE_MS);
    await full.promise;
    clearTimeout(timer);
    gathering = undefined;
    return env.BARE.getByName("one").append(texts.length, `[${texts.join(",")}]`);
  };
  const reply = call();
  reply.then(shared.resolve, shared.reject);
  context.waitUntil(reply.then(done, done));
  const group = { texts, full, shared, reply };
  gathering = group;
  return group;
}

function done(): void {}
