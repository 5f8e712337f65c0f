// The map of countries, beside the table of all of them: the more somebody came from a country, the darker it is. Only
// countries that have a number are stops for the keyboard, one after the other by their number; a press filters.

import { useRef, useState } from "preact/hooks";
import { type MetricName, numberOf } from "../../metric.ts";
import type { Row } from "../../numbers.ts";
import { named, regionName, speak, value } from "../../text.ts";
import texts from "./text.ts";
import { SHEET, WORLD } from "./world.ts";

const { t } = speak(texts);

/** Outlines by the code of their country. */
const OUTLINES: ReadonlyMap<string, string> = new Map(
  WORLD.trim()
    .split("\n")
    .map((line) => [line.slice(0, 2), line.slice(3)] as const),
);
/** How dark the smallest number is: it must be told from none. */
const FAINTEST = 0.25;

export interface MapProps {
  readonly rows: readonly Row[];
  /** What countries are coloured by: the first number of each row. */
  readonly metric: MetricName;
  readonly currency: string;
  readonly choose: (country: string) => void;
}

/** The map; under it the country that is looked at, and those that are too small to be drawn. */
export default function WorldMap({ rows, metric, currency, choose }: MapProps) {
  const drawing = useRef<SVGSVGElement>(null);
  const [looked, look] = useState<string>();
  const numbers = rows.map((row) => [row.dimensions[0] ?? "", numberOf(row.metrics[0]) ?? 0] as const);
  const drawn = numbers.filter(([code, n]) => OUTLINES.has(code) && n > 0);
  const small = numbers.filter(([code]) => /^[A-Z]{2}$/.test(code) && !OUTLINES.has(code));
  const largest = Math.max(1, ...drawn.map(([, n]) => n));
  const at = Math.max(
    0,
    drawn.findIndex(([code]) => code === looked),
  );
  const say = (code: string) => {
    const n = numbers.find(([one]) => one === code)?.[1];
    return `${regionName(code)}: ${value(metric, n, currency)} ${named(metric)}`;
  };
  const turn = (event: KeyboardEvent) => {
    const last = drawn.length - 1;
    const places: Record<string, number> = {
      ...{ ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1 },
      ...{ Home: 0, End: last },
    };
    const place = places[event.key];
    const code = drawn[Math.min(last, Math.max(0, place ?? at))]?.[0];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (code !== undefined) choose(code);
    }
    if (place === undefined || code === undefined) return;
    event.preventDefault();
    look(code);
    drawing.current?.querySelector<SVGElement>(`[data-country="${code}"]`)?.focus();
  };
  return (
    <div class="world">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is no drawing */}
      <svg
        ref={drawing}
        viewBox={`0 0 ${SHEET.width} ${SHEET.height}`}
        role="group"
        aria-label={t("map")}
        onKeyDown={turn}
        onMouseLeave={() => look(undefined)}
      >
        {[...OUTLINES].map(([code, path]) => {
          const index = drawn.findIndex(([one]) => one === code);
          if (index < 0) return <path key={code} d={path} />;
          const share = Math.sqrt((drawn[index]?.[1] ?? 0) / largest);
          return (
            // biome-ignore lint/a11y/useSemanticElements: an SVG has no buttons
            <path
              key={code}
              d={path}
              data-country={code}
              class="some"
              fill-opacity={(FAINTEST + (1 - FAINTEST) * share).toFixed(2)}
              role="button"
              tabIndex={index === at ? 0 : -1}
              aria-label={say(code)}
              onFocus={() => look(code)}
              onMouseEnter={() => look(code)}
              onClick={() => choose(code)}
            />
          );
        })}
      </svg>
      <p class="reading" aria-hidden="true">
        {looked === undefined ? t("how") : say(looked)}
      </p>
      {small.length > 0 && (
        <p class="mute">{t("small", { names: small.map(([code]) => regionName(code)).join(", ") })}</p>
      )}
    </div>
  );
}
