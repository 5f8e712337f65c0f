// The query Worker: answers questions, and consumes the queues. Wiring only.

import { archive } from "../../queues/archive.ts";
import { storeDeadLetters } from "../../queues/dead-letter.ts";
import { deliverOverflow } from "../../queues/overflow.ts";
import { unpackOverflow } from "../../storage/overflow-message.ts";
import { app } from "./app.ts";
import { type Deps, depsOf } from "./deps.ts";
import type { QueryEnv } from "./env.ts";
import { alertDeadLetters } from "./operations.ts";

type Consumer = (batch: MessageBatch<unknown>, deps: Deps, env: QueryEnv) => Promise<void>;

/** What consumes a queue, by the queue's name in wrangler.toml. */
const CONSUMERS: Readonly<Record<string, Consumer>> = {
  "footfall-archive": (batch, deps) =>
    archive(batch, { ...deps, confirm: (name, first) => deps.partition(name).confirm(first) }),
  "footfall-archive-dead-letter": storeDeadLetters,
  "footfall-overflow": (batch, deps, env) =>
    deliverOverflow(batch, {
      ...deps,
      append: (partition, arrivals) => deps.partition(partition).append({ partition, arrivals }),
      unpack: (bytes) => unpackOverflow(bytes, secretsOf(env)),
    }),
  "footfall-overflow-dead-letter": storeDeadLetters,
};

export default {
  fetch: app.fetch,

  async queue(batch, env) {
    const consume = CONSUMERS[batch.queue];
    if (consume === undefined) throw new Error(`no consumer for the queue ${batch.queue}`);
    await consume(batch, depsOf(env), env);
  },

  async scheduled(_, env) {
    await alertDeadLetters(depsOf(env));
  },
} satisfies ExportedHandler<QueryEnv>;

function secretsOf({ TRACKING_SECRET, TRACKING_SECRET_PREVIOUS }: QueryEnv): readonly string[] {
  return TRACKING_SECRET_PREVIOUS ? [TRACKING_SECRET, TRACKING_SECRET_PREVIOUS] : [TRACKING_SECRET];
}
