// What kind of act an event is, and which events of one order number earn: tables of what shops and their libraries
// send.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Act, actOf, type Claim, settle } from "../../core/order.ts";

describe("acts", () => {
  const carrying = { order: "", revenue: 0, products: "" };
  const ACTS: readonly (readonly [name: string, carried: Partial<typeof carrying>, act: Act])[] = [
    ["purchase", {}, "purchase"],
    ["Purchase", { revenue: 5 }, "purchase"],
    ["Order Completed", { order: "1" }, "purchase"],
    ["order_completed", { order: "1" }, "purchase"],
    ["checkout_completed", { order: "1", revenue: 5 }, "purchase"],
    ["Placed Order", { revenue: 5 }, "purchase"],
    ["purchase", { revenue: -5 }, "refund"],
    ["refund", {}, "refund"],
    ["Order Refunded", { revenue: 5 }, "refund"],
    ["Order Cancelled", { order: "1" }, "cancellation"],
    ["order-canceled", { order: "1" }, "cancellation"],
    ["Order Updated", { order: "1", revenue: 5, products: "[{}]" }, "step"],
    ["Checkout Started", { order: "1", revenue: 5, products: "[{}]" }, "step"],
    ["add_to_cart", { revenue: 5, products: "[{}]" }, "step"],
    ["begin_checkout", { order: "1", revenue: 5 }, "step"],
    ["payment_info_submitted", { order: "1", revenue: 5 }, "step"],
    ["pageview", {}, "none"],
    ["pageview", { order: "1", revenue: 5 }, "purchase"],
    ["subscribed", { order: "1", revenue: 5 }, "purchase"],
    ["subscribed", { order: "1", products: "[{}]" }, "purchase"],
    ["subscribed", { order: "1", revenue: -5 }, "refund"],
    ["subscribed", { order: "1" }, "none"],
    ["subscribed", { revenue: 5 }, "none"],
    ["subscribed", { revenue: -5 }, "none"],
  ];
  test.each(ACTS)("[ORD-1] %s %j is a %s", (name, carried, act) => {
    expect(actOf({ name, ...carrying, ...carried })).toBe(act);
  });
});

interface Told {
  readonly who: string;
  readonly act: Claim["act"];
  readonly revenue?: number;
  readonly units?: number;
  readonly keyed?: boolean;
  readonly time?: number;
}

function claimOf({ act, revenue = 0, units = 0, keyed = false, time = 0 }: Told): Claim {
  const lines = units === 0 ? [] : [{ label: "Mat", units, revenue: units * 50 }];
  return { act, keyed, time, order: 0, tie: time, sale: { currency: "EUR", revenue, lines } };
}

/** Money and units of each who earns or takes off. */
function settled(told: readonly Told[]): Readonly<Record<string, readonly number[]>> {
  const claims = new Map(told.map((one) => [claimOf(one), one.who]));
  const earned = [...settle([...claims.keys()])].map(([claim, { sign, sale }]) => {
    const units = sale.lines.reduce((sum, line) => sum + line.units, 0);
    return [claims.get(claim), [sign * sale.revenue + 0, sign * units + 0]] as const;
  });
  return Object.fromEntries(earned);
}

const purchase = (who: string, more: Partial<Told> = {}): Told => ({
  who,
  act: "purchase",
  revenue: 100,
  units: 2,
  ...more,
});
const refund = (who: string, more: Partial<Told> = {}): Told => ({ who, act: "refund", ...more });
const cancel = (who: string, more: Partial<Told> = {}): Told => ({ who, act: "cancellation", ...more });

const NUMBERS: readonly (readonly [rule: string, told: readonly Told[], earned: ReturnType<typeof settled>])[] = [
  ["[ORD-2] a purchase earns", [purchase("a")], { a: [100, 2] }],
  ["[ORD-2] a reloaded page earns nothing", [purchase("a"), purchase("b", { time: 5 })], { a: [100, 2] }],
  ["[ORD-2] the earliest earns, however they come", [purchase("b", { time: 5 }), purchase("a")], { a: [100, 2] }],
  [
    "[ORD-3] the server's word goes before the page's, also later and less",
    [purchase("page", { revenue: 900 }), purchase("server", { time: 9, keyed: true })],
    { server: [100, 2] },
  ],
  ["[ORD-4] a refund takes off", [purchase("a"), refund("r", { revenue: 40 })], { a: [100, 2], r: [-40, 0] }],
  ["[ORD-4] several do", [refund("r", { revenue: 40 }), refund("s", { units: 1 })], { r: [-40, 0], s: [0, -1] }],
  [
    "[ORD-4] by its number alone a refund takes the whole",
    [purchase("a"), refund("r")],
    { a: [100, 2], r: [-100, -2] },
  ],
  [
    "[ORD-4] or what others have left of it",
    [purchase("a"), refund("r", { revenue: 30, units: 1 }), refund("s")],
    { a: [100, 2], r: [-30, -1], s: [-70, -1] },
  ],
  ["[ORD-4] of an order of another Day nothing is known", [refund("r")], { r: [0, 0] }],
  [
    "[ORD-3] a refund without a key takes nothing off what came with one",
    [purchase("server", { keyed: true }), refund("page", { revenue: 100 })],
    { server: [100, 2] },
  ],
  [
    "[ORD-3] nor beside a refund with one",
    [purchase("page"), refund("server", { keyed: true, revenue: 10 }), refund("forged", { revenue: 90 })],
    { page: [100, 2], server: [-10, 0] },
  ],
  ["[ORD-5] a cancelled order earns nothing", [purchase("a"), cancel("c", { revenue: 100, units: 2 })], {}],
  ["[ORD-5] nor do its refunds take off", [purchase("a"), cancel("c"), refund("r", { revenue: 100 })], {}],
  ["[ORD-3] no page cancels a server's order", [purchase("s", { keyed: true }), cancel("c")], { s: [100, 2] }],
  ["[ORD-5] a server cancels a page's", [purchase("a"), cancel("c", { keyed: true })], {}],
  ["[ORD-5] by its number alone, of another Day's order, a cancellation is no refund", [cancel("c")], {}],
  [
    "[ORD-5] with its money, too: together they come to nothing",
    [purchase("a"), cancel("c", { keyed: true, revenue: 100, units: 2 })],
    { a: [100, 2], c: [-100, -2] },
  ],
  [
    "[ORD-5] of what the page said and the server takes back, the smaller counts",
    [
      purchase("a", { revenue: 120 }),
      refund("r", { keyed: true, revenue: 30, units: 1 }),
      cancel("c", { keyed: true }),
    ],
    { a: [30, 1], r: [-30, -1] },
  ],
  [
    "[ORD-3] a page's purchase that the server gives back by its number alone earns nothing",
    [purchase("a"), refund("r", { keyed: true })],
    { r: [0, 0] },
  ],
  [
    "[ORD-3] a page that tells of a purchase and its cancellation takes nothing off the server's refund of another Day's order",
    [refund("server", { keyed: true, revenue: 500 }), purchase("forged", { revenue: 1 }), cancel("forged too")],
    { forged: [1, 2], server: [-500, 0] },
  ],
  [
    "[ORD-3] nor off a cancellation",
    [
      cancel("server", { keyed: true, revenue: 300, units: 3 }),
      purchase("forged", { revenue: 1 }),
      cancel("forged too"),
    ],
    { forged: [1, 2], server: [-300, -3] },
  ],
  [
    "[ORD-5] of another Day's order a cancellation takes off",
    [cancel("c", { revenue: 100, units: 2 })],
    { c: [-100, -2] },
  ],
];
test.each(NUMBERS)("%s", (_, told, earned) => {
  expect(settled(told)).toEqual(earned);
  expect(settled(told.toReversed())).toEqual(earned);
});

const anyClaim = fc.record({
  act: fc.constantFrom("purchase" as const, "refund" as const, "cancellation" as const),
  revenue: fc.constantFrom(0, 0, 40, 100),
  units: fc.nat(3),
  time: fc.nat(6),
});

test("[ORD-3] whatever comes without a key, what came with one earns the same", () => {
  fc.assert(
    fc.property(fc.array(anyClaim, { maxLength: 5 }), fc.array(anyClaim, { maxLength: 6 }), (own, others) => {
      const keyed = own.map((one, at) => claimOf({ ...one, who: `k${at}`, keyed: true }));
      const forged = others.map((one, at) => claimOf({ ...one, who: `f${at}` }));
      const alone = settle(keyed);
      for (const all of [
        [...keyed, ...forged],
        [...forged, ...keyed],
      ]) {
        const together = settle(all);
        for (const claim of keyed) expect(together.get(claim)).toEqual(alone.get(claim));
      }
    }),
    { numRuns: 2_000 },
  );
});

test("[ORD-6] what a number comes to does not depend on the order in which its events are given", () => {
  const told = fc.record({
    act: fc.constantFrom("purchase" as const, "purchase" as const, "refund" as const, "cancellation" as const),
    revenue: fc.nat(200),
    units: fc.nat(3),
    keyed: fc.boolean(),
    time: fc.nat(1_000),
  });
  fc.assert(
    fc.property(fc.uniqueArray(told, { maxLength: 8, selector: ({ time }) => time }), fc.integer(), (all, turn) => {
      const named = all.map((one, index) => ({ ...one, who: `e${index}` }));
      const at = named.length === 0 ? 0 : Math.abs(turn) % named.length;
      expect(settled([...named.slice(at), ...named.slice(0, at)].toReversed())).toEqual(settled(named));
    }),
    { numRuns: 500 },
  );
});
