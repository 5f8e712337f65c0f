// The query Worker: answers questions, and consumes the queues. Wiring only.

import { driveErasures } from "../../queues/erasure.ts";
import { driveQuestions } from "../../queues/question.ts";
import { driveSeals } from "../../queues/seal.ts";
import { visitEach } from "../../storage/ledger/ledgers.ts";
import { forgetOverflow } from "../../storage/ledger/overflow-note.ts";
import { app } from "./app.ts";
import { forgetAudit } from "./audit.ts";
import { CONSUMERS, questionDeps, sealDeps } from "./consumers.ts";
import { depsOf } from "./deps.ts";
import type { QueryEnv } from "./env.ts";
import { claimKnownNumbers } from "./merchants.ts";
import { alertDeadLetters } from "./operations.ts";
import { fetchRates } from "./rate-fetch.ts";
import { driveReplays } from "./replays.ts";
import { forgetSessions } from "./sessions.ts";

export default {
  fetch: app.fetch,

  async queue(batch, env, ctx) {
    const consume = CONSUMERS[batch.queue];
    if (consume === undefined) throw new Error(`no consumer for the queue ${batch.queue}`);
    await consume(batch, depsOf(env, ctx));
  },

  async scheduled(_, env, ctx) {
    const deps = depsOf(env, ctx);
    await Promise.all([
      alertDeadLetters(deps),
      driveReplays(deps),
      driveErasures(deps),
      driveSeals(sealDeps(deps)),
      driveQuestions(questionDeps(deps)),
      fetchRates(deps),
      forgetAudit(deps),
      forgetSessions(deps),
      visitEach(deps.ledgers, (ledger) => forgetOverflow(ledger, deps.now()), deps.log),
      claimKnownNumbers(deps),
    ]);
  },
} satisfies ExportedHandler<QueryEnv>;
