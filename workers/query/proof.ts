// GET /api/v1/merchants/:id/proof?from&to: what proves a merchant's numbers. The events of each Day are counted once
// more. The proof says whether questions are answered with the same numbers. It says how many events were received,
// counted and dropped, and for which reasons. It says which agents, networks, pages and referrers the dropped events
// had (PRF-4). It names the seals that have the events, each with the checksum of the merchant's own rows. It tells
// nothing about other merchants in the same file: no counts, sizes or differences of theirs (PRF-3).

import type { Context } from "hono";
import { sealName } from "../../core/archive/object-key.ts";
import { firstOpenDay } from "../../core/counting/closed.ts";
import { PROOF_DAYS_MAX, RATE_LIMIT_PERIOD_SECONDS } from "../../core/limits.ts";
import { accepted, type Outcome } from "../../core/outcome.ts";
import type { Answer } from "../../core/query/answer.ts";
import { type Budgets, EVENT_STEPS, openBudgets, spend } from "../../core/query/budget.ts";
import { type LeftOut, shownLeftOut } from "../../core/query/left-out.ts";
import { addRecount, addsUp, openRecount, type Recount } from "../../core/query/proof.ts";
import { parseQuestion } from "../../core/query/question.ts";
import { latestRules } from "../../core/rules.ts";
import { dateOf } from "../../core/time.ts";
import { readManifest } from "../../storage/archive/archive-day.ts";
import { archiveOf } from "../../storage/archive/bucket.ts";
import { keyOf } from "../../storage/archive/merchant-events.ts";
import type { Merchant } from "../../storage/directory/merchants.ts";
import { isolateHashKey } from "../../storage/hash-key.ts";
import { listUncounted } from "../../storage/ledger/places.ts";
import { findSeal, type SealPlace, type SealRow } from "../../storage/ledger/sealed-day.ts";
import { stateOf } from "./archive-days.ts";
import { emptyPurseOf, readingAs } from "./asker.ts";
import type { Deps } from "./deps.ts";
import { execute } from "./execute.ts";
import { DATE, required } from "./field.ts";
import { readCompleteUntil, readLive } from "./live.ts";
import { merchantOf } from "./merchants.ts";
import { actorOf, principalOf } from "./principal.ts";
import { type Checked, problem } from "./problem.ts";
import { parametersOf, type Reply } from "./request.ts";
import { type Cost, findPlaces, manifestReads, openPlaces, underOf } from "./scan.ts";
import { inTurn } from "./turn.ts";

export const PROOF = { from: required(DATE), to: required(DATE) };

/** How many steps (units of a budget) it costs to judge one event and to put it into a visit. */
const EVENT_RECOUNTED_STEPS = 100 * EVENT_STEPS;

/** GET /api/v1/merchants/:id/proof?from&to */
export async function getProof(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const found = await merchantOf(c, deps);
  if (!found.ok) return found;
  const merchant = found.value;
  const asked = parametersOf(c, PROOF);
  if (!asked.ok) return asked;
  const { from, to } = asked.value;
  if (to < from) return problem("invalid_field", "to must not be before from.", "to");
  if (to - from >= PROOF_DAYS_MAX) return problem("invalid_field", `Ask for at most ${PROOF_DAYS_MAX} Days.`, "to");
  const who = { asker: actorOf(principalOf(c)), merchant: merchant.number };
  const budgets = openBudgets(undefined, deps.keyLimit === undefined ? [] : deps.purses.of(who, deps.now()));
  const paying = readingAs({ id: who.asker, merchant, isShared: false }, deps);
  const empty = () => {
    const message = emptyPurseOf({ budgets, reading: paying.reading });
    if (message === undefined) return undefined;
    c.header("Retry-After", String(RATE_LIMIT_PERIOD_SECONDS));
    return problem("rate_limited", message);
  };
  const before = empty();
  if (before !== undefined) return before;
  const proof = await prove(merchant, { from, to, budgets }, paying);
  if (proof.ok) return { ok: true, value: { body: proof.value } };
  const after = empty();
  if (after !== undefined) return after;
  return problem("invalid_field", proof.rejection.message.replace("#/date_range: ", ""), "from");
}

/** The proof of a merchant's Days from `from` to `to`. */
export async function prove(
  merchant: Merchant,
  { from, to, budgets }: { readonly from: number; readonly to: number; readonly budgets: Budgets },
  deps: Deps,
) {
  const asOf = await readCompleteUntil(merchant, deps);
  const before = await saidOf(merchant, { from, to }, deps);
  if (!before.ok) return before;
  const days = { from, to: to + 1 };
  const cost: Cost = { rows: 0, objects: 0, bytes: 0 };
  const known = await findPlaces(merchant, days, deps);
  if (!known.ok) return known;
  const { places } = known.value;
  const wanted = { known: known.value, places, columns: [], together: "partition" } as const;
  const events = await openPlaces(merchant, wanted, { deps, cost });
  if (!events.ok) return events;
  const under = await underOf(merchant, deps);
  const recounts = new Map<number, Recount>();
  const leftOut: LeftOut = new Map();
  await inTurn(deps, async (turn) => {
    for await (const rows of events.value.days((rows) => turn.giveWayAfter(rows))) {
      const recount = recounts.get(rows.day) ?? openRecount();
      recounts.set(rows.day, recount);
      await turn.run(addRecount(recount, rows, { under, key: isolateHashKey(), leftOut }));
      spend(budgets.own, rows.partitions.flat().length * EVENT_RECOUNTED_STEPS, "#/from");
    }
  });
  const said = await saidOf(merchant, { from, to }, deps);
  if (!said.ok) return said;
  const seals = await sealsOf(merchant, { places, days }, deps);
  const shown = Array.from({ length: to - from + 1 }, (_, index) => {
    const day = from + index;
    const recount = recounts.get(day) ?? openRecount();
    return dayOf(day, { recount, before: before.value, said: said.value, seals: seals.get(day) ?? [] }, deps);
  });
  return accepted({
    as_of: new Date(asOf).toISOString(),
    rules: latestRules(merchant.rules).version,
    adds_up: shown.every(({ adds_up }) => adds_up),
    differences: shown.reduce((sum, { differences }) => sum + differences.length, 0),
    ...sumOf([...recounts.values()]),
    left_out: shownLeftOut(leftOut),
    days: shown,
  });
}

/** For each date, the numbers with which questions are answered. */
type Said = ReadonlyMap<string, Readonly<Record<string, number>>>;

/** The answers from rollups, the same as anybody gets. */
async function saidOf(
  merchant: Merchant,
  { from, to }: { readonly from: number; readonly to: number },
  deps: Deps,
): Promise<Outcome<Said>> {
  const common = {
    site_id: merchant.id,
    date_range: [dateOf(from), dateOf(to)],
    dimensions: ["time:day"],
    include: { imports: false },
  };
  const said = new Map<string, Record<string, number>>();
  for (const metrics of [["visits", "pageviews", "events"], ["drops"]]) {
    const question = parseQuestion({ ...common, metrics });
    if (!question.ok) return question;
    const answer = (await execute(question.value, merchant, deps)) as Outcome<Answer>;
    if (!answer.ok) return answer;
    for (const { dimensions, metrics: values } of answer.value.results) {
      const [date = ""] = dimensions;
      const own = Object.fromEntries(metrics.map((name, index) => [name, values[index] as number]));
      said.set(date, { ...said.get(date), ...own });
    }
  }
  return { ok: true, value: said };
}

interface Seal {
  readonly row: SealRow | undefined;
  /** How many of the sealed rows are the merchant's own, their checksum and their version of settings. */
  readonly own: { readonly rows: number; readonly checksum: string; readonly settings: number } | undefined;
  /** Whether events of the merchant wait to be counted. */
  readonly waits: boolean;
}

/** The seals of the merchant's (Day, partition)s, by Day. */
async function sealsOf(
  merchant: Merchant,
  {
    places,
    days,
  }: { readonly places: readonly SealPlace[]; readonly days: { readonly from: number; readonly to: number } },
  deps: Deps,
): Promise<ReadonlyMap<number, readonly Seal[]>> {
  const ledger = deps.ledgers.ofMerchant(merchant.number);
  const live = await readLive(merchant, { grain: "day", ...days, dimensions: [] }, deps);
  const noted = await listUncounted(ledger, { merchant: merchant.number, ...days });
  const waiting = new Set([...live.late, ...noted].map(keyOf));
  const seals = new Map<number, Seal[]>();
  for (const place of places) {
    const row = await findSeal(ledger, place);
    const folder = row?.folder ?? "";
    deps.reading?.owe(manifestReads({ folders: 1, sealedMerchants: row?.merchants ?? 0 }));
    const manifest = folder === "" ? undefined : await readManifest(archiveOf(deps), folder);
    const all = (manifest?.files ?? []).flatMap(({ merchants }) => merchants);
    const own = all.find((one) => one.merchant === merchant.number);
    const list = seals.get(place.day) ?? [];
    seals.set(place.day, list);
    list.push({ row, own, waits: waiting.has(keyOf(place)) });
  }
  return seals;
}

interface DayFacts {
  readonly recount: Recount;
  /** The numbers of answers before the Day was counted once more (`before`), and after that (`said`). */
  readonly before: Said;
  readonly said: Said;
  readonly seals: readonly Seal[];
}

function dayOf(day: number, { recount, before, said, seals }: DayFacts, deps: Deps) {
  const date = dateOf(day);
  const dropped = [...recount.dropped.values()].reduce((sum, count) => sum + count, 0);
  const { visits, pageviews, events } = recount;
  const own = { visits, pageviews, events, drops: dropped };
  // New events were counted on this Day during the recount, so its numbers cannot be compared.
  const moves = JSON.stringify(before.get(date)) !== JSON.stringify(said.get(date));
  const differences = (moves ? [] : Object.entries(own))
    .map(([what, recounted]) => ({ what, said: said.get(date)?.[what] ?? 0, recounted }))
    .filter((one) => one.said !== one.recounted);
  return {
    date,
    state: stateOfDay(day, seals, deps),
    ...sumOf([recount]),
    adds_up: addsUp(recount),
    compared: !moves,
    differences,
    seals: seals.flatMap(({ row, own: rows }) =>
      row === undefined || row.generation === 0 ? [] : [sealOf(row, rows)],
    ),
  };
}

function sumOf(all: readonly Recount[]) {
  const dropped: Record<string, number> = {};
  for (const recount of all)
    for (const [reason, count] of recount.dropped) dropped[reason] = (dropped[reason] ?? 0) + count;
  const total = (of: (one: Recount) => number) => all.reduce((sum, one) => sum + of(one), 0);
  return {
    received: total(({ received }) => received),
    counted: total(({ counted }) => counted),
    outside_visits: total(({ outsideVisits }) => outsideVisits),
    dropped,
  };
}

/**
 * The state of a Day. It is "late" only if events of this merchant wait. Events of other merchants in the same file do
 * not matter.
 */
function stateOfDay(
  day: number,
  seals: readonly Seal[],
  deps: Deps,
): "open" | "closed" | "sealed" | "late" | "in_doubt" {
  if (day >= firstOpenDay(deps.now(), deps.pace.sealAfterMs)) return "open";
  const states = seals.map(({ row, waits }) => {
    if (row === undefined) return "closed";
    return stateOf({ ...row, lateSince: waits ? (row.lateSince ?? 0) : null });
  });
  return (["in_doubt", "closed", "late"] as const).find((state) => states.includes(state)) ?? "sealed";
}

function sealOf({ generation, folder, sealedAt }: SealRow, own: Seal["own"]) {
  return {
    sealed_at: sealedAt === null ? null : new Date(sealedAt).toISOString(),
    generation,
    manifest: sealName(folder),
    rows: own?.rows ?? 0,
    checksum: own?.checksum ?? null,
    settings: own?.settings ?? null,
  };
}
