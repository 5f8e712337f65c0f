// Rules that change in the middle of a run: a merchant's own, whose partitions are told if they can hear it, and the
// deployment's, of which only the lease of each partition's copy tells. They are dated as the admin API dates them.
// What each event must have become under them is checked with plain comparisons.

import type { ArchivedEvent } from "../../core/archive/file.ts";
import type { Arrival, Event } from "../../core/event.ts";
import type { Settings } from "../../core/merchant.ts";
import type { DropReason } from "../../core/outcome.ts";
import { extendTimeline, GLOBAL_MERCHANT, NO_RULES, type Rules, rulesTakeEffectAt } from "../../core/rules.ts";
import { naiveDrop } from "../support/naive.ts";
import { type Simulation, setSettings } from "./simulation.ts";

const CHOICES: readonly Partial<Rules>[] = [
  { bots: { drop: ["*iPhone*"], admit: [] } },
  { bots: { drop: [], admit: ["*Googlebot*", "*iPhone*"] } },
  { referrers: { drop: ["news.example"], admit: [] }, goals: [{ name: "the cart", page: "/cart" }] },
  { referrers: { drop: [], admit: ["news.example"] }, channels: [{ channel: "Press", referrer: "news.example*" }] },
  { addresses: [{ name: "the till", networks: ["10.0.0.0/32", "10.0.0.2/32"] }] },
  {
    goals: [
      { name: "bought", event: "purchase" },
      { name: "anything", event: "*" },
    ],
  },
  {},
];

export interface DecidedRules {
  /** GLOBAL_MERCHANT for everybody's. */
  readonly merchant: number;
  readonly from: number;
  readonly rules: Partial<Rules>;
}

/** Decides on new rules for one merchant, or for all, and answers whose settings have changed. */
export function decideRules(simulation: Simulation): number {
  const { world, settings } = simulation;
  const merchant = world.random.integer(GLOBAL_MERCHANT, settings.size);
  const known = merchant === GLOBAL_MERCHANT ? simulation.global : (settings.get(merchant) as Settings);
  const rules = world.random.pick(CHOICES);
  const from = rulesTakeEffectAt(world.now);
  const version = known.version + 1;
  const timeline = extendTimeline(known.rules, { version, from, rules: { ...NO_RULES, ...rules } });
  if (timeline === "full") throw new Error("the timeline of a run is short");
  setSettings(simulation, { ...known, version, rules: timeline });
  simulation.decided.push({ merchant, from, rules });
  world.note(`rules of ${merchant} from ${from}: ${JSON.stringify(rules)}`);
  return merchant;
}

/** L3 against the naive model: each archived event was dropped, or not, by the rules that held at its time. */
export function checkDrops(simulation: Simulation, rows: readonly ArchivedEvent[]): string | undefined {
  for (const { event } of rows) {
    const expected = expectedDrop(simulation, event);
    if (event.dropped !== expected) return `RUL: event ${event.id} is dropped as "${event.dropped}", not "${expected}"`;
  }
  return undefined;
}

/** What came while rules were applied to its Day was archived with their opinion; they have been taken back since. */
export function judgeAgain(simulation: Simulation, rows: readonly ArchivedEvent[]): readonly ArchivedEvent[] {
  return rows.map((row) => {
    if (!simulation.sentLate.has(row.event.id)) return row;
    return { ...row, event: { ...row.event, dropped: expectedDrop(simulation, row.event) } };
  });
}

function expectedDrop({ sent, decided }: Simulation, event: Event): DropReason | "" {
  const { address } = arrivalOf(sent, event);
  const at = (merchant: number) =>
    decided.findLast((one) => one.merchant === merchant && one.from <= event.timestamp)?.rules ?? {};
  return naiveDrop(event, address, { own: at(event.merchant), global: at(GLOBAL_MERCHANT) });
}

function arrivalOf(sent: Simulation["sent"], { merchant, id }: Event): Arrival {
  const found = sent.find(({ arrival: { event } }) => event.merchant === merchant && event.id === id);
  return (found as Simulation["sent"][number]).arrival;
}

/** Whether an event of the run counts for certain, for certain not, or as the rules of the moment say. */
export function countsUnder({ decided }: Simulation, { event, address }: Arrival): "always" | "never" | "perhaps" {
  const none = [{}];
  const of = (merchant: number) => [
    ...none,
    ...decided.filter((one) => one.merchant === merchant).map(({ rules }) => rules),
  ];
  const verdicts = of(event.merchant).flatMap((own) =>
    of(GLOBAL_MERCHANT).map((global) => naiveDrop(event, address, { own, global }) === ""),
  );
  if (verdicts.every((counts) => counts)) return "always";
  return verdicts.some((counts) => counts) ? "perhaps" : "never";
}
