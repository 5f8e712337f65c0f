// The message of the queue footfall-replay names one (Day, partition) of a job. It does not say what to do. The job's
// state says that when the message is delivered. So a late or repeated message does not repeat finished work.

import { assert } from "../outcome.ts";

export interface ReplayPart {
  readonly job: string;
  /** Number of the local date. */
  readonly day: number;
  readonly partition: string;
}

/** A message's body as JSON gives it back. Throws on anything else. */
export function decodePart(body: unknown): ReplayPart {
  const { job, day, partition } = (body ?? {}) as Record<string, unknown>;
  assert(typeof job === "string" && typeof partition === "string", "a replay's part names its job and partition");
  assert(Number.isInteger(day), "a replay's part names its Day");
  return { job, day: day as number, partition };
}
