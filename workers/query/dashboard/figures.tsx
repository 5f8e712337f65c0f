// The numbers of a range as tiles, and one of them over time: of the overview, and of any page that is about some of
// them.

import { useMemo, useState } from "preact/hooks";
import { INTERVALS, type Interval } from "./address.ts";
import { ApiButton } from "./api-view.tsx";
import { shareToken } from "./boot.ts";
import { Change } from "./change.tsx";
import { Chart, type Point, Spark } from "./chart.tsx";
import { isTable } from "./keys.tsx";
import { late } from "./late.tsx";
import { METRICS, type MetricName, numberOf } from "./metric.ts";
import { notes, notesAt, useNotes } from "./notes.ts";
import type { Answer, Meta, Question } from "./numbers.ts";
import { Proof } from "./proof.tsx";
import { datesShown, today } from "./range.tsx";
import { Nothing, Trouble } from "./state.tsx";
import { comparisons, go, interval, parts, shop, view } from "./store.ts";
import { axisValue, bucket, dates, named, t, value } from "./text.ts";

/** What tiles and chart are asked with. */
export function figureQuestions(asked: readonly MetricName[]): Readonly<Record<"top" | "graph", Question>> {
  const compared = comparisons.value === undefined ? {} : { comparisons: comparisons.value };
  return {
    top: { metrics: asked, include: compared },
    graph: { metrics: asked, dimensions: [`time:${interval.value}`], include: { time_labels: true, ...compared } },
  };
}

/** The number that the address says, else the first; and what shows the next one. */
export function chosenOf(tiles: readonly [MetricName, ...MetricName[]]) {
  const metric = tiles.find((name) => name === view.value.metric) ?? tiles[0];
  const next = () => go({ metric: tiles[(tiles.indexOf(metric) + 1) % tiles.length] }, true);
  return { metric, next };
}

/** Whether the range has a Day that has not ended. */
function isRangeOpen(): boolean {
  const shown = datesShown();
  return shown !== undefined && shown[1] >= today();
}

interface TilesProps {
  /** What is asked, in the order of the answer. */
  readonly asked: readonly MetricName[];
  /** Those that have a tile. */
  readonly tiles: readonly MetricName[];
  readonly chosen: MetricName;
}

/** A tile for each number; the chosen one is in the chart. */
export function Tiles({ asked, tiles, chosen }: TilesProps) {
  const top = parts.value["top"];
  const graph = parts.value["graph"]?.answer;
  const row = top?.answer?.results[0];
  const currency = shop.value?.currency ?? "EUR";
  return (
    <section aria-label={t("tilesLabel")} aria-busy={top?.isStale ?? true}>
      <Trouble part={top} />
      <ul class="tiles">
        {tiles.map((name) => {
          const index = asked.indexOf(name);
          const own = row?.metrics[index];
          return (
            <li key={name} class={name === chosen ? "chosen" : undefined}>
              <button
                type="button"
                class="tile"
                aria-pressed={name === chosen}
                onClick={() => go({ metric: name }, true)}
              >
                <span class="label">{named(name)}</span>
                <b>{row === undefined ? <span class="wait" /> : value(name, own, currency)}</b>
                <span class="change-line">
                  {row?.comparison !== undefined && (
                    <Change change={row.comparison.change[index] ?? null} good={METRICS[name].good} />
                  )}
                </span>
                {graph !== undefined && <Spark values={graph.results.map(({ metrics }) => numberOf(metrics[index]))} />}
              </button>
              {top?.answer !== undefined && (
                <Proof metric={name} meta={top.answer.meta} value={numberOf(own) ?? 0} isOpen={isRangeOpen()} />
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

const Imported = late<{ readonly meta: Meta }>(() => import("./parts/imported/part.tsx"));
const Notes = late<{ readonly close: () => void }>(() => import("./parts/notes/part.tsx"));

/** The chosen number over time, as a chart or a table. */
export function Graph({ asked, metric }: { readonly asked: readonly MetricName[]; readonly metric: MetricName }) {
  const part = parts.value["graph"];
  const by = interval.value;
  const currency = shop.value?.currency ?? "EUR";
  const index = asked.indexOf(metric);
  const points = useMemo(() => pointsOf(part?.answer, { index, metric, by }), [part?.answer, index, by]);
  const [isNoting, setNoting] = useState(false);
  useNotes(part?.isStale === false ? datesShown() : undefined);
  const marks = useMemo(
    () =>
      notesAt(
        points.map(({ label }) => label),
        notes.value,
      ),
    [points, notes.value],
  );
  const hasBefore = points.some(({ before }) => before !== null) && comparisons.value !== undefined;
  const title = named(`title_${by}`).replace("{metric}", named(metric));
  const say = (one: number | null) => value(metric, one, currency);
  const zoom = (from: string, to: string) => go({ range: [from.slice(0, 10), lastDayOf(to, by)], by: undefined });
  const isEmpty = part?.answer !== undefined && part.answer.results.length === 0;
  return (
    <section class="graph" aria-labelledby="graph-title" aria-busy={part?.isStale ?? true}>
      <header>
        <h2 id="graph-title">{title}</h2>
        <fieldset class="switch">
          <legend class="hidden">{t("by")}</legend>
          {INTERVALS.map((one) => (
            <button key={one} type="button" aria-pressed={one === by} onClick={() => go({ by: one }, true)}>
              {named(`by_${one}`)}
            </button>
          ))}
        </fieldset>
        {shareToken === undefined && (
          <button type="button" class="link" aria-haspopup="dialog" onClick={() => setNoting(true)}>
            {t("notes")}
          </button>
        )}
        <ApiButton question={figureQuestions(asked).graph} name={title} />
        <button
          type="button"
          class="link"
          aria-pressed={isTable.value}
          onClick={() => (isTable.value = !isTable.value)}
        >
          {isTable.value ? t("chart") : t("table")}
        </button>
      </header>
      <Trouble part={part} />
      {isEmpty ? (
        <Nothing />
      ) : isTable.value ? (
        <Table {...{ title, points, hasBefore, say, by, marks }} />
      ) : (
        <Chart
          title={title}
          points={points}
          marks={marks}
          hasBefore={hasBefore}
          axis={(one) => axisValue(metric, one, currency)}
          name={(label, style) => bucket(label, by, style)}
          reading={(point) => <Reading {...{ point, points, hasBefore, say, by, metric, marks }} />}
          zoom={by === "hour" && points.length <= 25 ? undefined : zoom}
        />
      )}
      {part?.answer?.meta.imports_included !== undefined && <Imported meta={part.answer.meta} />}
      {isNoting && <Notes close={() => setNoting(false)} />}
    </section>
  );
}

interface ReadingProps {
  readonly point: Point | undefined;
  readonly points: readonly Point[];
  readonly hasBefore: boolean;
  readonly say: (value: number | null) => string;
  readonly by: Interval;
  readonly metric: MetricName;
  readonly marks: ReadonlyMap<number, string>;
}

/** The value under the pointer, or which line is which. */
function Reading({ point, points, hasBefore, say, by, metric, marks }: ReadingProps) {
  if (point === undefined) {
    const before = parts.value["graph"]?.answer?.meta.comparison_date_range;
    const shown = datesShown();
    return (
      <>
        {shown !== undefined && points.length > 0 && <span class="key now-key">{dates(shown[0], shown[1])}</span>}
        {hasBefore && before !== undefined && (
          <span class="key before-key">{dates(before[0].slice(0, 10), before[1].slice(0, 10))}</span>
        )}
        {points.some(({ isOpen }) => isOpen) && <span class="key open-key">{t("open")}</span>}
      </>
    );
  }
  const { label, value: own, before, beforeLabel, isOpen } = point;
  const change = own === null || !before ? null : Math.round((100 * (own - before)) / before);
  return (
    <>
      <span>{bucket(label, by, "full")}</span> <b>{say(own)}</b>
      {isOpen && <span class="mute">{t("open")}</span>}
      {hasBefore && before !== null && (
        <span class="mute">
          {beforeLabel === undefined ? t("before") : bucket(beforeLabel, by, "full")} {say(before)}
        </span>
      )}
      {hasBefore && <Change change={change} good={METRICS[metric].good} />}
      <NoteText text={marks.get(points.indexOf(point))} />
    </>
  );
}

/** What was noted of a bucket. */
function NoteText({ text }: { readonly text: string | undefined }) {
  return text === undefined ? null : <bdi class="mute">⚑ {text}</bdi>;
}

interface TableProps {
  readonly title: string;
  readonly points: readonly Point[];
  readonly hasBefore: boolean;
  readonly say: (value: number | null) => string;
  readonly by: Interval;
  readonly marks: ReadonlyMap<number, string>;
}

function Table({ title, points, hasBefore, say, by, marks }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keys have to reach it
    <section class="table-box" tabIndex={0} aria-label={title}>
      <table>
        <caption class="hidden">{title}</caption>
        <thead>
          <tr>
            <th scope="col">{t("when")}</th>
            <th scope="col">{t("rangeShown")}</th>
            {hasBefore && <th scope="col">{t("before")}</th>}
          </tr>
        </thead>
        <tbody>
          {points.map(({ label, value: own, before, isOpen }, at) => (
            <tr key={label}>
              <th scope="row">
                {bucket(label, by, "full")} {isOpen && <span class="mute">{t("open")}</span>}{" "}
                <NoteText text={marks.get(at)} />
              </th>
              <td>{say(own)}</td>
              {hasBefore && <td>{say(before)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/**
 * The buckets of an answer with their values. One in which nothing happened is zero; one that has not begun is a gap.
 */
function pointsOf(
  answer: Answer | undefined,
  { index, metric, by }: { readonly index: number; readonly metric: MetricName; readonly by: Interval },
): readonly Point[] {
  if (answer === undefined) return [];
  const rows = new Map(answer.results.map((row) => [row.dimensions[0], row]));
  const now = localNow(answer.meta.as_of);
  const hasBefore = answer.meta.comparison_date_range !== undefined;
  // Of nothing there is no average.
  const nothing = METRICS[metric].isSum ? 0 : null;
  return (answer.meta.time_labels ?? [...rows.keys()]).map((label = "") => {
    const row = rows.get(label);
    const isAhead = label > now;
    const before = row?.comparison;
    return {
      label,
      value: isAhead ? null : row === undefined ? nothing : numberOf(row.metrics[index]),
      before: !hasBefore || isAhead ? null : before === undefined ? nothing : numberOf(before.metrics[index]),
      beforeLabel: before?.dimensions[0],
      isOpen: !isAhead && endOf(label, by) > now,
    };
  });
}

/** An instant as labels write it, in the merchant's zone. */
function localNow(instant: string): string {
  const options = { dateStyle: "short", timeStyle: "medium", timeZone: shop.value?.time_zone ?? "UTC" } as const;
  return new Intl.DateTimeFormat("sv-SE", options).format(new Date(instant));
}

/** The label at which a bucket ends, which is compared with now as text. */
function endOf(label: string, by: Interval): string {
  const at = new Date(`${label.slice(0, 10)}T${label.slice(11) || "00:00:00"}Z`);
  if (by === "hour") at.setUTCHours(at.getUTCHours() + 1);
  else if (by === "month") at.setUTCMonth(at.getUTCMonth() + 1, 1);
  else at.setUTCDate(at.getUTCDate() + (by === "week" ? 7 : 1));
  return at.toISOString().slice(0, 19).replace("T", " ");
}

function lastDayOf(label: string, by: Interval): string {
  const end = new Date(`${endOf(label, by).slice(0, 10)}T00:00Z`);
  if (by === "hour") return label.slice(0, 10);
  end.setUTCDate(end.getUTCDate() - 1);
  const last = end.toISOString().slice(0, 10);
  return last > today() ? today() : last;
}
