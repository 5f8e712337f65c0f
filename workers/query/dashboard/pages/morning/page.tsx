// The page Morning: whether yesterday was good, what moved it, and how today goes, in sentences. Each number is the
// API's, or the sum of its days, and leads to the page that shows it. What is usual, and what is worth a look, is
// reckoned in reckon.ts.

import type { ComponentChildren } from "preact";
import { addDays, DEFAULT_VIEW, type View } from "../../address.ts";
import { Change } from "../../change.tsx";
import { Spark } from "../../chart.tsx";
import { DIMENSIONS, type DimensionName } from "../../dimension.ts";
import { Frame } from "../../frame.tsx";
import { METRICS, type MetricName, numberOf } from "../../metric.ts";
import type { Question, Row, Shared } from "../../numbers.ts";
import { today } from "../../range.tsx";
import { Trouble } from "../../state.tsx";
import { addressOfPage, goToPage, parts, shop, zoneOfShop } from "../../store.ts";
import { t as common, count, locale, named, speak, time, value, valueName } from "../../text.ts";
import { useAsk } from "../../use-ask.ts";
import { changeOf, type Days, type Listed, moversOf, sumOf, type Usual, usualOf, WEEKS, warningsOf } from "./reckon.ts";
import texts from "./text.ts";

const { t, tn } = speak(texts);

/** Of each day; `drops` are asked by themselves, because no other number stands beside them. */
const ASKED = ["total_revenue", "orders", "visitors", "visits"] as const satisfies readonly MetricName[];
const [REVENUE, ORDERS, VISITORS, VISITS] = [0, 1, 2, 3];
const WEEK_DAYS = 7;
/** Of what moved yesterday, as many values as are compared. */
const VALUES = 100;
const MOVED = ["source", "page", "product"] as const satisfies readonly DimensionName[];

const DAYS_QUESTION: Question = { metrics: ASKED, dimensions: ["time:day"], pagination: { limit: 1_000 } };
const DROPS_QUESTION: Question = { metrics: ["drops"], dimensions: ["time:day"], pagination: { limit: 1_000 } };
const TODAY_QUESTION: Question = {
  metrics: ASKED,
  include: { comparisons: { mode: "previous_period", match_day_of_week: true } },
};

/** What moved yesterday's number: money where there is any, else visitors. */
function movedQuestions(when: string): Readonly<Record<string, Question>> {
  const metricOf = (dimension: DimensionName) =>
    dimension === "product" ? "units" : dimension === "page" ? "visitors" : "total_revenue";
  return Object.fromEntries(
    MOVED.map((dimension) => [
      `${dimension}-${when}`,
      {
        metrics: dimension === "source" ? ["total_revenue", "visitors"] : [metricOf(dimension)],
        dimensions: [DIMENSIONS[dimension]],
        pagination: { limit: VALUES },
        include: { total_rows: true },
      },
    ]),
  );
}

/** Yesterday, today and the week, each beside what is usual. */
export default function Morning() {
  const own = shop.value;
  const yesterday = addDays(today(), -1);
  const weekBefore = addDays(yesterday, -WEEK_DAYS);
  const over = (date_range: Shared["date_range"]) => own && { site_id: own.id, date_range, filters: [] };
  const first = addDays(yesterday, 1 - WEEK_DAYS * (WEEKS + 1));
  useAsk({ days: DAYS_QUESTION, drops: DROPS_QUESTION }, over([first, yesterday]));
  useAsk({ today: TODAY_QUESTION }, over("day"));
  useAsk(movedQuestions("now"), over([yesterday, yesterday]));
  useAsk(movedQuestions("then"), over([weekBefore, weekBefore]));
  const { days: asked, drops, today: now } = parts.value;
  const isBusy = [asked, drops, now].some((part) => part === undefined || (part.isStale && part.failure === undefined));
  const days = asked?.answer && daysOf(asked.answer.results);
  const hasMoney = days !== undefined && [...days.values()].some((values) => values[REVENUE] !== 0);
  return (
    <Frame title={common("pageMorning")}>
      <div class="morning" aria-busy={isBusy}>
        <Trouble part={asked} />
        {days === undefined ? (
          asked?.failure === undefined && <p class="mute">{common("loading")}</p>
        ) : (
          <>
            <Yesterday days={days} date={yesterday} hasMoney={hasMoney} />
            <Today hasMoney={hasMoney} />
            <Warnings days={days} date={yesterday} />
            <Week days={days} date={yesterday} hasMoney={hasMoney} />
            <Moved hasMoney={hasMoney} date={yesterday} before={weekBefore} />
          </>
        )}
      </div>
    </Frame>
  );
}

function daysOf(rows: readonly Row[]): Days {
  return new Map(rows.map((row) => [row.dimensions[0] ?? "", row.metrics.map((one) => numberOf(one) ?? 0)]));
}

interface Shown {
  readonly days: Days;
  readonly date: string;
  readonly hasMoney: boolean;
}

/** The weekday of a date, such as "Friday". */
function weekday(date: string): string {
  return new Intl.DateTimeFormat(locale, { weekday: "long", timeZone: "UTC" }).format(new Date(`${date}T00:00Z`));
}

/** Such as "Friday, 27 November". */
function longDate(date: string): string {
  const options = { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" } as const;
  return new Intl.DateTimeFormat(locale, options).format(new Date(`${date}T00:00Z`));
}

function say(metric: MetricName, n: number): string {
  return value(metric, n, shop.value?.currency ?? "EUR");
}

interface LeadsToProps {
  readonly page: string;
  readonly view: Partial<View>;
  readonly class?: string;
  readonly children: ComponentChildren;
}

/** A link to where a number is shown with all that belongs to it. With a modifier key it opens a tab, as any link. */
function LeadsTo({ page, view, children, ...more }: LeadsToProps) {
  const next = { ...DEFAULT_VIEW, ...view };
  const follow = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    goToPage(page, next);
  };
  return (
    <a {...more} href={addressOfPage(page, next)} onClick={follow}>
      {children}
    </a>
  );
}

/** A number that leads to where it is shown. */
function Figure({
  metric,
  n,
  range,
}: {
  readonly metric: MetricName;
  readonly n: number;
  readonly range: View["range"];
}) {
  return (
    <LeadsTo class="number" page="overview" view={{ range, metric }}>
      <bdi>{say(metric, n)}</bdi>
    </LeadsTo>
  );
}

interface BesideProps {
  readonly metric: MetricName;
  readonly n: number;
  readonly usual: Usual | undefined;
  /** A sentence with {value}, such as "on a usual Friday: {value}". */
  readonly says: (value: string) => string;
}

/** How a number stands to what is usual. */
function Beside({ metric, n, usual, says }: BesideProps) {
  if (usual === undefined) return null;
  return (
    <span class="beside">
      <Change change={changeOf(n, usual.value)} good={METRICS[metric].good} />{" "}
      <span class="mute">{says(say(metric, usual.value))}</span>
    </span>
  );
}

function Yesterday({ days, date, hasMoney }: Shown) {
  const metrics: readonly (readonly [MetricName, number])[] = hasMoney
    ? [
        ["orders", ORDERS as number],
        ["visitors", VISITORS as number],
        ["visits", VISITS as number],
      ]
    : [["visits", VISITS as number]];
  const [metric, index] = hasMoney ? (["total_revenue", REVENUE] as const) : (["visitors", VISITORS] as const);
  const wanted = { index: index as number, date, span: 1 };
  const usual = usualOf(days, wanted);
  const n = sumOf(days, wanted);
  const day = weekday(date);
  const line = Array.from({ length: WEEK_DAYS * 2 }, (_, at) =>
    sumOf(days, { ...wanted, date: addDays(date, at + 1 - WEEK_DAYS * 2) }),
  );
  return (
    <section class="panel first-news" aria-labelledby="yesterday-title">
      <h2 id="yesterday-title">{t("yesterday", { date: longDate(date) })}</h2>
      <p class="headline">
        <Figure metric={metric} n={n} range={[date, date]} /> <span class="mute">{named(metric)}</span>
      </p>
      <p>
        <Beside {...{ metric, n, usual }} says={(value) => t("usualDay", { day, value })} />
      </p>
      <Spark values={line} />
      <dl class="news">
        {metrics.map(([name, at]) => {
          const own = { index: at, date, span: 1 };
          const sum = sumOf(days, own);
          return (
            <div key={name}>
              <dt>{named(name)}</dt>
              <dd>
                <Figure metric={name} n={sum} range={[date, date]} />{" "}
                <Beside metric={name} n={sum} usual={usualOf(days, own)} says={(value) => t("usualShort", { value })} />
              </dd>
            </div>
          );
        })}
      </dl>
      <p class="mute">{usual === undefined ? t("noUsual", { day }) : tn("usualHelp", usual.weeks, { day })}</p>
    </section>
  );
}

function Today({ hasMoney }: Pick<Shown, "hasMoney">) {
  const part = parts.value["today"];
  const row = part?.answer?.results[0];
  const metrics = hasMoney ? (["total_revenue", "orders", "visitors"] as const) : (["visitors", "visits"] as const);
  return (
    <section class="panel" aria-labelledby="today-title">
      <h2 id="today-title">{t("today")}</h2>
      <Trouble part={part} />
      {row !== undefined && part?.answer !== undefined && (
        <>
          <p class="mute">
            {t("todayLead", { time: time(part.answer.meta.as_of, zoneOfShop()), day: weekday(today()) })}
          </p>
          <dl class="news">
            {metrics.map((metric) => {
              const at = ASKED.indexOf(metric);
              const before = row.comparison?.metrics[at];
              return (
                <div key={metric}>
                  <dt>{named(metric)}</dt>
                  <dd>
                    <Figure metric={metric} n={numberOf(row.metrics[at]) ?? 0} range="day" />{" "}
                    {before !== undefined && (
                      <span class="beside">
                        <Change change={row.comparison?.change[at] ?? null} good={METRICS[metric].good} />{" "}
                        <span class="mute">{t("thenValue", { value: say(metric, numberOf(before) ?? 0) })}</span>
                      </span>
                    )}
                  </dd>
                </div>
              );
            })}
          </dl>
        </>
      )}
    </section>
  );
}

function Week({ days, date, hasMoney }: Shown) {
  const metrics = hasMoney ? (["total_revenue", "orders", "visits"] as const) : (["visits"] as const);
  const range = [addDays(date, 1 - WEEK_DAYS), date] as const;
  const usuals = metrics.map((metric) => usualOf(days, { index: ASKED.indexOf(metric), date, span: WEEK_DAYS }));
  return (
    <section class="panel" aria-labelledby="week-title">
      <h2 id="week-title">{t("week")}</h2>
      <dl class="news">
        {metrics.map((metric, at) => {
          const n = sumOf(days, { index: ASKED.indexOf(metric), date, span: WEEK_DAYS });
          return (
            <div key={metric}>
              <dt>{named(metric)}</dt>
              <dd>
                <Figure metric={metric} n={n} range={range} />{" "}
                <Beside {...{ metric, n }} usual={usuals[at]} says={(value) => t("usualShort", { value })} />
              </dd>
            </div>
          );
        })}
      </dl>
      <p class="mute">{usuals[0] === undefined ? t("noUsualWeek") : tn("usualWeekHelp", usuals[0].weeks)}</p>
    </section>
  );
}

interface MovedProps {
  readonly hasMoney: boolean;
  readonly date: string;
  readonly before: string;
}

/** What grew and what shrank most from the same weekday a week before. */
function Moved({ hasMoney, date, before }: MovedProps) {
  const rows = MOVED.flatMap((dimension) => {
    const metric = movedMetric(dimension, hasMoney);
    const [now, then] = ["now", "then"].map((when) => listedOf(`${dimension}-${when}`, dimension, hasMoney));
    if (now === undefined || then === undefined) return [];
    return moversOf(now, then).map((mover) => ({ ...mover, dimension, metric }));
  });
  const shown = MOVED.map((dimension) => parts.value[`${dimension}-now`]);
  const trouble = shown.find((part) => part?.failure !== undefined || part?.job !== undefined);
  const isBusy = shown.some((part) => part === undefined || (part.isStale && part.failure === undefined));
  return (
    <section class="panel" aria-labelledby="moved-title" aria-busy={isBusy}>
      <h2 id="moved-title">{t("moved")}</h2>
      <p class="mute">{t("movedLead", { date: longDate(before) })}</p>
      <Trouble part={trouble} />
      {rows.length === 0 ? (
        <p class="nothing">{isBusy ? common("loading") : t("movedNone")}</p>
      ) : (
        <ul class="moved">
          {rows.map(({ dimension, metric, name, now, before: was }) => (
            <li key={`${dimension} ${name}`}>
              <span aria-hidden="true" class={now > was ? "gain" : "loss"}>
                {now > was ? "▲" : "▼"}
              </span>
              <span>
                <span class="mute">{named(dimension)}</span>{" "}
                <LeadsTo page="overview" view={{ range: [date, date], filters: filtersOf(dimension, name) }}>
                  <bdi>{valueName(dimension, name)}</bdi>
                </LeadsTo>
                <br />
                {t("movedFrom", { metric: named(metric), value: say(metric, now), before: say(metric, was) })}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function filtersOf(dimension: DimensionName, name: string): View["filters"] {
  return [{ operator: "is", dimension, values: [name] }];
}

function movedMetric(dimension: (typeof MOVED)[number], hasMoney: boolean): MetricName {
  if (dimension === "product") return "units";
  return dimension === "source" && hasMoney ? "total_revenue" : "visitors";
}

function listedOf(part: string, dimension: (typeof MOVED)[number], hasMoney: boolean): Listed | undefined {
  const answer = parts.value[part]?.answer;
  const index = dimension === "source" && !hasMoney ? 1 : 0;
  return (
    answer && {
      values: new Map(answer.results.map((row) => [row.dimensions[0] ?? "", numberOf(row.metrics[index]) ?? 0])),
      areAll: (answer.meta.total_rows ?? 0) <= answer.results.length,
    }
  );
}

/** What is worth a look, or that nothing is. */
function Warnings({ days, date }: Omit<Shown, "hasMoney">) {
  const now = parts.value["today"]?.answer?.results[0];
  const dropped = parts.value["drops"]?.answer;
  if (now === undefined || dropped === undefined) return null;
  const left = { index: 0, date, span: 1 };
  const drops: Days = new Map(
    [...days.keys()].map((one) => [one, [0]] as const).concat([...daysOf(dropped.results)] as never),
  );
  const ordered = { index: ORDERS as number, date, span: 1 };
  const seen = {
    orders: sumOf(days, ordered),
    usualOrders: usualOf(days, ordered)?.value ?? 0,
    visitsToday: numberOf(now.metrics[VISITS as number]) ?? 0,
    visitsThen: numberOf(now.comparison?.metrics[VISITS as number]) ?? 0,
    leftOut: sumOf(drops, left),
    usualLeftOut: usualOf(drops, left)?.value ?? 0,
    visits: sumOf(days, { index: VISITS as number, date, span: 1 }),
  };
  const found = warningsOf(seen);
  const day = weekday(date);
  const says: Readonly<Record<(typeof found)[number], ComponentChildren>> = {
    noOrders: t("noOrders", { day, n: count(seen.usualOrders) }),
    noVisits: t("noVisits", { day: weekday(today()), n: count(seen.visitsThen) }),
    leftOut: t("leftOut", { day, n: count(seen.leftOut), usual: count(seen.usualLeftOut) }),
  };
  const page = { noOrders: "sales", noVisits: "settings", leftOut: "trust" } as const;
  const title = { sales: "pageSales", settings: "pageSettings", trust: "pageTrust" } as const;
  return (
    <section class="panel" aria-labelledby="look-title">
      <h2 id="look-title">{t("look")}</h2>
      {found.length === 0 ? (
        <p>{t("lookNone")}</p>
      ) : (
        <ul class="moved">
          {found.map((one) => (
            <li key={one}>
              <span aria-hidden="true" class="warn">
                ⚠
              </span>
              <span>
                {says[one]}{" "}
                <LeadsTo page={page[one]} view={{ range: [date, date] }}>
                  {common(title[page[one]])}
                </LeadsTo>
              </span>
            </li>
          ))}
        </ul>
      )}
      <p class="mute">{t("lookHelp")}</p>
    </section>
  );
}
