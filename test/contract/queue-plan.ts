// Messages that say how their consumer is to end each of their deliveries, so that the platform's queue and its
// stand-in are given the same.

import type { QueueBatch } from "../../queues/message.ts";

export interface PlannedMessage {
  readonly name: string;
  /** Seconds after which each delivery asks to be retried, one after the other; the next one is acknowledged. */
  readonly retries: readonly number[];
}

export interface Delivery {
  readonly name: string;
  readonly id: string;
  readonly attempts: number;
  /** When, by the consumer's clock, ms. */
  readonly at: number;
  /** Messages of its batch. */
  readonly together: number;
}

/** The consumer: notes each delivery, and ends it as its message says. */
export function deliver(batch: QueueBatch, now: number, deliveries: Delivery[]): void {
  for (const message of batch.messages) {
    const bytes = message.body as Uint8Array<ArrayBuffer> | ArrayBuffer;
    const { name, retries }: PlannedMessage = JSON.parse(new TextDecoder().decode(bytes));
    const { id, attempts } = message;
    deliveries.push({ name, id, attempts, at: now, together: batch.messages.length });
    new Uint8Array(bytes).fill(0); // a consumer may do with a body what it likes: the next delivery has it whole
    const delaySeconds = retries[attempts - 1];
    if (delaySeconds === undefined) message.ack();
    else message.retry({ delaySeconds });
  }
}

/** Whether each message has come as often as it asked for. */
export function isDelivered(messages: readonly PlannedMessage[], deliveries: readonly Delivery[]): boolean {
  return messages.every(({ name, retries }) =>
    deliveries.some((delivery) => delivery.name === name && delivery.attempts > retries.length),
  );
}
