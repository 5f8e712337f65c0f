// What was measured, as the capacity plan uses it: each constant with the bench it comes from and where it was rounded.
// Measured again, they are changed here, and the table of docs/scale.md with them.

export const MEASURED = {
  /** bench/cost, long tail at 45 hits a second and partition: row writes of one commit and all that goes with it. */
  rowsPerCommit: 1.03,
  /** core/limits.ts: how long a commit waits for company, in s, and for how many events at most. */
  commitWaitS: 0.12,
  commitEventsMax: 16,
  /** bench/archive: bytes of an event in a bundle message, as sealed Parquet; bundles of about so many events. */
  messageBytesPerEvent: 48,
  archiveBytesPerEvent: 29,
  eventsPerBundle: 1_300,
  /** bench/cost: calls of the seal and of its reads for each event. */
  sealClassA: 0.00009,
  sealClassB: 0.0028,
  /** bench/ingest: CPU of a request of one event, in ms. */
  workerCpuMs: 0.22,
  /** bench/partition: what a partition of 10,000 merchants holds in memory for each event of a Day that is not over. */
  stateBytesPerEvent: 289,
  /** The same of 1,000 merchants or fewer. */
  stateBytesPerEventFew: 194,
  /** bench/partition: events a second that a partition appends, alone on a busy core. */
  appendEventsPerSecond: 20_000,
  /** bench/cost: the mean rollup of an Hour in D1, bytes (45 events of a small merchant). */
  rollupBytes: 2_650,
  /** Hours of a Day in which a long-tail merchant has anything: bench/cost, 1,000 events a Day. */
  activeHours: 17,
} as const;

/** The platform's limits that a plan meets (core/limits.ts, and the platform's documentation). */
export const LIMITS = {
  /** Memory of an isolate, of which code and buffers take the rest. */
  partitionStateBytes: 64e6,
  partitionRequestsPerSecond: 1_000,
  queueMessagesPerSecond: 5_000,
  d1Bytes: 10e9,
  /** One writer: batches of 100 rows, each in some 50 ms. */
  d1RowsPerSecond: 2_000,
  /** Bundles are kept beside sealed files for a day, Days for so long. */
  retentionDays: 400,
} as const;

/** Requests at the busiest hour, against the average. */
export const PEAK = 5;
