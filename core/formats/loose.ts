// Readers for what other products' clients send. They are less strict than those of our own format, because we cannot
// change these clients. A value that has no place here is left out, and never a reason to refuse the event. Only values
// that would make it another event (ids, names, times) must keep to the bounds of field.ts.

import { isApiKeyShaped } from "../api-key.ts";
import { parseAddress } from "../enrichment/address.ts";
import { NO_AGENT } from "../enrichment/bot.ts";
import { REVENUE_SCALE } from "../event.ts";
import type { Draft, Hit } from "../hit.ts";
import {
  ENGAGEMENT_MS_MAX,
  HOSTNAME_LENGTH_MAX,
  ORDER_LENGTH_MAX,
  PRODUCTS_COUNT_MAX,
  PROP_KEY_LENGTH_MAX,
  PROP_VALUE_LENGTH_MAX,
  PROPS_COUNT_MAX,
  REVENUE_MAX,
  URL_LENGTH_MAX,
} from "../limits.ts";
import { isCurrency } from "../merchant.ts";
import { isTrackingIdShaped } from "../tracking-id.ts";
import { clean, isObject, type Revenue, TEXT_RULES, visitorAgent } from "./field.ts";
import { isNetworkAddress } from "./network-address.ts";
import { type RawProduct, readProducts } from "./product.ts";

export type Named = Pick<Draft, "trackingId" | "site" | "apiKey">;

/**
 * Whose event it is, read from the one place that a protocol has for an ID: a tracking ID, or the API key of a
 * merchant's own server.
 */
export function namedById(text: string): Named {
  const name = clean(text.slice(0, HOSTNAME_LENGTH_MAX));
  if (isApiKeyShaped(name)) return { ...NOBODY, apiKey: name };
  return { ...NOBODY, trackingId: name.slice(0, TEXT_RULES.trackingId.lengthMax).toWellFormed() };
}

/** Whose event it is, for protocols that name sites by hostname. */
export function namedBySite(text: string): Named {
  if (isApiKeyShaped(text) || isTrackingIdShaped(text)) return namedById(text);
  return { ...NOBODY, site: clean(text.slice(0, HOSTNAME_LENGTH_MAX)) };
}

const NOBODY: Named = { trackingId: "", site: "", apiKey: "" };

/**
 * The agent of a hit in a format that browsers send. A hit without an agent, or with a library's, is a machine's. With
 * an API key the same request comes from the merchant's server. The server may forward its visitor's agent; its own
 * agent says nothing.
 */
export function browserAgent({ userAgent, keyed }: Pick<Hit, "userAgent" | "keyed">, named?: Named): string {
  return keyed || (named !== undefined && named.apiKey !== "") ? visitorAgent(userAgent) : userAgent || NO_AGENT;
}

/**
 * Properties as JSON of texts: the first PROPS_COUNT_MAX of them, cut at their bounds. Lists and objects are left out.
 */
export function looseProps(value: unknown, without: ReadonlySet<string> = NONE): string {
  if (!isObject(value)) return "";
  const texts = new Map<string, string>();
  for (const [key, item] of Object.entries(value)) {
    if (texts.size >= PROPS_COUNT_MAX) break;
    if (without.has(key) || !isPlain(item)) continue;
    const name = clean(key.slice(0, PROP_KEY_LENGTH_MAX));
    const text = clean(String(item).slice(0, PROP_VALUE_LENGTH_MAX));
    if (name !== "" && text !== "") texts.set(name, text);
  }
  return texts.size === 0 ? "" : JSON.stringify(Object.fromEntries(texts));
}

const NONE: ReadonlySet<string> = new Set();

function isPlain(value: unknown): value is string | number | boolean {
  return (
    typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))
  );
}

/** The first of some values that is a text or a number and not empty, as a clean text. */
export function firstText(...values: readonly unknown[]): string {
  for (const value of values) {
    if (typeof value === "number" && Number.isFinite(value)) return String(value);
    if (typeof value === "string" && value !== "") return clean(value);
  }
  return "";
}

/** An order's number. One that is too long is left out, because when cut it could be another order's. */
function looseOrder(...values: readonly unknown[]): string {
  const text = firstText(...values);
  return text.length <= ORDER_LENGTH_MAX ? text : "";
}

/** A nested object; an empty one when there is none. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

/** An amount, of either sign, and its currency; no money where either of the two makes no sense. */
function looseRevenue(amount: unknown, currency: unknown): Revenue {
  const number =
    typeof amount === "number" || (typeof amount === "string" && amount.trim() !== "") ? Number(amount) : 0;
  const revenue = Math.round(number * REVENUE_SCALE) + 0;
  const code = typeof currency === "string" ? currency.toUpperCase() : "";
  if (!(Math.abs(revenue) <= REVENUE_MAX) || (code !== "" && !isCurrency(code))) return { revenue: 0, currency: "" };
  return { revenue, currency: revenue === 0 ? "" : code };
}

export type Commerce = Pick<Draft, "revenue" | "currency" | "order" | "products">;

/** The values of an event about money and goods, before they are parsed. */
export interface RawCommerce {
  readonly amount: unknown;
  readonly currency: unknown;
  readonly order: unknown;
  readonly products?: readonly RawProduct[];
}

/**
 * The money, order number and products of an event as they were sent. Whether these were bought, given back or only
 * looked at is an opinion. It is formed later from the event's name, in the same way for all formats. The currency is
 * kept even without an amount, because prices of products need it.
 */
export function looseCommerce({ amount, currency, order, products = [] }: RawCommerce): Commerce {
  const money = looseRevenue(amount, currency);
  const known = readProducts(
    "products",
    products.slice(0, PRODUCTS_COUNT_MAX).filter((product) => readProducts("products", [product]).ok),
  );
  const list = known.ok ? known.value : "";
  const code = list === "" ? "" : looseRevenue(1, currency).currency;
  return { ...money, currency: money.currency || code, order: looseOrder(order), products: list };
}

/** 1 if an event is marked as not interactive, in any of the ways that JSON and query strings write "true". */
export function loosePassive(...marks: readonly unknown[]): number {
  return marks.some((mark) => mark === true || mark === 1 || mark === "1" || mark === "true") ? 1 : 0;
}

/**
 * The visitor's address in a header of a proxy or server: the first entry that is an address. It is believed with an
 * API key only.
 */
export function forwardedAddress(header: string): string {
  const parts = header.split(",", 10).map((part) => part.trim());
  return parts.find(isNetworkAddress) ?? "";
}

/** A duration in ms within bounds; 0 when it is none. */
export function looseEngagement(value: unknown): number {
  const number = Math.round(numberOf(value));
  return number > 0 ? Math.min(number, ENGAGEMENT_MS_MAX) : 0;
}

/** A scroll depth in per cent; -1 when it is none. */
export function looseScroll(value: unknown): number {
  const number = Math.round(numberOf(value));
  return number >= 0 ? Math.min(number, 100) + 0 : -1;
}

function numberOf(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
}

/** "1920x1080"; empty for anything else. */
export function looseScreen(value: unknown): string {
  return typeof value === "string" && /^\d{1,5}x\d{1,5}$/.test(value) ? value : "";
}

/**
 * An absolute address. A path alone belongs to the hostname that comes with it. Without a hostname it belongs to no
 * host: "https:///cart".
 */
export function absoluteUrl(url: string, hostname = ""): string {
  if (url === "" || parseAddress(url) !== undefined) return url;
  return /^[/?#]/.test(url) ? cutUrl(`https://${hostname}${url.startsWith("/") ? "" : "/"}${url}`) : "";
}

/** An app's screen as a page: "app://com.example.shop/Cart". */
export function screenUrl(app: string, screen: string): string {
  return cutUrl(
    `app://${app.replace(/[^\w.-]/g, "").slice(0, HOSTNAME_LENGTH_MAX)}/${encodeURIComponent(screen.toWellFormed())}`,
  );
}

/** An address with the campaign parameters that its protocol sends apart, where the address lacks them. */
export function withCampaign(url: string, campaign: Readonly<Record<string, string | undefined>>): string {
  const missing = Object.entries(campaign).filter(([name, value]) => value && !new RegExp(`[?&]${name}=`).test(url));
  if (url === "" || missing.length === 0) return url;
  const [before = "", ...fragment] = url.split("#");
  const added = missing
    .map(([name, value]) => `${name}=${encodeURIComponent((value as string).toWellFormed())}`)
    .join("&");
  const whole = `${before}${before.includes("?") ? "&" : "?"}${added}`;
  return cutUrl(`${whole}${fragment.length === 0 ? "" : `#${fragment.join("#")}`}`);
}

/** Cleans and cuts an address that was put together here, in the same way as one that the client sent whole. */
export function cutUrl(url: string): string {
  return clean(url.slice(0, URL_LENGTH_MAX));
}

/**
 * Segment's rule for clocks that are wrong. The client says when the event happened and when it was sent, both by its
 * own clock. The difference of the two is right even if the clock is wrong. So the event happened that long before it
 * was received.
 */
export function withoutSkew(
  happened: number | undefined,
  sent: number | undefined,
  receivedAt: number,
): number | undefined {
  if (happened === undefined || sent === undefined) return happened;
  return Math.min(receivedAt, receivedAt - (sent - happened));
}

/**
 * An instant by the client's own clock, which may be wrong by years. It is corrected (withoutSkew) before it is held to
 * any bound.
 */
export function clientInstant(value: unknown): number | undefined {
  const instant = typeof value === "number" ? value : typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isFinite(instant) ? instant : undefined;
}
