// The model of answers, its first half: what docs/spec.md says of hits that count, of visits and of orders, as plainly
// as possible over the list of all events. It shares no counting code with the product: dates come from Intl
// (calendar.ts), and what words are known as (browser, source) comes with the traffic. Questions are answered from what
// it makes of events in model-answer.ts.

import { localDate } from "./calendar.ts";
import { CURRENCY, type PublishedRate, type Told, type Ware } from "./traffic.ts";

/** An event as a partition has it: in which one it lies, and when and as what part of its request it came. */
export interface Stored {
  readonly told: Told;
  readonly partition: string;
  readonly receivedAt: number;
  readonly sequence: number;
  /** The visitor's name in the Day that the event was filed under. */
  readonly visitor: string;
}

export interface ModelSettings {
  readonly zone: string;
  /** Of dollars, the only other currency there is. */
  readonly rates: readonly PublishedRate[];
}

export interface Visit {
  readonly visitor: string;
  readonly date: string;
  /** The event it starts with; those before it in the same run are reports. */
  readonly start: Stored;
  readonly end: number;
  /** In order. */
  readonly events: readonly Stored[];
  /** The event whose words say where the visitor came from and with what. */
  readonly profile: Stored;
}

/** What an event does to the numbers of its hour. */
export interface Deed {
  readonly orders: number;
  readonly refunds: number;
  /** In ten-thousandths of `currency`: what came in, what was given back, and of both what belongs to orders. */
  readonly gross: number;
  readonly taken: number;
  readonly ofOrders: boolean;
  readonly currency: string;
  /** Products that were sold, or given back. */
  readonly wares: readonly { readonly name: string; readonly units: number; readonly money: number }[];
}

export interface Seen {
  readonly stored: Stored;
  readonly date: string;
  readonly visit: Visit;
  readonly deed: Deed;
}

export interface Drop {
  readonly stored: Stored;
  readonly date: string;
  readonly reason: string;
}

export interface View {
  readonly visits: readonly Visit[];
  readonly seen: readonly Seen[];
  readonly drops: readonly Drop[];
  /** Reports that belong to no visit, and count nothing. */
  readonly idle: readonly { readonly stored: Stored }[];
}

const GAP_MS = 1_800_000;

/** All events of one merchant as its numbers see them. */
export function viewOf(events: readonly Stored[], settings: ModelSettings): View {
  const visits: Visit[] = [];
  const seen: Seen[] = [];
  const drops: Drop[] = [];
  const copies = new Set<Stored>();
  const places = distinct(events.map((stored) => `${localDate(settings.zone, stored.told.at)} ${stored.partition}`));
  for (const place of places) {
    const [date, partition] = place.split(" ") as [string, string];
    const came = events.filter(
      (stored) => localDate(settings.zone, stored.told.at) === date && stored.partition === partition,
    );
    const own = came.filter((stored) => came.find((other) => hasOneId(other, stored)) === stored);
    for (const [at, stored] of came.entries()) {
      const isKnown = came.slice(0, at).some((other) => hasOneId(other, stored) && storyOf(other) === storyOf(stored));
      if (isKnown) copies.add(stored);
      else if (!own.includes(stored)) drops.push({ stored, date, reason: "duplicate" });
    }
    for (const stored of own) {
      const reason = dropReasonOf(stored, own);
      if (reason !== "") drops.push({ stored, date, reason });
    }
    const counted = own.filter((stored) => dropReasonOf(stored, own) === "");
    const ofDay = distinct(counted.map(({ visitor }) => visitor)).flatMap((visitor) =>
      visitsOf(counted.filter((stored) => stored.visitor === visitor).sort(inOrder), { visitor, date }),
    );
    visits.push(...ofDay);
    const told = ofDay.flatMap((visit) => visit.events);
    for (const visit of ofDay)
      for (const stored of visit.events) seen.push({ stored, date, visit, deed: deedOf(stored, told) });
  }
  const known = new Set([...[...seen, ...drops].map(({ stored }) => stored), ...copies]);
  return { visits, seen, drops, idle: events.filter((stored) => !known.has(stored)).map((stored) => ({ stored })) };
}

/** Ids of senders with a key are apart from those of all others. */
function hasOneId({ told }: Stored, { told: other }: Stored): boolean {
  return told.id === other.id && told.keyed === other.keyed;
}

/** What makes a copy another story; times and visitors do not. */
function storyOf({ told: { name, host, path, revenue, currency, order, products, props } }: Stored): string {
  return JSON.stringify([name, host, path, revenue, currency, order, products, props]);
}

/** By time; of one instant by when they came, and by their place in the request. */
export function inOrder(a: Stored, b: Stored): number {
  return a.told.at - b.told.at || a.receivedAt - b.receivedAt || a.sequence - b.sequence;
}

export const isPageview = ({ told }: Stored) => told.name === "pageview";
export const isEngagement = ({ told }: Stored) => told.name === "engagement";
const REPORTS = ["web_vitals", "404", "performance", "exception", "error", "js_error", "csp_violation"];
const isPassive = ({ told }: Stored) => told.passive || REPORTS.includes(told.name.replace(/^\$/, ""));
const isOpening = (stored: Stored) => !isEngagement(stored) && !isPassive(stored);

/** Why an event is not counted, "" where it is. `day` is everything of its Day and partition. */
function dropReasonOf(stored: Stored, day: readonly Stored[]): string {
  const { told, visitor } = stored;
  if (told.agent === "bot") return "bot";
  if (told.name.startsWith("$identify")) return "metadata";
  if (!told.prefetch) return "";
  const ofPage = day.filter(
    (other) => other.visitor === visitor && other.told.host === told.host && other.told.path === told.path,
  );
  const isViewed = ofPage.some((other) => isPageview(other) && !other.told.prefetch);
  const isRead = ofPage.some((other) => !isPageview(other) && !other.told.prefetch && isCounted(other));
  const [earliest] = ofPage.filter(({ told: other }) => other.prefetch).sort(inOrder);
  return !isViewed && isRead && earliest === stored ? "" : "prefetch";
}

function isCounted({ told }: Stored): boolean {
  return told.agent !== "bot" && !told.name.startsWith("$identify");
}

/** The visits of one visitor on one Day. */
function visitsOf(own: readonly Stored[], { visitor, date }: Pick<Visit, "visitor" | "date">): readonly Visit[] {
  const visits: Visit[] = [];
  for (const run of runsOf(own)) {
    const start = run.find(isOpening) ?? (visits.length === 0 ? run.find(isPassive) : undefined);
    const before = visits.at(-1);
    if (start !== undefined) {
      const returns = isOpening(start) && start.told.origin.isReturn && before !== undefined;
      const end = (run.at(-1) as Stored).told.at;
      visits.push({ visitor, date, start, end, events: run, profile: returns ? before.profile : start });
    } else if (before !== undefined) {
      visits[visits.length - 1] = { ...before, events: [...before.events, ...run] };
    }
  }
  return visits;
}

/** What was told with gaps of half an hour at most. */
function runsOf(own: readonly Stored[]): readonly (readonly Stored[])[] {
  const runs: Stored[][] = [];
  for (const stored of own) {
    const last = runs.at(-1)?.at(-1);
    if (last !== undefined && stored.told.at - last.told.at <= GAP_MS) runs.at(-1)?.push(stored);
    else runs.push([stored]);
  }
  return runs;
}

export function isBounce({ events }: Visit): boolean {
  return events.filter(isOpening).length <= 1;
}

export function entryOf({ events }: Visit): Stored | undefined {
  return events.find(isPageview);
}

export function exitOf({ events }: Visit): Stored | undefined {
  return events.findLast(isPageview);
}

type Act = "purchase" | "refund" | "cancellation" | "step" | "none";

const NAMES: Readonly<Record<Exclude<Act, "none">, readonly string[]>> = {
  purchase: ["purchase", "order completed", "in app purchase", "order placed", "checkout completed"],
  refund: ["refund", "order refunded", "partial refund"],
  cancellation: ["order cancelled", "order canceled"],
  step: ["checkout started", "add to cart", "product viewed", "payment info entered", "order updated"],
};

function actOf({ told }: Stored): Act {
  const name = told.name.toLowerCase().replaceAll(/[_\-\s]+/g, " ");
  const known = (Object.keys(NAMES) as (keyof typeof NAMES)[]).find((act) => NAMES[act].includes(name));
  if (known === "purchase" && told.revenue < 0) return "refund";
  if (known !== undefined) return known;
  if (told.order === "") return "none";
  if (told.revenue < 0) return "refund";
  return told.revenue > 0 || told.products.length > 0 ? "purchase" : "none";
}

const NOTHING: Deed = { orders: 0, refunds: 0, gross: 0, taken: 0, ofOrders: false, currency: "", wares: [] };

/** What an event does, among all counted ones of its Day and partition. */
function deedOf(stored: Stored, day: readonly Stored[]): Deed {
  const { told } = stored;
  const act = actOf(stored);
  const carried = { ...NOTHING, currency: currencyOf(told) };
  if (act === "step") return NOTHING;
  if (act === "none") return { ...carried, gross: told.revenue };
  const sold: Deed = { ...carried, orders: 1, gross: told.revenue, ofOrders: true, wares: waresOf(told, 1) };
  const given = { ...carried, refunds: 1, taken: Math.abs(told.revenue), ofOrders: true, wares: waresOf(told, -1) };
  if (told.order === "") return act === "purchase" ? sold : given;

  // All that is told of the order, by time. What came with a key is taken as if nothing else had been told.
  const ofOrder = day.filter((other) => other.told.order === told.order && !["step", "none"].includes(actOf(other)));
  const whole = ofOrder.sort(inOrder);
  const keyed = whole.filter((other) => other.told.keyed);
  const heard = keyed.length > 0 ? keyed : whole;
  const earning = heard.find((other) => actOf(other) === "purchase");
  const takers = heard.filter((other) => actOf(other) !== "purchase");
  if (!heard.includes(stored)) {
    // The page's word counts where the server has not told of a purchase: as much of it as the server has not given
    // back.
    if (earning !== undefined || whole.find((other) => actOf(other) === "purchase") !== stored) return NOTHING;
    const isGivenBack = takers.some((other) => actOf(other) === "cancellation" || isBlank(other.told));
    return isGivenBack
      ? without(
          sold,
          leftOf(
            told,
            takers.map((other) => other.told),
          ),
        )
      : sold;
  }
  if (earning !== undefined && heard.some((other) => actOf(other) === "cancellation")) return NOTHING;
  if (act === "purchase") return earning === stored ? sold : NOTHING;
  if (!isBlank(told)) return given;
  // It names the order and nothing else. A cancellation has nothing to take; the first refund gives all back that is
  // left.
  if (act === "cancellation") return NOTHING;
  if (takers.find((other) => isBlank(other.told) && actOf(other) === "refund") !== stored) return NOTHING;
  if (earning === undefined) return given;
  const others = takers.map((other) => other.told).filter((other) => !isBlank(other));
  return { ...given, ...leftOf(earning.told, others) };
}

function currencyOf({ currency }: Told): string {
  return currency === "" ? CURRENCY : currency;
}

function isBlank({ revenue, products }: Told): boolean {
  return revenue === 0 && products.length === 0;
}

/** What is sold without what is left of it at the end. */
function without(sold: Deed, left: ReturnType<typeof leftOf>): Deed {
  const wares = sold.wares.map((ware, at) => {
    const { units = 0, money = 0 } = left.wares[at] ?? {};
    return { ...ware, units: ware.units + units, money: ware.money + money };
  });
  const gross = sold.gross - left.taken;
  const isNothing = gross === 0 && wares.every(({ units, money }) => units === 0 && money === 0);
  return isNothing ? NOTHING : { ...sold, gross, wares };
}

/** What is left of an order after some of it was given back, each product for itself; never less than nothing. */
function leftOf(earning: Told, refunds: readonly Told[]): Pick<Deed, "taken" | "currency" | "wares"> {
  const same = refunds.filter((refund) => currencyOf(refund) === currencyOf(earning));
  const taken = same.reduce((sum, { revenue }) => sum + Math.abs(revenue), 0);
  const back = same.flatMap((refund) => waresOf(refund, 1));
  const wares = waresOf(earning, 1).map((ware) => {
    const gone = back.filter(({ name }) => name === ware.name);
    const units = Math.max(0, ware.units - gone.reduce((sum, one) => sum + one.units, 0));
    const money = Math.max(0, ware.money - gone.reduce((sum, one) => sum + one.money, 0));
    return { name: ware.name, units: -units, money: -money };
  });
  return { taken: Math.max(0, earning.revenue - taken), currency: currencyOf(earning), wares };
}

function waresOf({ products }: Told, sign: 1 | -1): Deed["wares"] {
  return products.map((ware) => {
    const { price = 0, quantity = 1 } = ware;
    return { name: nameOf(ware), units: sign * Math.abs(quantity), money: sign * Math.abs(price * quantity) * 10_000 };
  });
}

export function nameOf({ name, id }: Ware): string {
  return name ?? id ?? "";
}

/** Each once. */
export function distinct<T>(list: readonly T[]): readonly T[] {
  return [...new Set(list)];
}
