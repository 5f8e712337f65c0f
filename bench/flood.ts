// `npm run bench:flood`: what each attack of docs/security.md costs its neighbours; `npm run bench:flood -- late-days`
// tries one. In one pool partition with the limits of wrangler.toml on, quiet merchants send a hit at a time and ask,
// first calm, then beside an innocent load of the same size, then beside the attack (attack.ts, attacked.ts). All of it
// runs in one workerd thread here, the attacker's own parsing and questions too, which the platform would do in other
// isolates: the numbers are a worst case of that kind.

import { parseArgs } from "node:util";
import { percentile } from "../test/support/flood.ts";
import { type Client, type Merchant, startServices, until, untilArchived } from "../test/support/services.ts";
import { ATTACKS, type Attack, type Party, pastDate } from "./attack.ts";
import { measureAttack, type Phase, questionOf, requestsOf, type Side, send, sleep, type World } from "./attacked.ts";
import { COUNTERS } from "./counters.ts";
import { median, print } from "./measure.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 3);
const PHASE_MS = 1_500;
/** Of what is measured in worlds of its own. */
const ALSO_ROUNDS = Math.min(2, ROUNDS);
const QUIET = 5;
/** What neighbours may notice: the factor. */
const SLOWDOWN_MAX = 2;
/** Below this a wait is the noise of a machine that does something else as well. */
const NOISE_MS = 10;
/** Bundles and rollups are made between phases, as in production: not every 0.3 s, as tests have it. */
const VARS = { POOL_SIZE: "1", RATE_LIMITS: "on", DRAIN_AFTER_MS: "3000", PUBLISH_EVERY_MS: "60000" };

const { positionals } = parseArgs({ allowPositionals: true });
const unknown = positionals.filter((name) => !ATTACKS.some((attack) => attack.name === name));
if (unknown.length > 0) {
  console.error(`no such attack: ${unknown.join(", ")}. There are ${ATTACKS.map(({ name }) => name).join(", ")}.`);
  process.exit(2);
}
const rows: Record<string, string | number>[] = [];
const also: Record<string, string | number>[] = [];
const chosen = positionals.flatMap((name) => ATTACKS.filter((attack) => attack.name === name));
for (const attack of chosen.length === 0 ? ATTACKS : chosen) {
  const startedAt = performance.now();
  rows.push(await rowOf(attack));
  console.error(JSON.stringify(rows.at(-1)));
  if (attack.also === "late event") also.push(await lateEvent(attack));
  if (attack.also === "restart") also.push(await restart(attack));
  if (attack.also !== undefined) console.error(JSON.stringify(also.at(-1)));
  console.error(`${attack.name}: ${Math.round((performance.now() - startedAt) / 1_000)} s`);
}
print("flood", rows, { rounds: ROUNDS, phase_ms: PHASE_MS });
if (also.length > 0) print("flood-also", also);

async function rowOf(attack: Attack): Promise<Record<string, string | number>> {
  const { client, stop } = await startServices(VARS, { counters: COUNTERS });
  const world = await worldOf(client, attack);
  const phases = await measureAttack(world, attack, {
    rounds: ROUNDS,
    phaseMs: attack.phaseMs ?? PHASE_MS,
  });
  await stop();
  const all = (side: Side, what: "hitsMs" | "answersMs") => phases[side].flatMap((phase) => phase[what]);
  const at = (side: Side, what: "hitsMs" | "answersMs", share: number) =>
    percentile(
      [...all(side, what)].sort((a, b) => a - b),
      share,
    );
  const shown = (what: "hitsMs" | "answersMs", shares: readonly number[]) =>
    (["calm", "innocent", "hostile"] as const)
      .filter((side) => phases[side].length > 0)
      .map((side) => shares.map((share) => Math.round(at(side, what, share))).join("/"))
      .join(" → ");
  const ratios = {
    hits: ratioOf(phases, "hitsMs", "calm"),
    answers: ratioOf(phases, "answersMs", "calm"),
    hitsBeside: ratioOf(phases, "hitsMs", "innocent"),
    answersBeside: ratioOf(phases, "answersMs", "innocent"),
  };
  return {
    attack: attack.name,
    "hits p50/p95/p99 ms": shown("hitsMs", [0.5, 0.95, 0.99]),
    "of calm": ratios.hits,
    "of innocent": ratios.hitsBeside,
    "answers p50/p99 ms": shown("answersMs", [0.5, 0.99]),
    "of calm ": ratios.answers,
    "of innocent ": ratios.answersBeside,
    "CPU ms": (["calm", "innocent", "hostile"] as const)
      .filter((side) => phases[side].length > 0)
      .map((side) => Math.round(median(phases[side].map(({ cpuMs }) => cpuMs))))
      .join(" → "),
    "attacker hears": statusesOf(phases.hostile),
    "neighbours refused": [...phases.hostile, ...phases.innocent].reduce((sum, { refused }) => sum + refused, 0),
    verdict: verdictOf(ratios),
  };
}

/** The median of rounds: how many times as long the median wait is beside the attack as it is on another side. */
function ratioOf(phases: Readonly<Record<Side, readonly Phase[]>>, what: "hitsMs" | "answersMs", than: Side): number {
  const middle = (phase: Phase) => Math.max(NOISE_MS, median(phase[what]));
  const ratios = phases[than].map((phase, round) => middle(phases.hostile[round] as Phase) / middle(phase));
  return Math.round(10 * median(ratios)) / 10;
}

function verdictOf(ratios: Readonly<Record<"hits" | "answers" | "hitsBeside" | "answersBeside", number>>): string {
  if (Math.max(ratios.hits, ratios.answers) <= SLOWDOWN_MAX) return `within ${SLOWDOWN_MAX}x`;
  const beside = Math.max(ratios.hitsBeside, ratios.answersBeside);
  return beside <= SLOWDOWN_MAX ? `as any load of its size (${beside}x of it)` : "NOT within";
}

function statusesOf(phases: readonly Phase[]): string {
  const sums: Record<string, number> = {};
  for (const { statuses } of phases)
    for (const [status, count] of Object.entries(statuses)) sums[status] = (sums[status] ?? 0) + count;
  return Object.entries(sums)
    .map(([status, count]) => `${count} × ${status === "0" ? "none" : status}`)
    .join(", ");
}

async function worldOf(client: Client, attack: Attack): Promise<World> {
  const neighbours: Merchant[] = [];
  for (let index = 0; index < QUIET; index++) neighbours.push(await client.createMerchant());
  const parties = { innocent: await partyOf(client), hostile: await partyOf(client) };
  // Who asks for past Days beside an innocent load of today has events of its own alone.
  const prepared = attack.days === undefined ? Object.values(parties) : [parties.hostile];
  for (const party of prepared)
    for (const sent of attack.prepare?.(party) ?? []) {
      const status = await send(client, sent);
      if (status !== 202) throw new Error(`prepare: ${status}`);
    }
  await untilArchived(client);
  if (attack.days !== undefined) await untilCounted(client, parties.hostile.merchant, attack.days);
  return { client, neighbours, parties };
}

/** Waits until rollups have so many past Days of a merchant, and none is counted from events any more. */
async function untilCounted(client: Client, { id, tracking_id, api_key }: Merchant, days: number): Promise<void> {
  const question = {
    metrics: ["events"],
    date_range: [pastDate(days - 1), pastDate(0)],
    dimensions: ["time:day"],
  };
  const ask = async () => {
    await sleep(2_000);
    return client.ask({ id, tracking_id, api_key }, question);
  };
  const isCounted = ({ results, meta }: Awaited<ReturnType<typeof ask>>) =>
    results.length === days && (meta["sources"] as { readonly objects?: number }).objects === 0;
  await until(ask, isCounted, 500_000);
}

async function partyOf(client: Client): Promise<Party> {
  const merchant = await client.createMerchant();
  const share = { name: "a part", filters: [["contains", "event:page", ["/blog/"]]] };
  const { token } = (await client.admin("POST", `/api/v1/merchants/${merchant.id}/shares`, share)) as {
    token: string;
  };
  return { merchant, writeKey: await client.createWriteKey(merchant), readKey: merchant.api_key, link: token };
}

/**
 * A neighbour's late event: how long until a rollup holds it, calm and after a burst of either side,
 * each in a world of its own.
 */
async function lateEvent(attack: Attack): Promise<Record<string, string | number>> {
  const seconds: Record<Side, number[]> = { calm: [], innocent: [], hostile: [] };
  for (let round = 0; round < ALSO_ROUNDS; round++) {
    for (const side of ["calm", "innocent", "hostile"] as const) {
      const { client, stop } = await startServices(VARS, { counters: COUNTERS });
      const world = await worldOf(client, attack);
      for (const sent of requestsOf(world, attack, { side, round: 0, phaseMs: 5_000 })) await send(client, sent);
      seconds[side].push((await timeUntilCounted(client, world.neighbours[0] as Merchant)) / 1_000);
      await stop();
    }
  }
  const middle = (side: Side) => Math.round(10 * median(seconds[side])) / 10;
  return {
    attack: attack.name,
    what: "seconds until a neighbour's late event is in a rollup",
    calm: middle("calm"),
    innocent: middle("innocent"),
    hostile: middle("hostile"),
    "of calm": Math.round((10 * middle("hostile")) / middle("calm")) / 10,
  };
}

async function timeUntilCounted(client: Client, { tracking_id, id, api_key }: Merchant): Promise<number> {
  const day = new Date(Date.now() - 400 * 86_400_000).toISOString().slice(0, 10);
  const start = performance.now();
  const { body } = await client.send({ tracking_id, url: "https://quiet.example/", timestamp: `${day}T12:00:00Z` });
  if (body.accepted !== 1) throw new Error(`a neighbour's late event: ${JSON.stringify(body)}`);
  const question = { metrics: ["events"], date_range: [day, day] };
  await until(
    async () => await client.ask({ id, tracking_id, api_key }, question),
    ({ results, meta }) =>
      results[0]?.metrics[0] === 1 && (meta["sources"] as { readonly from: string }).from === "rollups",
    500_000,
  );
  return performance.now() - start;
}

/** The first answer to a neighbour after a restart, with 100,000 events of either side in the partition. */
async function restart(attack: Attack): Promise<Record<string, string | number>> {
  const worlds: Partial<Record<Side, number>> = {};
  for (const side of ["calm", "innocent", "hostile"] as const) {
    const services = await startServices(VARS, { counters: COUNTERS });
    const world = await worldOf(services.client, attack);
    for (const sent of requestsOf(world, attack, { side, round: 0, phaseMs: 7_143 })) await send(world.client, sent);
    await untilArchived(world.client);
    const firstMs: number[] = [];
    for (let round = 0; round < ALSO_ROUNDS; round++) {
      const { client } = await services.restart(VARS);
      await sleep(200);
      const start = performance.now();
      const status = await send(client, questionOf(world.neighbours[0] as Merchant));
      if (status !== 200) throw new Error(`the first answer: ${status}`);
      firstMs.push(performance.now() - start);
    }
    worlds[side] = Math.round(median(firstMs));
    await services.stop();
  }
  const { calm = 0, innocent = 0, hostile = 0 } = worlds;
  return {
    attack: attack.name,
    what: "ms until a neighbour's first answer after a restart",
    calm,
    innocent,
    hostile,
    "of calm": Math.round((10 * hostile) / calm) / 10,
  };
}
