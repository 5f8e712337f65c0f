// What a page may tell the tracker: its settings, and the details of an event. The settings are the same as `data-*`
// attributes of the script element and as options of `init` in the ES module. The table for people is in
// docs/tracker.md.

/** A switch is on when it is present, whatever its value, like an attribute of HTML. */
type Switch = string | true;

export interface Settings {
  /** The stream's tracking ID. */
  readonly trackingId: string;
  /**
   * Where events go, such as "https://collector.example/v1/events". By default a script sends to where it was loaded
   * from.
   */
  readonly endpoint: string | URL;
  /**
   * First-party mode: where the visitor's id is kept. "cookie" may carry attributes,
   * "cookie;domain=shop.example;secure". Without it nothing identifies the visitor.
   */
  readonly visitor?: "storage" | `cookie${string}`;
  /** Whether the part after "#" names the page, as on sites that route by it. */
  readonly hash?: Switch;
  /** Whether page views are counted only when the page says so. */
  readonly manual?: Switch;
  /** Counts nothing where the browser sends Do-Not-Track. */
  readonly dnt?: Switch;
  /** Counts nothing where the browser sends Global Privacy Control. */
  readonly gpc?: Switch;
  /** Names of automatic events that are not to be counted, such as "form outbound". */
  readonly off?: string;
  /** This page stands for one that does not exist (404). */
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
  /** The absolute address of the page; by default the one in the address bar. */
  readonly url?: string | undefined;
  readonly title?: string;
  readonly referrer?: string;
  /** "1920x1080". */
  readonly screen?: string;
  /**
   * For an engagement report: how many ms the page was in front of the reader since the last report. `scroll` is the
   * deepest scroll in per cent.
   */
  readonly engagement_ms?: number;
  readonly scroll?: number;
}

/** The settings of this page. They do not change after the start. */
export let settings: Settings;

export function adopt(given: Settings): void {
  settings = given;
}
