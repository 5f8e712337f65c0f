// What a page may tell the tracker: the same settings as `data-*` attributes of the script element and as options of
// `init` in the ES module; and what an event may say. The table for people is in docs/tracker.md.

/** A switch is on when it is there, as an attribute is, whatever its value. */
type Switch = string | true;

export interface Settings {
  /** The stream's tracking ID. */
  readonly trackingId: string;
  /** Where events go, such as "https://collector.example/v1/events". A script sends beside itself by default. */
  readonly endpoint: string | URL;
  /**
   * First-party mode: where the visitor's id is kept. "cookie" may carry attributes,
   * "cookie;domain=shop.example;secure". Without it nothing identifies the visitor.
   */
  readonly visitor?: "storage" | `cookie${string}`;
  /** The part after "#" is the page: for sites that route by it. */
  readonly hash?: Switch;
  /** Page views are counted only when the page says so. */
  readonly manual?: Switch;
  /** Counts nothing where the browser sends Do-Not-Track. */
  readonly dnt?: Switch;
  /** Counts nothing where the browser sends Global Privacy Control. */
  readonly gpc?: Switch;
  /** Names of events that are not to be counted by themselves, such as "form outbound". */
  readonly off?: string;
  /** This page says that there is no such page. */
  readonly "404"?: Switch;
}

export interface Product {
  readonly id?: string;
  readonly name?: string;
  readonly category?: string;
  readonly brand?: string;
  readonly variant?: string;
  /** In units of the currency. */
  readonly price?: number;
  readonly quantity?: number;
}

/** What an event may say beside its name, as the collector's native format has it. */
export interface Details {
  readonly props?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Without a currency it is the merchant's own. Refunds are negative. */
  readonly revenue?: { readonly amount: number; readonly currency?: string };
  readonly order_id?: string;
  readonly products?: readonly Product[];
  /** Absolute; the address bar's when it is not given. */
  readonly url?: string | undefined;
  readonly title?: string;
  readonly referrer?: string;
  /** "1920x1080". */
  readonly screen?: string;
  /** Of an engagement report: ms in front of the reader since the last one, and the deepest scroll in per cent. */
  readonly engagement_ms?: number;
  readonly scroll?: number;
}

/** Those of this page, from the start on. */
export let settings: Settings;

export function adopt(given: Settings): void {
  settings = given;
}
