// The page Sales: money first, over time; what was sold, and what brought those who bought. A shop without orders
// is told how to send them.

import { ApiView } from "../../api-view.tsx";
import { type DimensionName, SALES_PANELS } from "../../dimension.ts";
import { chosenOf, figureQuestions, Graph, Tiles } from "../../figures.tsx";
import { Frame } from "../../frame.tsx";
import { type MetricName, numberOf } from "../../metric.ts";
import type { Answer } from "../../numbers.ts";
import { type Pair, Panels, questionsShown } from "../../panel.tsx";
import { Nothing, Trouble } from "../../state.tsx";
import { parts, shop, view } from "../../store.ts";
import { t as common, money, speak, named as word } from "../../text.ts";
import { useAsk } from "../../use-ask.ts";
import { ViewBar } from "../../view-bar.tsx";
import texts from "./text.ts";

const { t, named } = speak(texts);

const ASKED = [
  "total_revenue",
  "orders",
  "average_order_value",
  "units",
  "refunds",
  "gross_revenue",
] as const satisfies readonly MetricName[];

const PRODUCTS: readonly DimensionName[] = ["product", "category", "brand", "variant"];

/** A product has its own money and pieces; all else brought orders. */
function metricsOf(dimension: DimensionName): Pair {
  return PRODUCTS.includes(dimension) ? ["product_revenue", "units"] : ["total_revenue", "orders"];
}

/** What was sold in the range, and what brought it. */
export default function Sales() {
  useAsk({ ...figureQuestions(ASKED), ...questionsShown(SALES_PANELS, metricsOf) });
  const top = parts.value["top"];
  const { metric, next } = chosenOf(ASKED);
  const isEmpty = top?.answer !== undefined && !hasSales(top.answer);
  return (
    <Frame title={common("pageSales")} bar={<ViewBar />} nextMetric={next}>
      {isEmpty ? (
        <section class="panel" aria-busy={top.isStale}>
          <Trouble part={top} />
          {view.value.filters.length > 0 ? <Nothing /> : <HowTo />}
        </section>
      ) : (
        <>
          <p class="lead mute">{word("help_total_revenue")}</p>
          <Foreign answer={top?.answer} />
          <Tiles asked={ASKED} tiles={ASKED} chosen={metric} />
          <Graph asked={ASKED} metric={metric} />
          <Panels panels={SALES_PANELS} metricsOf={metricsOf} titleOf={named} hasMoney />
        </>
      )}
      <ApiView />
      <p class="hidden" role="status">
        {top?.isStale === false ? common("updated") : ""}
      </p>
    </Frame>
  );
}

/** Whether anything was bought or taken back in the range or the one before. */
function hasSales({ results: [row], meta }: Answer): boolean {
  const all = [...(row?.metrics ?? []), ...(row?.comparison?.metrics ?? [])];
  return all.some((one) => (numberOf(one) ?? 0) !== 0) || meta.metric_warnings !== undefined;
}

/** Money that no rate is known for. It is in no number, which is said beside them. */
function Foreign({ answer }: { readonly answer: Answer | undefined }) {
  const warning = answer?.meta.metric_warnings?.["total_revenue"];
  if (warning === undefined) return null;
  const amounts = warning.unconverted.map(({ currency, value }) => money(value, currency)).join(", ");
  return <p class="notice">{t("foreign", { amounts, currency: shop.value?.currency ?? "EUR" })}</p>;
}

/** As the page's script and a server send an order. */
const BY_PAGE = `footfall("event", "purchase", {
  order_id: "1001",
  revenue: { amount: 25, currency: "EUR" },
  products: [{ id: "A1", name: "Mat", price: 12.5, quantity: 2 }],
});`;
const BY_SERVER = `POST /v1/events
Authorization: Bearer API_KEY

{"events": [{"name": "purchase", "order_id": "1001",
  "visitor_id": "…", "revenue": {"amount": 25, "currency": "EUR"},
  "products": [{"id": "A1", "name": "Mat", "price": 12.5, "quantity": 2}]}]}`;

/** No orders: why that may be, and how they are sent. */
function HowTo() {
  return (
    <div class="how-to">
      <h2>{t("noOrders")}</h2>
      <p>{t("noOrdersLead")}</p>
      <h3>{t("byPage")}</h3>
      <Code>{BY_PAGE}</Code>
      <h3>{t("byServer")}</h3>
      <Code>{BY_SERVER}</Code>
      <p class="mute">{t("afterwards")}</p>
    </div>
  );
}

function Code({ children }: { readonly children: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keys have to reach it
    <pre tabIndex={0} dir="ltr">
      {children}
    </pre>
  );
}
