// A panel: a few tabs, each a list of values with their numbers. A value is a button that filters by it. All values of a tab are in
// a drawer, which can be searched.

import { useEffect, useRef, useState } from "preact/hooks";
import { withFilter } from "./address.ts";
import { ApiButton } from "./api-view.tsx";
import { DIMENSIONS, type DimensionName, PANELS, type PanelName } from "./dimension.ts";
import { METRICS, type MetricName, numberOf } from "./metric.ts";
import type { Question, Row } from "./numbers.ts";
import { Proof } from "./proof.tsx";
import { Nothing, Trouble } from "./state.tsx";
import { ask, go, type Part, parts, round, shop, view } from "./store.ts";
import { named, t, tn, value, valueName } from "./text.ts";

const ROWS = 8;
const DRAWER_ROWS = 100;

/** What a panel's tab is asked with. */
export function questionOf(dimension: DimensionName, limit = ROWS): Question {
  return {
    metrics: metricsOf(dimension),
    dimensions: [DIMENSIONS[dimension]],
    pagination: { limit },
    include: { total_rows: true },
  };
}

/** What stands beside a value. A page earns nothing by itself; what came of it is said of the page a visit began with. */
function metricsOf(dimension: DimensionName): readonly [MetricName, MetricName] {
  if (dimension === "product") return ["units", "product_revenue"];
  if (dimension === "page" || dimension === "hostname") return ["visitors", "pageviews"];
  return dimension === "exit" ? ["visitors", "visits"] : ["visitors", "total_revenue"];
}

/** The tab of a panel that the address says, else its first. */
function tabOf(panel: PanelName): DimensionName {
  const first = PANELS.find(([name]) => name === panel)?.[1][0] ?? "source";
  return view.value.tabs[panel] ?? first;
}

/** One panel with its tabs. */
export function Panel({
  panel,
  tabs,
  hasMoney,
}: {
  panel: PanelName;
  tabs: readonly DimensionName[];
  hasMoney: boolean;
}) {
  const chosen = tabOf(panel);
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
        <h2 id={`${id}-title`}>{named(panel)}</h2>
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
        <Rows dimension={chosen} part={part} hasMoney={hasMoney} />
      </div>
      <footer>
        <ApiButton question={questionOf(chosen)} name={named(panel)} />
        {total > ROWS && (
          <button type="button" class="link" onClick={() => go({ all: chosen })}>
            {tn("allOf", total)}
          </button>
        )}
        {part?.answer?.meta.visitors && chosen !== "product" && (
          <Proof metric="visitors" meta={part.answer.meta} isOpen={false} />
        )}
      </footer>
    </section>
  );
}

interface RowsProps {
  readonly dimension: DimensionName;
  readonly part: Part | undefined;
  readonly hasMoney: boolean;
  readonly chosen?: () => void;
}

function Rows({ dimension, part, hasMoney, chosen }: RowsProps) {
  const rows = part?.answer?.results;
  if (rows === undefined) return part?.failure === undefined ? <Skeleton /> : null;
  if (rows.length === 0) return <Nothing />;
  const [first, second] = metricsOf(dimension);
  const largest = Math.max(1, ...rows.map(({ metrics }) => numberOf(metrics[0]) ?? 0));
  const metrics = hasMoney || METRICS[second].kind !== "money" ? [first, second] : [first];
  return (
    <table class="rows">
      <thead>
        <tr>
          <th scope="col">{named(dimension)}</th>
          {metrics.map((metric) => (
            <th key={metric} scope="col">
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
    go({ filters: withFilter(view.value.filters, { operator: "is", dimension, values: [raw] }), all: undefined });
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
export function Drawer({ dimension, hasMoney }: { readonly dimension: DimensionName; readonly hasMoney: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [wanted, setWanted] = useState("");
  const [limit, setLimit] = useState(DRAWER_ROWS);
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
        ask({ drawer: { ...questionOf(dimension, limit), filters: wanted === "" ? [] : only } });
      },
      wanted === "" ? 0 : 200,
    );
    return () => clearTimeout(later);
  }, [dimension, wanted, limit, again]);
  return (
    <dialog ref={dialog} class="drawer" aria-label={t("allTitle", { name: named(dimension) })} onClose={close}>
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
        <Rows dimension={dimension} part={part} hasMoney={hasMoney} />
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
export function questionsShown(): Readonly<Record<string, Question>> {
  return Object.fromEntries(PANELS.map(([panel]) => [panel, questionOf(tabOf(panel))]));
}
