// How sure a number is: one mark by it, "exact", "± 12" or "open", that opens a card with the whole story.

import { useId } from "preact/hooks";
import type { MetricName } from "./metric.ts";
import { METRICS } from "./metric.ts";
import type { Meta } from "./numbers.ts";
import { zoneOfShop } from "./store.ts";
import { count, finePercent, named, t, time, zoneName } from "./text.ts";

interface Sure {
  readonly metric: MetricName;
  readonly meta: Meta;
  /** The number itself; undefined where the mark is about a list of them. */
  readonly value?: number | undefined;
  /** Whether the range has a Day that has not ended. */
  readonly isOpen: boolean;
}

/** The margin of an estimated number, in its unit or in per cent; undefined where the number is exact. */
function marginOf({ metric, meta, value }: Pick<Sure, "metric" | "meta" | "value">): string | undefined {
  const error = METRICS[metric].ofVisitors && meta.visitors?.exact === false ? meta.visitors.standard_error : undefined;
  if (error === undefined) return undefined;
  return value === undefined ? finePercent(error) : count(Math.ceil(value * error));
}

/** The mark of a number, and its card. */
export function Proof({ metric, meta, value, isOpen }: Sure) {
  const id = useId();
  const margin = marginOf({ metric, meta, value });
  const zone = zoneOfShop();
  const from = { rollups: t("proofFromRollups"), archive: t("proofFromEvents") }[meta.sources.from];
  const isImported = meta.imports !== undefined;
  const mark = isImported ? t("imported") : margin !== undefined ? `± ${margin}` : isOpen ? t("openMark") : t("exact");
  return (
    <span class="proof">
      <button type="button" popovertarget={id} aria-label={`${mark}. ${t("howSure", { metric: named(metric) })}`}>
        {mark}
      </button>
      <span id={id} popover="auto" class="card">
        <strong>{named(metric)}</strong>
        <span>{named(`help_${metric}`)}</span>
        {!isImported && <span>{margin === undefined ? t("exactLong") : t("aboutLong", { margin })}</span>}
        {isOpen && <span>{t("openLong")}</span>}
        {metric === "orders" && meta.orders?.exact === false && <span>{t("ordersTwice")}</span>}
        <span class="mute">{t("proofAsOf", { time: `${time(meta.as_of, zone)} ${zoneName(zone)}` })}</span>
        <span class="mute">{from ?? t("proofFromBoth")}</span>
        <span class="mute">{t("proofRules", { n: meta.rules })}</span>
      </span>
    </span>
  );
}
