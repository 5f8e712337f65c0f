// Puts messages on the queues that more than one Worker sends to: parts of replay jobs, parts of large questions, and
// closed Days. Bundles and overflowed arrivals are sent by the collector alone, which does that itself.

import type { ReplayPart } from "../core/counting/replay-part.ts";
import { QUEUE_BATCH_MESSAGES_MAX } from "../core/limits.ts";
import type { Metered } from "../core/meter.ts";
import type { QuestionPart } from "../core/query/job.ts";
import type { SealPlace } from "./ledger/sealed-day.ts";

export interface ProducerEnv {
  readonly REPLAY_QUEUE: Queue;
  readonly SEAL_QUEUE: Queue;
  readonly QUESTION_QUEUE: Queue;
}

export interface Producer {
  readonly sendParts: (parts: readonly ReplayPart[]) => Promise<void>;
  readonly sendQuestions: (parts: readonly QuestionPart[], delaySeconds?: number) => Promise<void>;
  /** Sends closed Days to the seal queue, to be delivered after a delay. */
  readonly sendSeals: (places: readonly SealPlace[], delaySeconds: number) => Promise<void>;
  /** Sends open Days there, whose bundles are to be sorted into runs. */
  readonly sendRuns: (places: readonly SealPlace[]) => Promise<void>;
}

export function producerOf(env: ProducerEnv, meter: Metered): Producer {
  return {
    sendParts: (parts) => send(env.REPLAY_QUEUE, { bodies: parts, delaySeconds: 0 }, meter),
    sendQuestions: (parts, delaySeconds = 0) => send(env.QUESTION_QUEUE, { bodies: parts, delaySeconds }, meter),
    sendSeals: (places, delaySeconds) => send(env.SEAL_QUEUE, { bodies: places, delaySeconds }, meter),
    sendRuns: (places) => {
      const bodies = places.map((place) => ({ ...place, runs: true }));
      return send(env.SEAL_QUEUE, { bodies, delaySeconds: 0 }, meter);
    },
  };
}

/** Sends messages. A body has a few dozen bytes, so each is billed as one operation. */
async function send(
  queue: Queue,
  { bodies, delaySeconds }: { readonly bodies: readonly object[]; readonly delaySeconds: number },
  meter: Metered,
): Promise<void> {
  for (let start = 0; start < bodies.length; start += QUEUE_BATCH_MESSAGES_MAX) {
    const batch = bodies.slice(start, start + QUEUE_BATCH_MESSAGES_MAX);
    await queue.sendBatch(
      batch.map((body) => ({ body, contentType: "json" as const })),
      { delaySeconds },
    );
    meter.queue_operations += batch.length;
  }
}
