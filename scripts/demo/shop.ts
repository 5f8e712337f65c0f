// The demo's shop: what is sold there, who comes, from where and with which device. Weights are made up, and shaped
// like those of a small European shop. The visits themselves are in visit.ts.

export const SHOP_HOST = "harbour-coffee.example";
export const SHOP = `https://${SHOP_HOST}`;

export interface Product {
  readonly path: string;
  readonly title: string;
  readonly sku: string;
  readonly category: string;
  readonly brand: string;
  /** In the currency of the buyer's country: the shop has one price list. */
  readonly price: number;
}

const BEANS = { category: "Coffee", brand: "Harbour" };
const GEAR = { category: "Gear", brand: "Pourly" };

export const PRODUCTS: readonly (readonly [Product, number])[] = [
  [{ path: "/coffee/harbour-blend", title: "Harbour Blend", sku: "HB-250", price: 9.9, ...BEANS }, 30],
  [{ path: "/coffee/ethiopia-guji", title: "Ethiopia Guji", sku: "EG-250", price: 14.5, ...BEANS }, 18],
  [{ path: "/coffee/decaf", title: "Decaf, really good", sku: "DC-250", price: 11.2, ...BEANS }, 8],
  [{ path: "/gear/hand-grinder", title: "Hand grinder", sku: "HG-01", price: 129, ...GEAR }, 9],
  [{ path: "/gear/pour-over-set", title: "Pour-over set", sku: "PO-02", price: 48.5, ...GEAR }, 12],
  [{ path: "/gear/paper-filters", title: "Paper filters", sku: "PF-100", price: 6.4, ...GEAR }, 14],
  [
    { path: "/subscription", title: "A bag every month", sku: "SUB-1", price: 24, ...BEANS, category: "Subscription" },
    9,
  ],
];

/** The merchant counts in euros; who lives here pays in francs. */
export const CURRENCY = "EUR";
export const FOREIGN = { country: "CH", currency: "CHF", rate: "1.05" } as const;

/** A page that browsers fetch ahead of its reader; some then read it. */
export const AHEAD = { path: "/journal/winter-roast", title: "This winter's roast" };

/**
 * What must not be counted: a site that sends made-up visits, and a copy of the shop with the shop's own markup in it.
 */
export const SPAM_REFERRER = "https://semalt.com/";
export const COPY_OF_SHOP = "https://harbour-cofee.example";

/** Where a visitor pays, and comes back from. */
export const PAYMENT_PAGE = "https://www.paypal.com/checkoutnow";

/** Where a visit can begin besides at a product. */
export const LANDINGS: readonly (readonly [{ readonly path: string; readonly title: string }, number])[] = [
  [{ path: "/", title: "Harbour Coffee" }, 46],
  [{ path: "/coffee", title: "All coffees" }, 14],
  [{ path: "/gear", title: "Gear" }, 8],
  [{ path: "/journal/how-to-pour", title: "How to pour" }, 17],
  [{ path: "/journal/water", title: "Water matters" }, 9],
  [{ path: "/opening-hours", title: "Opening hours" }, 6],
];

export interface Source {
  readonly referrer?: string;
  /** Query of the first page's address. */
  readonly query?: string;
}

export const SOURCES: readonly (readonly [Source, number])[] = [
  [{}, 30],
  [{ referrer: "https://www.google.com/" }, 27],
  [{ referrer: "https://www.bing.com/" }, 4],
  [{ referrer: "https://duckduckgo.com/" }, 4],
  [{ referrer: "https://www.ecosia.org/" }, 2],
  [{ referrer: "https://www.instagram.com/" }, 8],
  [{ referrer: "https://www.reddit.com/r/Coffee/" }, 4],
  [{ referrer: "https://chatgpt.com/" }, 2],
  [{ referrer: "https://brew-notes.example/best-beans-2026" }, 5],
  [{ query: "utm_source=newsletter&utm_medium=email&utm_campaign=november-roast" }, 8],
  [{ referrer: "https://www.google.com/", query: "utm_source=google&utm_medium=cpc&utm_campaign=grinders" }, 4],
  [
    { referrer: "https://www.facebook.com/", query: "utm_source=facebook&utm_medium=paid-social&utm_campaign=gifts" },
    2,
  ],
];

export interface Place {
  readonly country: string;
  readonly region: string;
  readonly city: string;
}

/** A place with the language spoken there. */
export const PLACES: readonly (readonly [Place & { readonly language: string }, number])[] = [
  [{ country: "DE", region: "Hamburg", city: "Hamburg", language: "de-DE" }, 30],
  [{ country: "DE", region: "Land Berlin", city: "Berlin", language: "de-DE" }, 16],
  [{ country: "AT", region: "Vienna", city: "Vienna", language: "de-AT" }, 12],
  [{ country: "CH", region: "Zurich", city: "Zürich", language: "de-CH" }, 7],
  [{ country: "NL", region: "North Holland", city: "Amsterdam", language: "nl-NL" }, 8],
  [{ country: "FR", region: "Île-de-France", city: "Paris", language: "fr-FR" }, 7],
  [{ country: "GB", region: "England", city: "London", language: "en-GB" }, 9],
  [{ country: "US", region: "New York", city: "New York", language: "en-US" }, 7],
  [{ country: "JP", region: "Tokyo", city: "Tokyo", language: "ja-JP" }, 4],
];

export interface Device {
  readonly userAgent: string;
  readonly screen: string;
}

const WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)";
const MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)";
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X)";
const WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)";
const SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)";

export const DEVICES: readonly (readonly [Device, number])[] = [
  [{ userAgent: `${IPHONE} ${SAFARI} Version/18.6 Mobile/15E148 Safari/604.1`, screen: "393x852" }, 27],
  [
    {
      userAgent: `Mozilla/5.0 (Linux; Android 10; K) ${WEBKIT} Chrome/142.0.0.0 Mobile Safari/537.36`,
      screen: "412x915",
    },
    26,
  ],
  [{ userAgent: `${WINDOWS} ${WEBKIT} Chrome/142.0.0.0 Safari/537.36`, screen: "1920x1080" }, 18],
  [{ userAgent: `${WINDOWS} ${WEBKIT} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0`, screen: "1920x1080" }, 7],
  [{ userAgent: `${MAC} ${SAFARI} Version/18.6 Safari/605.1.15`, screen: "1512x982" }, 9],
  [{ userAgent: `${MAC} ${WEBKIT} Chrome/142.0.0.0 Safari/537.36`, screen: "1728x1117" }, 5],
  [{ userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", screen: "2560x1440" }, 5],
  [
    {
      userAgent: `Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) ${SAFARI} Version/18.6 Mobile/15E148 Safari/604.1`,
      screen: "820x1180",
    },
    3,
  ],
];

/** Machines that come by as well; the collector keeps them and does not count them. */
export const BOTS: readonly (readonly [string, number])[] = [
  ["Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", 5],
  ["Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", 3],
  ["Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", 2],
];

/** Visits per hour of the day (UTC), relative: coffee in the morning, shopping in the evening. */
export const HOURS: readonly number[] = [
  3, 2, 1, 1, 2, 4, 9, 14, 16, 15, 13, 12, 14, 13, 12, 12, 13, 15, 18, 21, 22, 18, 11, 6,
];

/** Visits per day of the week, from Sunday. */
export const WEEKDAYS: readonly number[] = [560, 420, 400, 410, 430, 470, 590];
