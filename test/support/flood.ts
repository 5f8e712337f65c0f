// A flood beside quiet neighbours, measured: quiet merchants of one pool partition send a hit at a time, and in every
// second phase another merchant of the same partition sends batches at a fixed rate, whether they are answered or not.
// Calm and flooded phases take turns in one run, so that whatever else the machine does weighs on both alike.

import { type Client, type Merchant, untilArchived } from "./services.ts";

export interface FloodPlan {
  readonly quiet: readonly Merchant[];
  readonly flooder: Merchant;
  /** One calm and one flooded phase each. */
  readonly rounds: number;
  readonly phaseMs: number;
  readonly floodEventsPerSecond: number;
  readonly batchEvents: number;
}

export interface FloodMeasured {
  /** How long quiet merchants waited for their acknowledgements, in ms, in ascending order. */
  readonly calmMs: readonly number[];
  readonly floodedMs: readonly number[];
  readonly floodAnswersMs: readonly number[];
  /** Events acknowledged. */
  readonly quietEvents: ReadonlyMap<Merchant, number>;
  readonly floodEvents: number;
  /** Statuses other than 202. */
  readonly refused: readonly number[];
}

/** A quiet merchant pauses this long between two hits. */
const QUIET_PAUSE_MS = 40;

export async function measureFlood(client: Client, plan: FloodPlan): Promise<FloodMeasured> {
  const calm: number[] = [];
  const flooded: number[] = [];
  const floodAnswers: number[] = [];
  const refused: number[] = [];
  const quietEvents = new Map(plan.quiet.map((merchant) => [merchant, 0]));
  let floodEvents = 0;
  const record = (latencies: number[]) => ({ latencies, refused, quietEvents });
  await quietPhase(client, plan, record([])); // what is slow only once: settings, tables, compilation
  for (let round = 0; round < plan.rounds; round++) {
    await quietPhase(client, plan, record(calm));
    const bodies = floodBodies(plan, round);
    const flood = floodPhase(client, bodies, { plan, answers: floodAnswers, refused });
    await quietPhase(client, plan, record(flooded));
    await flood;
    floodEvents += bodies.length * plan.batchEvents;
    await untilArchived(client); // the flood's traces must not weigh on the next calm phase
  }
  return {
    calmMs: ascending(calm),
    floodedMs: ascending(flooded),
    floodAnswersMs: ascending(floodAnswers),
    quietEvents,
    floodEvents,
    refused,
  };
}

/** The value below which a share of an ascending list lies. */
export function percentile(values: readonly number[], share: number): number {
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}

interface QuietRecord {
  readonly latencies: number[];
  readonly refused: number[];
  readonly quietEvents: Map<Merchant, number>;
}

async function quietPhase(client: Client, { quiet, phaseMs }: FloodPlan, record: QuietRecord): Promise<void> {
  const end = performance.now() + phaseMs;
  await Promise.all(
    quiet.map(async (merchant) => {
      while (performance.now() < end) {
        const start = performance.now();
        const { status } = await client.send({ tracking_id: merchant.tracking_id, url: "https://quiet.example/" });
        record.latencies.push(performance.now() - start);
        if (status !== 202) record.refused.push(status);
        record.quietEvents.set(merchant, (record.quietEvents.get(merchant) ?? 0) + 1);
        await sleep(QUIET_PAUSE_MS);
      }
    }),
  );
}

/** Sends a batch whenever it is time for one, and waits for all answers only at the end. */
async function floodPhase(
  client: Client,
  bodies: readonly string[],
  { plan, answers, refused }: { plan: FloodPlan; answers: number[]; refused: number[] },
): Promise<void> {
  const start = performance.now();
  const sent: Promise<void>[] = [];
  for (let index = 0; index < bodies.length; index++) {
    const due = start + (index * plan.phaseMs) / bodies.length;
    if (due > performance.now()) await sleep(due - performance.now());
    const from = performance.now();
    sent.push(
      client.send(bodies[index]).then(({ status }) => {
        answers.push(performance.now() - from);
        if (status !== 202) refused.push(status);
      }),
    );
  }
  await Promise.all(sent);
}

/** Made before the phase: this process must not be busy writing JSON while it measures. */
function floodBodies({ flooder, batchEvents, floodEventsPerSecond, phaseMs }: FloodPlan, round: number): string[] {
  const batches = Math.round((floodEventsPerSecond * phaseMs) / 1_000 / batchEvents);
  return Array.from({ length: batches }, (_, batch) => {
    const events = Array.from({ length: batchEvents }, (_, index) => ({
      id: `flood ${round} ${batch} ${index}`,
      url: `https://flood.example/${index % 50}`,
      visitor_id: `visitor ${(batch * batchEvents + index) % 500}`,
    }));
    return JSON.stringify({ tracking_id: flooder.tracking_id, events });
  });
}

function ascending(values: readonly number[]): readonly number[] {
  return [...values].sort((a, b) => a - b);
}

function sleep(ms: number): Promise<void> {
  return new Promise((settle) => setTimeout(settle, ms));
}
