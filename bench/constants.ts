// What was measured, as the capacity plan uses it: each constant with the bench it comes from and where it was rounded.
// Measured again, they are changed here, and the table of docs/scale.md with them.

export const MEASURED = {
  /** bench/cost, long tail at 45 hits a second and partition: row writes of one commit and all that goes with it. */
  rowsPerCommit: 1.03,
  /** core/limits.ts: how long a commit waits for company, in s, and for how many events at most. */
  commitWaitS: 0.25,
  commitEventsMax: 16,
  /** bench/archive: bytes of an event in a bundle message, as sealed Parquet; bundles of about so many events. */
  messageBytesPerEvent: 48,
  archiveBytesPerEvent: 29,
  eventsPerBundle: 1_300,
  /**
   * test/workers/collector/peak: what overflows as one message where an isolate has 120 hits a second; with more of
   * them, more.
   */
  hitsPerOverflowMessage: 6.8,
  /** bench/cost: calls of the seal and of its reads for each event. */
  sealClassA: 0.00009,
  sealClassB: 0.0028,
  /** bench/ingest: CPU of a request of one event, in ms. */
  workerCpuMs: 0.22,
  /** bench/partition --day, HOURS=20: what a partition of the plan holds in memory at most in its busiest Hour. */
  openBytes: 34_000_000,
  /** The same, for each event of a Day that is not over: its filters, 2 B a key. */
  filterBytesPerEvent: 2.7,
  /** bench/partition: events a second that a partition appends, alone on a busy core. */
  appendEventsPerSecond: 20_000,
  /**
   * bench/blocks, a shop's traffic: bytes of a merchant's Day by its events. The row of the Day; its Hours' rows; and
   * its share of a block of ten Days, Hours as totals in it, where one merchant in ten has first-party ids.
   */
  dayRowBytes: [
    [20, 2_380],
    [100, 6_784],
    [1_000, 32_079],
    [10_000, 94_117],
  ],
  hourRowsBytes: [
    [20, 5_691],
    [100, 21_083],
    [1_000, 127_184],
    [10_000, 834_912],
  ],
  blockBytes: [
    [20, 743],
    [100, 1_877],
    [1_000, 7_080],
    [10_000, 24_775],
  ],
  /** bench/months: bytes of a merchant-Day that D1 keeps where its block lies in a month file, pages and index too. */
  movedBytes: 31,
  /** bench/months: objects that a question of a year reads, beyond what D1 has. */
  yearGets: 10,
  /** Pages of SQLite that are not full, and keys. */
  d1Overhead: 1.1,
  /** Days that are open at a time, all zones together (core/limits.ts, SEAL_AFTER_MS). */
  openDays: 3,
  /** bench/blocks: rows of D1 that packing a merchant's Day of 24 rows reads, most of them in what it checks. */
  packRowsRead: 840,
  /** Hours of a Day in which a merchant has anything: of 1,000 events 17 (bench/cost), of fewer as many as it has. */
  activeHours: 17,
  /** bench/partition --day --quick: bytes of checkpoint and layers for each event of an open Day. */
  checkpointBytesPerEvent: 70,
  /** bench/replay: CPU of counting and comparing an event again, ms; a seal does that once. */
  sealCpuMs: 0.023,
  /**
   * Statements to its ledger of a question whose answer is not remembered (test/workers/query/round-trips.test.ts);
   * rows that one of 30 Days reads; its CPU, ms (bench/query).
   */
  questionStatements: 2,
  questionRows: 33,
  questionCpuMs: 7,
} as const;

/**
 * Questions a second that a million merchants ask, on average and at the peak (the requirement: five million an hour).
 */
export const QUESTIONS = {
  perMerchantSecond: 1_389 / 1e6,
  peakPerMerchantSecond: 3_500 / 1e6,
  /** How many of them are of a year: nobody has measured it. */
  ofYearShare: 0.05,
} as const;

/** The platform's limits that a plan meets (core/limits.ts, and the platform's documentation). */
export const LIMITS = {
  /** What a partition may hold, as objects of a class share an isolate of 128 MB. */
  partitionStateBytes: 48e6,
  partitionRequestsPerSecond: 1_000,
  queueMessagesPerSecond: 5_000,
  d1Bytes: 10e9,
  /** Of all databases of an account, unless it is raised. */
  d1AccountBytes: 1e12,
  /** Short statements a second: a database has one thread. */
  d1StatementsPerSecond: 1_000,
  /** One writer: batches of 100 rows, each in some 50 ms. */
  d1RowsPerSecond: 2_000,
  /** Days are kept for so long, as the plan has it. */
  retentionDays: 400,
} as const;

/** Requests at the busiest hour, against the average. */
export const PEAK = 5;
