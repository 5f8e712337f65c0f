// The query Worker: answers questions, and consumes the queues. Wiring only.

import { app } from "./app.ts";
import { CONSUMERS } from "./consumers.ts";
import { depsOf } from "./deps.ts";
import type { QueryEnv } from "./env.ts";
import { alertDeadLetters } from "./operations.ts";

export default {
  fetch: app.fetch,

  async queue(batch, env) {
    const consume = CONSUMERS[batch.queue];
    if (consume === undefined) throw new Error(`no consumer for the queue ${batch.queue}`);
    await consume(batch, depsOf(env));
  },

  async scheduled(_, env) {
    await alertDeadLetters(depsOf(env));
  },
} satisfies ExportedHandler<QueryEnv>;
