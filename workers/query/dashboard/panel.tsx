// A panel: a few tabs, each a list of values with their numbers. A value is a button that filters by it. All values of
// a tab are in a drawer, which can be searched.

import { useEffect, useRef, useState } from "preact/hooks";
import { withFilter } from "./address.ts";
import { ApiButton } from "./api-view.tsx";
import { DIMENSIONS, type DimensionName, type PanelName } from "./dimension.ts";
import { late } from "./late.tsx";
import { METRICS, type MetricName, numberOf } from "./metric.ts";
import type { Question, Row } from "./numbers.ts";
import type { MapProps } from "./parts/map/part.tsx";
import { Proof } from "./proof.tsx";
import { Nothing, Trouble } from "./state.tsx";
import { ask, go, type Part, parts, round, shop, view } from "./store.ts";
import { named, t, tn, value, valueName } from "./text.ts";

const ROWS = 8;
const DRAWER_ROWS = 100;
/** The map shows all countries at once; there are some 250. */
const COUNTRIES_MAX = 300;
const WorldMap = late<MapProps>(() => import("./parts/map/part.tsx"));

/** The two numbers beside a value; the first is what bars and order go by. */
export type Pair = readonly [MetricName, MetricName];
type MetricsOf = (dimension: DimensionName) => Pair;
type PanelList = readonly (readonly [panel: PanelName, tabs: readonly DimensionName[]])[];

/** What a panel's tab is asked with. */
function questionOf(dimension: DimensionName, metrics: Pair, limit = ROWS): Question {
  return {
    metrics,
    dimensions: [DIMENSIONS[dimension]],
    pagination: { limit },
    include: { total_rows: true },
  };
}

/** The tab of a panel that the address says, else its first. */
function tabOf([panel, tabs]: PanelList[number]): DimensionName {
  return view.value.tabs[panel] ?? (tabs[0] as DimensionName);
}

interface PanelsProps {
  readonly panels: PanelList;
  readonly metricsOf: MetricsOf;
  readonly titleOf: (panel: PanelName) => string;
  /** Where there is no money, its column is left out. */
  readonly hasMoney: boolean;
}

/** The panels of a page, and the drawer with all values of one of their tabs. */
export function Panels({ panels, metricsOf, titleOf, hasMoney }: PanelsProps) {
  const { all } = view.value;
  return (
    <>
      <div class="panels">
        {panels.map(([panel, tabs]) => (
          <Panel key={panel} {...{ panel, tabs, metricsOf, hasMoney }} title={titleOf(panel)} />
        ))}
      </div>
      {all !== undefined && <Drawer key={all} dimension={all} metrics={metricsOf(all)} hasMoney={hasMoney} />}
    </>
  );
}

interface PanelProps extends Omit<PanelsProps, "panels" | "titleOf"> {
  readonly panel: PanelName;
  readonly tabs: readonly DimensionName[];
  readonly title: string;
}

/** One panel with its tabs. */
function Panel({ panel, tabs, title, metricsOf, hasMoney }: PanelProps) {
  const chosen = tabOf([panel, tabs]);
  const metrics = metricsOf(chosen);
  const part = parts.value[panel];
  const total = part?.answer?.meta.total_rows ?? 0;
  const choose = (name: DimensionName) => {
    const { [panel]: _, ...others } = view.value.tabs;
    go({ tabs: name === tabs[0] ? others : { ...others, [panel]: name } }, true);
  };
  const turn = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const list = event.currentTarget as HTMLElement;
    if (step === undefined) return;
    const towards = getComputedStyle(list).direction === "rtl" ? -step : step;
    choose(tabs[(tabs.indexOf(chosen) + towards + tabs.length) % tabs.length] as DimensionName);
    requestAnimationFrame(() => list.querySelector<HTMLElement>("[aria-selected=true]")?.focus());
  };
  const id = `panel-${panel}`;
  return (
    <section class="panel" aria-labelledby={`${id}-title`} aria-busy={part?.isStale ?? true}>
      <header>
        <h2 id={`${id}-title`}>{title}</h2>
        <div role="tablist" aria-labelledby={`${id}-title`} onKeyDown={turn}>
          {tabs.map((name) => (
            <button
              key={name}
              type="button"
              role="tab"
              id={`${id}-${name}`}
              aria-controls={id}
              aria-selected={name === chosen}
              tabIndex={name === chosen ? 0 : -1}
              onClick={() => choose(name)}
            >
              {named(name)}
            </button>
          ))}
        </div>
      </header>
      <div role="tabpanel" id={id} aria-labelledby={`${id}-${chosen}`} class="rows-box">
        <Trouble part={part} />
        <Rows dimension={chosen} metrics={metrics} part={part} hasMoney={hasMoney} />
      </div>
      <footer>
        <ApiButton question={questionOf(chosen, metrics)} name={title} />
        {total > ROWS && (
          <button type="button" class="link" onClick={() => go({ all: chosen })}>
            {tn("allOf", total)}
          </button>
        )}
        {chosen === "country" && (
          <button type="button" class="link" onClick={() => go({ all: chosen })}>
            {t("map")}
          </button>
        )}
        {part?.answer !== undefined && <Proof metric={metrics[0]} meta={part.answer.meta} isOpen={false} />}
      </footer>
    </section>
  );
}

interface RowsProps {
  readonly dimension: DimensionName;
  readonly metrics: Pair;
  readonly part: Part | undefined;
  readonly hasMoney: boolean;
  readonly chosen?: () => void;
}

function Rows({ dimension, metrics: pair, part, hasMoney, chosen }: RowsProps) {
  const rows = part?.answer?.results;
  if (rows === undefined) return part?.failure === undefined ? <Skeleton /> : null;
  if (rows.length === 0) return <Nothing />;
  const largest = Math.max(1, ...rows.map(({ metrics }) => numberOf(metrics[0]) ?? 0));
  const metrics = hasMoney ? pair : pair.filter((metric) => METRICS[metric].kind !== "money");
  return (
    <table class="rows">
      <thead>
        <tr>
          <th scope="col">{named(dimension)}</th>
          {metrics.map((metric) => (
            <th key={metric} scope="col" class={METRICS[metric].kind === "money" ? "of-money" : undefined}>
              {named(metric)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <ValueRow key={row.dimensions[0]} {...{ dimension, row, metrics, largest, chosen }} />
        ))}
      </tbody>
    </table>
  );
}

interface ValueRowProps {
  readonly dimension: DimensionName;
  readonly row: Row;
  readonly metrics: readonly MetricName[];
  readonly largest: number;
  readonly chosen: (() => void) | undefined;
}

function ValueRow({ dimension, row, metrics, largest, chosen }: ValueRowProps) {
  const raw = row.dimensions[0] ?? "";
  const name = valueName(dimension, raw);
  const currency = shop.value?.currency ?? "EUR";
  const width = Math.max(0.5, (100 * (numberOf(row.metrics[0]) ?? 0)) / largest);
  const filter = () => {
    chosen?.();
    filterBy(dimension, raw);
  };
  return (
    <tr>
      <th scope="row">
        <svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
          <rect width={width} height="1" />
        </svg>
        {raw === "(other)" ? (
          <span class="value">{name}</span>
        ) : (
          <button
            type="button"
            class="value"
            title={name.length > 28 ? name.slice(0, 300) : undefined}
            onClick={filter}
          >
            {dimension === "country" && (
              <span class="code" aria-hidden="true">
                {/^[A-Z]{2}$/.test(raw) ? raw : ""}
              </span>
            )}
            <bdi>{name}</bdi>
          </button>
        )}
      </th>
      {metrics.map((metric, index) => (
        <td key={metric}>{value(metric, row.metrics[index], currency)}</td>
      ))}
    </tr>
  );
}

/** That value alone of its dimension; the drawer goes. */
function filterBy(dimension: DimensionName, raw: string): void {
  go({ filters: withFilter(view.value.filters, { operator: "is", dimension, values: [raw] }), all: undefined });
}

function Skeleton() {
  return (
    <div class="skeleton" role="status" aria-label={t("loading")}>
      {Array.from({ length: ROWS }, (_, index) => (
        <span key={index} />
      ))}
    </div>
  );
}

/** All values of a dimension. Opening it is a step in the history, searching in it is not. */
function Drawer({ dimension, metrics, hasMoney }: Pick<RowsProps, "dimension" | "metrics" | "hasMoney">) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [wanted, setWanted] = useState("");
  const [limit, setLimit] = useState(dimension === "country" ? COUNTRIES_MAX : DRAWER_ROWS);
  const part = parts.value["drawer"];
  const total = part?.answer?.meta.total_rows ?? 0;
  const close = () => go({ all: undefined });
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  const again = round.value;
  useEffect(() => {
    const later = setTimeout(
      () => {
        const only = [["contains", DIMENSIONS[dimension], [wanted], { case_sensitive: false }]];
        ask({ drawer: { ...questionOf(dimension, metrics, limit), filters: wanted === "" ? [] : only } });
      },
      wanted === "" ? 0 : 200,
    );
    return () => clearTimeout(later);
  }, [dimension, wanted, limit, again]);
  return (
    <dialog
      ref={dialog}
      class={dimension === "country" ? "drawer with-map" : "drawer"}
      aria-label={t("allTitle", { name: named(dimension) })}
      onClose={close}
    >
      <header>
        <h2>{named(dimension)}</h2>
        <input
          type="search"
          aria-label={t("searchIn")}
          placeholder={t("searchIn")}
          value={wanted}
          onInput={(event) => setWanted(event.currentTarget.value)}
        />
        <button type="button" aria-label={t("close")} onClick={() => dialog.current?.close()}>
          ×
        </button>
      </header>
      <div class="scroll" aria-busy={part?.isStale ?? true}>
        <Trouble part={part} />
        {dimension === "country" && (
          <WorldMap
            rows={part?.answer?.results ?? []}
            metric={metrics[0]}
            currency={shop.value?.currency ?? "EUR"}
            choose={(code) => filterBy(dimension, code)}
          />
        )}
        <Rows dimension={dimension} metrics={metrics} part={part} hasMoney={hasMoney} />
        {total > limit && (
          <button type="button" onClick={() => setLimit(limit + DRAWER_ROWS)}>
            {t("showMore")}
          </button>
        )}
      </div>
    </dialog>
  );
}

/** The questions of the panels as they stand. */
export function questionsShown(panels: PanelList, metricsOf: MetricsOf): Readonly<Record<string, Question>> {
  return Object.fromEntries(
    panels.map((panel) => {
      const tab = tabOf(panel);
      return [panel[0], questionOf(tab, metricsOf(tab))];
    }),
  );
}
