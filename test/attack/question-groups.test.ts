// One event may have thirty properties, fifty products and fifty goals, and so belong to 75,000 groups of one question.
// Anybody who knows a tracking ID sends such events, and asks for the groups through a link.

import { describe, expect, test } from "vitest";
import { columnsOf, type EventColumns } from "../../core/archive/event-columns.ts";
import { GROUPS_MAX, QUESTION_STEPS_MAX } from "../../core/limits.ts";
import { openBudgets } from "../../core/query/budget.ts";
import { derive } from "../../core/query/derived.ts";
import { planQuestion } from "../../core/query/plan.ts";
import { parseQuestion } from "../../core/query/question.ts";
import { resolveRange } from "../../core/query/range.ts";
import { openScan, type Scan, type ScanProblem } from "../../core/query/scan.ts";
import { addRows } from "../../core/query/scan-derived.ts";
import { DAY_MS, dateOf } from "../../core/time.ts";
import { decodeDerived, encodeDerived } from "../../storage/archive/derived-file.ts";
import { always, eventOf, settingsOf, TUESDAY } from "../support/events.ts";
import { valueFrom } from "../support/questions.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const ALL_REACHED = Array.from({ length: 50 }, (_, at) => ({ name: `Goal ${at}`, page: "*" }));

interface Sent {
  readonly events: number;
  /** Whether each event has properties and products of its own. */
  readonly isOwn: boolean;
  readonly name?: string;
  readonly goals?: readonly { readonly name: string; readonly page: string }[];
}

interface Asked {
  readonly problem: ScanProblem | undefined;
  readonly scan: Scan;
  readonly slices: number;
  readonly stepsLeft: number;
}

function sale(at: number) {
  return { order: `A${at}`, revenue: 10_000 };
}

/** What a question by properties, products and goals comes to, of events of one visitor. */
function ask({ events, isOwn, name = "pageview", goals = [] }: Sent, steps: number, isDerived: boolean): Asked {
  const under = { settings: settingsOf("UTC", { rules: always({ goals }) }), global: [] };
  const texts = (at: number) => {
    const own = isOwn ? at : 0;
    const props = Object.fromEntries(Array.from({ length: 30 }, (_, key) => [`k${own} ${key}`, "1"]));
    const products = Array.from({ length: 50 }, (_, key) => ({ name: `p${own} ${key}`, price: 1, quantity: 1 }));
    return { props: JSON.stringify(props), products: JSON.stringify(products) };
  };
  const told = Array.from({ length: events }, (_, at) =>
    eventOf({ id: `e${at}`, timestamp: TUESDAY + at, name, ...(name === "purchase" && sale(at)), ...texts(at) }),
  );
  const rows: EventColumns = columnsOf(told.map((event, position) => ({ partition: "pool-0", position, event })));
  const columns = isDerived ? decodeDerived(encodeDerived(derive(rows, DAY, under)) as Uint8Array) : rows;
  const budgets = openBudgets(steps);
  const dimensions = ["event:property", "event:product", ...(goals.length === 0 ? [] : ["event:goal"])];
  const asked = { site_id: "x", metrics: ["visitors", "visits"], dimensions, date_range: [dateOf(DAY), dateOf(DAY)] };
  const question = valueFrom(parseQuestion(asked, undefined, budgets));
  const range = valueFrom(resolveRange(question.dateRange, { zones: under.settings.zones, now: TUESDAY + DAY_MS }));
  const scan = openScan(valueFrom(planQuestion(question, range, under.settings.zones)), under);
  const work = addRows(scan, { day: DAY, rows: columns });
  let slices = 1;
  let next = work.next();
  for (; next.done !== true; next = work.next()) slices += 1;
  return { problem: next.value, scan, slices, stepsLeft: budgets.own.left };
}

describe.each([false, true])("of derived rows: %s", (isDerived) => {
  test("[FIL-6] [LIM-12] groups that one visit makes are bounded and paid for, and others are answered meanwhile", () => {
    const { problem, scan, slices } = ask({ events: 300, isOwn: true }, QUESTION_STEPS_MAX, isDerived);
    expect(problem).toMatchObject({ outOfSteps: "#/dimensions" });
    expect(scan.sums.size).toBeLessThanOrEqual(GROUPS_MAX + 1_500);
    expect(slices).toBeGreaterThan(20);
  });

  test("[FIL-6] [LIM-12] so are known groups that events are added to", () => {
    const views = ask({ events: 200, isOwn: false }, QUESTION_STEPS_MAX, isDerived);
    expect([views.problem, views.scan.sums.size]).toEqual([undefined, 1_500]);
    expect(views.slices).toBeGreaterThan(5);
    const sales = ask({ events: 100, isOwn: false, name: "purchase" }, QUESTION_STEPS_MAX, isDerived);
    expect(sales.stepsLeft).toBeLessThan(views.stepsLeft);
    expect(ask({ events: 200, isOwn: false }, QUESTION_STEPS_MAX / 8, isDerived).problem).toBeDefined();
  });

  test("[FIL-6] an event of more groups than one event may have ends the question before they are made", () => {
    const sent = { events: 3, isOwn: false, goals: ALL_REACHED };
    const { problem, scan } = ask(sent, QUESTION_STEPS_MAX, isDerived);
    expect(problem).toMatchObject({ outOfSteps: "#/dimensions", per: "event" });
    expect(scan.sums.size).toBe(0);
  });
});
