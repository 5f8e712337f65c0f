// The page Sales: money first, over time; what was sold, and what brought those who bought. A shop without orders
// is told how to send them.

import { withFilter } from "../../address.ts";
import { ApiButton, ApiView } from "../../api-view.tsx";
import { type DimensionName, SALES_PANELS } from "../../dimension.ts";
import { chosenOf, figureQuestions, Graph, Tiles } from "../../figures.tsx";
import { Frame } from "../../frame.tsx";
import { type MetricName, numberOf } from "../../metric.ts";
import type { Answer, Report } from "../../numbers.ts";
import { type Pair, Panels, questionsShown } from "../../panel.tsx";
import { Nothing, Trouble } from "../../state.tsx";
import { go, parts, shop, view, zoneOfShop } from "../../store.ts";
import { t as common, count, duration, moment, money, speak, valueName, named as word } from "../../text.ts";
import { useAsk } from "../../use-ask.ts";
import { ViewBar } from "../../view-bar.tsx";
import texts from "./text.ts";

const { t, tn, named } = speak(texts);

const ASKED = [
  "total_revenue",
  "orders",
  "average_order_value",
  "units",
  "refunds",
  "gross_revenue",
] as const satisfies readonly MetricName[];

const PRODUCTS: readonly DimensionName[] = ["product", "category", "brand", "variant"];

/** In the address, where the last orders are shown. */
const LISTED = "orders";
const ORDERS = 20;
const LAST_ORDERS: Report = { kind: "orders", limit: ORDERS };

/** A product has its own money and pieces; all else brought orders. */
function metricsOf(dimension: DimensionName): Pair {
  return PRODUCTS.includes(dimension) ? ["product_revenue", "units"] : ["total_revenue", "orders"];
}

/** What was sold in the range, and what brought it. */
export default function Sales() {
  const isListed = view.value.at === LISTED;
  useAsk({
    ...figureQuestions(ASKED),
    ...questionsShown(SALES_PANELS, metricsOf),
    ...(isListed && { orders: LAST_ORDERS }),
  });
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
          <LastOrders isListed={isListed} />
        </>
      )}
      <ApiView />
      <p class="hidden" role="status">
        {top?.isStale === false ? common("updated") : ""}
      </p>
    </Frame>
  );
}

/** What `kind: "orders"` answers, the newest first. */
interface Order {
  readonly at: string;
  readonly currency: string;
  readonly revenue: number;
  readonly units: number;
  readonly products: readonly string[];
  readonly source: string;
  readonly pages: readonly string[];
  readonly pages_left_out: number;
  readonly seconds: number;
}

/** The last orders with what led to them. Events are read for that, so it is asked when somebody wants to see it. */
function LastOrders({ isListed }: { readonly isListed: boolean }) {
  const part = isListed ? parts.value["orders"] : undefined;
  const orders = part?.answer?.results as unknown as readonly Order[] | undefined;
  return (
    <section class="panel last-orders" aria-labelledby="orders-title" aria-busy={isListed && (part?.isStale ?? true)}>
      <header>
        <h2 id="orders-title" tabIndex={-1}>
          {t("lastOrders")}
        </h2>
        <button type="button" aria-expanded={isListed} onClick={() => go({ at: isListed ? undefined : LISTED }, true)}>
          {t(isListed ? "hideOrders" : "showOrders")}
        </button>
      </header>
      <p class="mute">{t("lastOrdersLead", { n: count(ORDERS) })}</p>
      <Trouble part={part} />
      {isListed &&
        (orders === undefined ? (
          <p class="nothing">{part?.failure === undefined && <span class="wait" />}</p>
        ) : orders.length === 0 ? (
          <Nothing />
        ) : (
          <ol>
            {orders.map((order, index) => (
              <OrderWay key={index} order={order} />
            ))}
          </ol>
        ))}
      {isListed && (
        <footer>
          <ApiButton question={LAST_ORDERS} name={t("lastOrders")} />
        </footer>
      )}
    </section>
  );
}

/** An order: what it was, and below it the way of its visit. Its source filters. */
function OrderWay({ order }: { readonly order: Order }) {
  const { at, currency, revenue, units, products, source, pages, pages_left_out: leftOut, seconds } = order;
  const filter = () =>
    go({ filters: withFilter(view.value.filters, { operator: "is", dimension: "source", values: [source] }) });
  return (
    <li>
      <p class="order">
        <b>{money(revenue, currency)}</b>
        <bdi>
          {products.length === 0 ? t("productsNone") : products.join(", ")}
          {units > 0 && ` · ${tn("units", units)}`}
        </bdi>
        <span class="mute">{moment(at, zoneOfShop())}</span>
      </p>
      <p class="way">
        <button type="button" class="link" onClick={filter}>
          <bdi>{valueName("source", source)}</bdi>
        </button>
        {pages.map((page, index) => (
          <span key={index}>
            <Arrow /> <bdi>{valueName("page", page)}</bdi>
            {index === 0 && leftOut > 0 && (
              <>
                {" "}
                <Arrow /> <span class="mute">{tn("pagesMore", leftOut)}</span>
              </>
            )}
          </span>
        ))}
        <span class="mute">
          <Arrow /> {t("boughtAfter", { time: duration(seconds) })}
        </span>
      </p>
    </li>
  );
}

function Arrow() {
  return (
    <span class="arrow" aria-hidden="true">
      →
    </span>
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
