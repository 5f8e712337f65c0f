// What a page may tell the tracker: its settings, and the details of an event. The settings are `data-*` attributes of
// the script element, and options of `init` in the ES module. docs/tracker.md has the table for people.

/** A switch is on when it is present, whatever its value, like an attribute of HTML. */
type Switch = string | true;

export interface Settings {
  /** The stream's tracking ID. */
  readonly trackingId: string;
  /**
   * Where events go, such as "https://collector.example/v1/events". By default it is where the script was loaded from.
   */
  readonly endpoint: string | URL;
  /**
   * First-party mode, which says where the visitor's id is kept. "cookie" may have attributes, such as
   * "cookie;domain=shop.example;secure". Without this setting nothing identifies the visitor.
   */
  readonly visitor?: "storage" | `cookie${string}`;
  /** Whether the part after "#" names the page, as on sites that use it for routing. */
  readonly hash?: Switch;
  /** Whether page views are counted only when the page asks for it. */
  readonly manual?: Switch;
  /** Counts nothing where the browser sends Do-Not-Track. */
  readonly dnt?: Switch;
  /** Counts nothing where the browser sends Global Privacy Control. */
  readonly gpc?: Switch;
  /** Names of automatic events that must not be counted, such as "form outbound". */
  readonly off?: string;
  /** Says that the page does not exist (404). */
  readonly "404"?: Switch;
}

export interface Product {
  readonly id?: string;
  readonly name?: string;
  readonly category?: string;
  readonly brand?: string;
  readonly variant?: string;
  /** The price, in units of the currency. */
  readonly price?: number;
  readonly quantity?: number;
}

/** What an event may say beside its name, as in the collector's native format. */
export interface Details {
  readonly props?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** The currency is the merchant's own by default. Refunds are negative. */
  readonly revenue?: { readonly amount: number; readonly currency?: string };
  readonly order_id?: string;
  readonly products?: readonly Product[];
  /** The absolute address of the page. By default it is the one in the address bar. */
  readonly url?: string | undefined;
  readonly title?: string;
  readonly referrer?: string;
  /** The size of the screen, such as "1920x1080". */
  readonly screen?: string;
  /**
   * For an engagement report: for how many ms the page was visible and focused since the last report. `scroll` is the
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
