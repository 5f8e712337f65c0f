// What neighbours notice of an attack: merchants of the same partition who send a hit at a time, and ask. Calm,
// innocent and hostile phases take turns in one run, in another order each round, so that whatever else the machine
// does weighs on all alike. Before each phase everything of the one before is archived.

import { type Client, type Merchant, untilArchived } from "../test/support/services.ts";
import type { Attack, Party, Sent } from "./attack.ts";
import { cpuMs, descendants } from "./measure.ts";

export const SIDES = ["calm", "innocent", "hostile"] as const;
export type Side = (typeof SIDES)[number];

export interface Phase {
  readonly hitsMs: readonly number[];
  readonly answersMs: readonly number[];
  /** Answers to the attacker, by status. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Neighbours who were answered otherwise than they should be. */
  readonly refused: number;
  /** What workerd worked meanwhile, in ms of a processor: of everybody's requests. */
  readonly cpuMs: number;
}

export interface World {
  readonly client: Client;
  readonly neighbours: readonly Merchant[];
  readonly parties: Readonly<Record<"innocent" | "hostile", Party>>;
}

/** A neighbour pauses so long between two hits, or two questions. */
const HIT_PAUSE_MS = 40;
const ASK_PAUSE_MS = 150;
const ASKING = 2;
/** Who is not answered by then is told as not answered. */
const ANSWER_MS_MAX = 60_000;

/** Each side once a round. */
export async function measureAttack(
  world: World,
  attack: Attack,
  { rounds, phaseMs }: { readonly rounds: number; readonly phaseMs: number },
): Promise<Readonly<Record<Side, readonly Phase[]>>> {
  const phases: Record<Side, Phase[]> = { calm: [], innocent: [], hostile: [] };
  const sides = SIDES.filter((side) => side !== "innocent" || attack.innocent !== undefined);
  await runPhase(world, [], 1_000); // what is slow only once: settings, tables, compilation
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < sides.length; turn++) {
      const side = sides[(turn + round) % sides.length] as Side;
      phases[side].push(await runPhase(world, requestsOf(world, attack, { side, round, phaseMs }), phaseMs));
      await untilArchived(world.client);
    }
  }
  return phases;
}

export function requestsOf(
  { parties }: World,
  { perSecond, hostile, innocent }: Attack,
  { side, round, phaseMs }: { readonly side: Side; readonly round: number; readonly phaseMs: number },
): readonly Sent[] {
  const make = side === "hostile" ? hostile : innocent;
  if (side === "calm" || make === undefined) return [];
  const count = Math.max(1, Math.round((perSecond * phaseMs) / 1_000));
  return Array.from({ length: count }, (_, index) => make(parties[side], round * count + index));
}

/** Sends what was made, and gives the status; 0 where no answer came in time. */
export async function send({ collectorUrl, queryUrl }: Client, { to, path, body, headers }: Sent): Promise<number> {
  const url = (to === "collector" ? collectorUrl : queryUrl) + path;
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  try {
    const response = await fetch(url, { method: "POST", body, headers, signal });
    await response.arrayBuffer();
    return response.status;
  } catch (error) {
    if (signal.aborted) return 0;
    throw error;
  }
}

async function runPhase(world: World, requests: readonly Sent[], phaseMs: number): Promise<Phase> {
  const { client, neighbours } = world;
  const end = performance.now() + phaseMs;
  const [hitsMs, answersMs]: [number[], number[]] = [[], []];
  const statuses: Record<number, number> = {};
  let refused = 0;
  const timed = async (sent: Sent, into: number[], expected: number) => {
    const start = performance.now();
    if ((await send(client, sent)) !== expected) refused += 1;
    into.push(performance.now() - start);
  };
  const hitting = neighbours.map(async (merchant, index) => {
    while (performance.now() < end) {
      await timed(hitOf(merchant, index), hitsMs, 202);
      await sleep(HIT_PAUSE_MS);
    }
  });
  const asking = neighbours.slice(0, ASKING).map(async (merchant) => {
    while (performance.now() < end) {
      await timed(questionOf(merchant), answersMs, 200);
      await sleep(ASK_PAUSE_MS);
    }
  });
  const processes = descendants("workerd");
  const before = cpuMs(processes);
  await Promise.all([...hitting, ...asking, attackWith(client, requests, { phaseMs, statuses })]);
  return { hitsMs, answersMs, statuses, refused, cpuMs: cpuMs(processes) - before };
}

/** Sends a request whenever it is time for one, and waits for all answers only at the end. */
async function attackWith(
  client: Client,
  requests: readonly Sent[],
  { phaseMs, statuses }: { readonly phaseMs: number; readonly statuses: Record<number, number> },
): Promise<void> {
  const start = performance.now();
  const sent: Promise<void>[] = [];
  for (const [index, request] of requests.entries()) {
    const due = start + (index * phaseMs) / requests.length;
    if (due > performance.now()) await sleep(due - performance.now());
    sent.push(
      send(client, request).then((status) => {
        statuses[status] = (statuses[status] ?? 0) + 1;
      }),
    );
  }
  await Promise.all(sent);
}

function hitOf({ tracking_id }: Merchant, index: number): Sent {
  return {
    to: "collector",
    path: "/v1/events",
    body: JSON.stringify({ tracking_id, url: `https://quiet.example/${Math.floor(Math.random() * 20)}` }),
    headers: { "x-footfall-address": `203.0.113.${index}` },
  };
}

/** As a dashboard asks: today, by page. */
export function questionOf({ id, api_key }: Merchant): Sent {
  return {
    to: "query",
    path: "/api/v2/query",
    body: JSON.stringify({
      site_id: id,
      metrics: ["visitors", "pageviews"],
      date_range: "day",
      dimensions: ["event:page"],
    }),
    headers: { authorization: `Bearer ${api_key}` },
  };
}

export function sleep(ms: number): Promise<void> {
  return new Promise((settle) => setTimeout(settle, ms));
}
