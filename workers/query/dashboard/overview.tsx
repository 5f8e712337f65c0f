// The overview: the numbers of a range, one of them over time, and what they are made of. Everything that is shown is
// asked for here, from the address alone.

import { useEffect } from "preact/hooks";
import { toSearch } from "./address.ts";
import { ApiView } from "./api-view.tsx";
import { embedded, shareToken } from "./boot.ts";
import { type DimensionName, PANELS } from "./dimension.ts";
import { chosenOf, figureQuestions, Graph, Tiles } from "./figures.tsx";
import { Frame } from "./frame.tsx";
import { keepText, recallText } from "./keep.ts";
import { ASKED, numberOf, TILES_OF_SALES, TILES_OF_VISITS } from "./metric.ts";
import type { Answer, Asked } from "./numbers.ts";
import { type Pair, Panels, questionsShown } from "./panel.tsx";
import { datesShown } from "./range.tsx";
import { parts, shop, view } from "./store.ts";
import { dates, named, t } from "./text.ts";
import { useAsk } from "./use-ask.ts";
import { ViewBar } from "./view-bar.tsx";

const isCompact = embedded !== undefined;

/** What the page asks, as the view stands. */
export function overviewQuestions(): Readonly<Record<string, Asked>> {
  return { ...figureQuestions(ASKED), ...(isCompact ? {} : questionsShown(PANELS, metricsOf)) };
}

/** The page of a shop, or of what a share link admits. */
export function Overview() {
  useAsk(overviewQuestions());
  const top = parts.value["top"];
  const hasMoney = useMoney(top?.answer);
  const tiles = hasMoney ? TILES_OF_SALES : TILES_OF_VISITS;
  const { metric, next } = chosenOf(tiles);
  return (
    <Frame title={t("overview")} bar={isCompact ? undefined : <ViewBar />} nextMetric={next} isBare={isCompact}>
      <Tiles asked={ASKED} tiles={tiles} chosen={metric} />
      <Graph asked={ASKED} metric={metric} />
      {isCompact ? <Whole /> : <Panels panels={PANELS} metricsOf={metricsOf} titleOf={named} hasMoney={hasMoney} />}
      <ApiView />
      <p class="hidden" role="status">
        {top?.isStale === false ? t("updated") : ""}
      </p>
    </Frame>
  );
}

/** From a frame to the same view in a window of its own, with all that the link shows. */
function Whole() {
  const { range } = view.value;
  const shown = datesShown();
  return (
    <p class="choices">
      {typeof range === "string" && <span>{named(`range_${range}`)}</span>}
      {shown !== undefined && <span class="mute">{dates(...shown)}</span>}
      <a href={`/share${toSearch(view.value)}#${shareToken}`} target="_blank" rel="noreferrer">
        {t("shareWhole")}
      </a>
    </p>
  );
}

/**
 * What stands beside a value on the overview. A page earns nothing by itself; what came of it is said of
 * the page a visit began with.
 */
function metricsOf(dimension: DimensionName): Pair {
  if (dimension === "product") return ["units", "product_revenue"];
  if (dimension === "page" || dimension === "hostname") return ["visitors", "pageviews"];
  return dimension === "exit" ? ["visitors", "visits"] : ["visitors", "total_revenue"];
}

/** Whether the shop takes money, which decides what comes first. Until an answer says so, it is as it was. */
function useMoney(answer: Answer | undefined): boolean {
  const key = `footfall-money-${shop.value?.id ?? ""}`;
  const row = answer?.results[0];
  const told =
    row && [row.metrics[0], row.metrics[1], row.comparison?.metrics[0]].some((one) => (numberOf(one) ?? 0) !== 0);
  useEffect(() => {
    if (told === true) keepText(key, "yes");
  }, [told, key]);
  return told === true || recallText(key) === "yes";
}
