// The one chart: a line of this period, a dashed one of the other, drawn at the width there is, so that its words
// keep their size. What has not ended yet is dotted. The reading above it says the value under the pointer or the
// keys; a table says them all.

import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "./text.ts";

export interface Point {
  readonly label: string;
  readonly value: number | null;
  readonly before: number | null;
  readonly beforeLabel?: string | undefined;
  /** Whether its bucket has not ended. */
  readonly isOpen: boolean;
}

interface ChartProps {
  readonly title: string;
  readonly points: readonly Point[];
  readonly hasBefore: boolean;
  /** What was noted, by the place of its bucket. */
  readonly marks: ReadonlyMap<number, string>;
  readonly axis: (value: number) => string;
  readonly name: (label: string, style: "axis" | "full") => string;
  readonly reading: (point: Point | undefined) => preact.ComponentChildren;
  /** A bucket, or those from one to another, alone. */
  readonly zoom?: ((from: string, to: string) => void) | undefined;
}

const BOTTOM = 24;
const TOP = 12;

/** A line over time, with its reading, its keys and its zoom. */
export function Chart({ title, points, hasBefore, marks, axis, name, reading, zoom }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [at, setAt] = useState(-1);
  const [from, setFrom] = useState(-1);
  useEffect(() => {
    const seen = box.current;
    if (seen === null) return undefined;
    const observer = new ResizeObserver(() => setWidth(seen.clientWidth));
    observer.observe(seen);
    return () => observer.disconnect();
  }, []);
  useEffect(() => setAt(-1), [points]);

  const height = width < 560 ? Math.round(width / 1.6) : 248;
  const ticks = ticksOf(points, hasBefore);
  const low = ticks[0] ?? 0;
  const high = ticks.at(-1) ?? 1;
  const labels = ticks.map(axis);
  const start = 12 + Math.max(...labels.map((label) => label.length)) * 6.6;
  const end = width - 12;
  const x = (index: number) =>
    points.length < 2 ? (start + end) / 2 : start + ((end - start) * index) / (points.length - 1);
  const y = (value: number) => TOP + ((height - TOP - BOTTOM) * (high - value)) / (high - low || 1);
  const indexAt = (event: PointerEvent) => {
    const left = box.current?.getBoundingClientRect().left ?? 0;
    const index = Math.round(((event.clientX - left - start) / (end - start || 1)) * (points.length - 1));
    return Math.max(0, Math.min(points.length - 1, index));
  };
  const show = (first: number, last: number) => {
    const [one, other] = [Math.min(first, last), Math.max(first, last)].map((index) => points[index]?.label);
    if (one !== undefined && other !== undefined) zoom?.(one, other);
  };
  const key = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -1e9, End: 1e9 }[event.key];
    if (event.key === "Enter" && at >= 0) show(at, at);
    if (step === undefined) return;
    event.preventDefault();
    setAt(Math.max(0, Math.min(points.length - 1, (at < 0 ? (step < 0 ? points.length : -1) : at) + step)));
  };
  const up = (event: PointerEvent) => {
    const to = indexAt(event);
    if (from >= 0 && Math.abs(to - from) > 0) show(from, to);
    setFrom(-1);
  };
  const leave = () => {
    setAt(-1);
    setFrom(-1);
  };
  const every = Math.max(1, Math.ceil((points.length * 76) / Math.max(1, end - start)));
  const now = lines(
    points.map(({ value }) => value),
    x,
    y,
  );
  const open = points.findIndex(({ isOpen, value }) => isOpen && value !== null);
  const closed =
    open < 0
      ? now
      : lines(
          points.map(({ value }, index) => (index < open ? value : null)),
          x,
          y,
        );
  const tail =
    open < 0
      ? ""
      : lines(
          points.map(({ value }, index) => (index >= open - 1 ? value : null)),
          x,
          y,
        );
  const current = points[at];
  const isDense = points.length > 45;

  return (
    <figure class="chart">
      <p class="reading" aria-live={at >= 0 ? "polite" : "off"}>
        {reading(current)}
      </p>
      <div ref={box}>
        {width > 0 && (
          <svg
            width={width}
            height={height}
            role="img"
            // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys read its values
            tabIndex={0}
            aria-label={`${title}. ${t("chartHelp")}`}
            onKeyDown={key}
            onBlur={() => setAt(-1)}
            onPointerMove={(event) => setAt(indexAt(event))}
            onPointerLeave={leave}
            onPointerDown={(event) => event.pointerType === "mouse" && zoom !== undefined && setFrom(indexAt(event))}
            onPointerUp={up}
          >
            {ticks.map((tick, index) => (
              <g key={tick} class={tick === 0 ? "zero" : "grid"}>
                <line x1={start} x2={end} y1={y(tick)} y2={y(tick)} />
                <text x={start - 8} y={y(tick) + 4} text-anchor="end">
                  {labels[index]}
                </text>
              </g>
            ))}
            {points.map(({ label }, index) =>
              index % every === 0 ? (
                <text key={label} x={x(index)} y={height - 6} text-anchor={anchorOf(x(index), start, end)}>
                  {name(label, "axis")}
                </text>
              ) : null,
            )}
            {[...marks].map(([index, text]) => (
              <path key={index} class="flag" d={`M${x(index)} ${height - BOTTOM}l-5 -9h10z`}>
                <title>{text}</title>
              </path>
            ))}
            {from >= 0 && at >= 0 && (
              <rect
                class="chosen"
                x={Math.min(x(from), x(at))}
                y={TOP}
                width={Math.abs(x(at) - x(from))}
                height={height - TOP - BOTTOM}
              />
            )}
            {hasBefore && (
              <path
                class="before"
                d={lines(
                  points.map(({ before }) => before),
                  x,
                  y,
                )}
              />
            )}
            {points.length > 1 && low === 0 && (
              <path
                class="area"
                d={areaOf(
                  points.map(({ value }) => value),
                  x,
                  y,
                )}
              />
            )}
            <path class="now" d={closed} />
            {tail !== "" && <path class="now tail" d={tail} />}
            {!isDense &&
              points.map(({ label, value, isOpen }, index) =>
                value === null ? null : (
                  <circle key={label} class={isOpen ? "dot open" : "dot"} cx={x(index)} cy={y(value)} r={3} />
                ),
              )}
            {current !== undefined && (
              <g class="cursor">
                <line x1={x(at)} x2={x(at)} y1={TOP} y2={height - BOTTOM} />
                {current.before !== null && hasBefore && (
                  <circle class="then" cx={x(at)} cy={y(current.before)} r={4} />
                )}
                {current.value !== null && <circle cx={x(at)} cy={y(current.value)} r={5} />}
              </g>
            )}
          </svg>
        )}
      </div>
    </figure>
  );
}

/** Four or five round values that hold zero and everything that is drawn. */
function ticksOf(points: readonly Point[], hasBefore: boolean): readonly number[] {
  const all = points.flatMap(({ value, before }) => [value ?? 0, hasBefore ? (before ?? 0) : 0]);
  const high = Math.max(0, ...all);
  const low = Math.min(0, ...all);
  const rough = (high - low || 4) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step));
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

type Scale = (value: number) => number;

/** A path through the values; where there is none it is a gap. */
function lines(values: readonly (number | null)[], x: Scale, y: Scale): string {
  let path = "";
  let isDown = false;
  values.forEach((value, index) => {
    if (value !== null) path += `${isDown ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    isDown = value !== null;
  });
  return path;
}

function areaOf(values: readonly (number | null)[], x: Scale, y: Scale): string {
  const until = values.indexOf(null);
  const whole = until < 0 ? values : values.slice(0, until);
  return whole.length < 2 ? "" : `${lines(whole, x, y)}L${x(whole.length - 1)} ${y(0)}L${x(0)} ${y(0)}Z`;
}

function anchorOf(at: number, start: number, end: number): "start" | "middle" | "end" {
  return at < start + 24 ? "start" : at > end - 24 ? "end" : "middle";
}

/** A line without words, of the same values, for a tile. */
export function Spark({ values }: { readonly values: readonly (number | null)[] }) {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return <svg class="spark" aria-hidden="true" />;
  const [low, high] = [Math.min(0, ...known), Math.max(...known)];
  const x = (index: number) => (100 * index) / (values.length - 1);
  const y = (value: number) => 1 + (22 * (high - value)) / (high - low || 1);
  return (
    <svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
      <path d={lines(values, x, y)} vector-effect="non-scaling-stroke" />
    </svg>
  );
}
