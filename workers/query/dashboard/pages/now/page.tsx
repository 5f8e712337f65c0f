// The page Now: who is there, what they look at, where they came from, and what was bought last. The frame asks
// for it (present.ts), for the header's count and for this page at once. With "at=screen" in the address it is
// drawn for a screen on the wall.

import { ApiView, shown as api } from "../../api-view.tsx";
import { Frame } from "../../frame.tsx";
import { type Present, present, presentPath } from "../../present.ts";
import { Trouble } from "../../state.tsx";
import { go, shop, view, zoneOfShop } from "../../store.ts";
import { t as common, count, money, speak, time, valueName, zoneName } from "../../text.ts";
import texts from "./text.ts";

const { t, tn } = speak(texts);
const SCREEN = "screen";

/** Who is there now. */
export default function Now() {
  const { answer, failure } = present.value;
  const isScreen = view.value.at === SCREEN;
  const id = shop.value?.id ?? "";
  return (
    <Frame title={common("pageNow")} isOfNow isBare={isScreen}>
      <div class={isScreen ? "now-page wall" : "now-page"} aria-busy={answer === undefined && failure === undefined}>
        <Trouble part={failure && { failure, isStale: true }} />
        {isScreen && answer !== undefined && <Clock at={answer.as_of} />}
        <Visitors answer={answer} />
        <div class="panels">
          <List
            title={t("pagesTitle")}
            lead={t("pagesLead")}
            rows={answer?.pages.map(({ page, visitors }) => [valueName("page", page), visitors])}
          />
          <List
            title={t("sourcesTitle")}
            lead={t("sourcesLead")}
            rows={answer?.sources.map(({ source, visitors }) => [valueName("source", source), visitors])}
          />
          <Orders orders={answer?.orders} />
        </div>
        <p class="now-foot">
          {isScreen ? (
            <button type="button" class="link" onClick={() => go({ at: undefined })}>
              {t("leave")}
            </button>
          ) : (
            <>
              <span class="mute">{t("lead")}</span>
              <button type="button" onClick={() => go({ at: SCREEN })}>
                {t("screen")}
              </button>
              <button type="button" class="link" onClick={() => (api.value = { address: presentPath(id) })}>
                {common("asApi")}
              </button>
            </>
          )}
        </p>
      </div>
      <ApiView />
    </Frame>
  );
}

function Clock({ at }: { readonly at: string }) {
  const zone = zoneOfShop();
  return <p class="mute">{common("asOf", { time: time(at, zone), zone: zoneName(zone) })}</p>;
}

function Visitors({ answer }: { readonly answer: Present | undefined }) {
  const shown = [
    [answer?.visitors.last_5_minutes, t("five")],
    [answer?.visitors.last_30_minutes, t("thirty")],
  ] as const;
  return (
    <dl class="now-counts">
      {shown.map(([visitors, when]) => (
        <div key={when}>
          <dt>
            {common("visitors")} {when}
          </dt>
          <dd>{visitors === undefined ? <span class="wait" /> : count(visitors)}</dd>
        </div>
      ))}
    </dl>
  );
}

interface ListProps {
  readonly title: string;
  readonly lead: string;
  /** Undefined until it is known. */
  readonly rows: readonly (readonly [name: string, visitors: number])[] | undefined;
}

function List({ title, lead, rows }: ListProps) {
  const most = Math.max(1, ...(rows ?? []).map(([, visitors]) => visitors));
  return (
    <section class="panel" aria-label={title}>
      <h2>{title}</h2>
      <p class="mute">{lead}</p>
      {rows === undefined || rows.length === 0 ? (
        <None isKnown={rows !== undefined} say={t("nobody")} />
      ) : (
        <table class="rows">
          <thead>
            <tr>
              <th scope="col">
                <span class="hidden">{title}</span>
              </th>
              <th scope="col">{common("visitors")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, visitors]) => (
              <tr key={name}>
                <th scope="row">
                  <svg class="bar" aria-hidden="true">
                    <rect width={`${(100 * visitors) / most}%`} height="100%" />
                  </svg>
                  <bdi class="value">{name}</bdi>
                </th>
                <td>{count(visitors)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** Nothing, which is said only where it is known. */
function None({ isKnown, say }: { readonly isKnown: boolean; readonly say: string }) {
  return <p class="nothing">{isKnown ? say : <span class="wait" />}</p>;
}

function Orders({ orders }: { readonly orders: Present["orders"] | undefined }) {
  const zone = zoneOfShop();
  return (
    <section class="panel" aria-label={t("ordersTitle")}>
      <h2>{t("ordersTitle")}</h2>
      <p class="mute">{t("ordersLead")}</p>
      {orders === undefined || orders.length === 0 ? (
        <None isKnown={orders !== undefined} say={t("noOrders")} />
      ) : (
        <table class="rows orders">
          <thead>
            <tr>
              <th scope="col">{t("bought")}</th>
              <th scope="col">{t("when")}</th>
              <th scope="col">{t("amount")}</th>
            </tr>
          </thead>
          <tbody>
            {orders.map(({ at, currency, revenue, units, products }, index) => (
              <tr key={index}>
                <th scope="row">
                  <bdi class="value">
                    {products.length === 0 ? t("noProducts") : products.join(", ")}
                    {units > 0 && ` · ${tn("units", units)}`}
                  </bdi>
                </th>
                <td>{time(at, zone)}</td>
                <td>{money(revenue, currency)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
