// The page and the host of an event, and whether that host may count. A page is a path in its one spelling. The query
// string is left out, unless rules keep a parameter; `source.ts` reads campaign parameters from it. A fragment belongs
// to the page if the site uses it for routing. Rules may also replace the page of a path, or remove ids from it.

import type { Event } from "../event.ts";
import { NAME_LENGTH_MAX } from "../limits.ts";
import { matches } from "../pattern.ts";
import { pairsOf, parseAddress, queryKey } from "./address.ts";
import { hasHost, type Matchers } from "./matcher.ts";
import type { Step } from "./opinion.ts";
import { spellPath, spellQuery } from "./spelling.ts";

/** Step: hostname and page of the event's address. */
export const page: Step = (event, opinion, matchers) => {
  const location = locationOf(event);
  if (location === undefined) return;
  opinion.hostname = location.hostname.slice(0, NAME_LENGTH_MAX * 2);
  opinion.page = cleanUp(location, matchers);
};

/** The parameters of an event's address: those of its query, then those of the route in its fragment. */
export function queryOf(event: Event): string {
  return event.url.includes("?") ? (locationOf(event)?.query ?? "") : "";
}

/** Step: drops what comes from a host the merchant does not admit, such as a copy of its site. */
export const hostnameRule: Step = (_event, opinion, { own }) => {
  if (opinion.dropped !== "" || own.hostnames.size === 0 || opinion.hostname === "") return;
  if (!hasHost(own.hostnames, opinion.hostname)) opinion.dropped = "hostname";
};

interface Location {
  readonly hostname: string;
  /** In its one spelling, with the route if there is one: "/app#/cart". */
  readonly path: string;
  readonly query: string;
}

/** The last event that was looked at. Several steps ask for the same one. */
let kept: { readonly event: Event; readonly location: Location | undefined } | undefined;

function locationOf(event: Event): Location | undefined {
  if (kept?.event !== event) kept = { event, location: findLocation(event) };
  return kept.location;
}

function findLocation({ url, format, fragment }: Event): Location | undefined {
  const address = parseAddress(url);
  if (address === undefined) return undefined;
  const { hostname } = address;
  const path = format === "plausible" ? withOldRoute(spellPath(address.path)) : spellPath(address.path);
  const isRoute = address.fragment !== "" && (fragment === 1 || ROUTE.test(address.fragment));
  if (!isRoute) return { hostname, path, query: address.query };
  const [route = "", ...more] = address.fragment.split("?");
  const query = [address.query, more.join("?")].filter(Boolean).join("&");
  return { hostname, path: withoutHome(`${path}#${spellPath(route)}`), query };
}

/**
 * A fragment that is a path, such as "#/cart" or "#!/cart", names a page. Any other names one only if its sender says
 * so.
 */
const ROUTE = /^!?\//;

/** The route of a site's home is the page itself: "/#/" becomes "/". */
function withoutHome(path: string): string {
  return path.replace(/#!?\/?$/, "");
}

/** Before events had `fragment`, Plausible's hash mode was stored as "/%23/cart". */
function withOldRoute(path: string): string {
  return path.includes("%23") ? withoutHome(path.replace("%23", "#")) : path;
}

function cleanUp({ path, query }: Location, { own, global }: Matchers): string {
  const lower = own.replace.length + global.replace.length === 0 ? "" : path.toLowerCase();
  const replaced = [...own.replace, ...global.replace].find(({ match }) => matches(match, lower));
  if (replaced !== undefined) return replaced.page;
  const stripped = own.paths.strip_ids || global.paths.strip_ids ? stripIds(path) : path;
  return stripped + keptQuery(query, [...own.paths.keep_query, ...global.paths.keep_query]);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Replaces numbers, UUIDs, and hexadecimal texts of eight digits or more, unless they might be a word ("defaced"). */
function stripIds(path: string): string {
  const isId = (segment: string) => (/^[0-9a-f]{8,}$|^\d+$/i.test(segment) && /\d/.test(segment)) || UUID.test(segment);
  return path
    .split("/")
    .map((segment) => (isId(segment) ? ":id" : segment))
    .join("/");
}

/**
 * The kept parameters with the rule's names and in the rule's order. So queries in another order or spelling are the
 * same page.
 */
function keptQuery(query: string, keep: readonly string[]): string {
  if (keep.length === 0 || query === "") return "";
  const sent = new Map<string, string>();
  for (const pair of pairsOf(query)) {
    const key = queryKey(pair);
    if (!sent.has(key)) sent.set(key, pair);
  }
  const kept = [...new Set(keep)].flatMap((name) => {
    const pair = sent.get(name.toLowerCase());
    if (pair === undefined) return [];
    const equals = pair.indexOf("=");
    return equals < 0 ? [spellQuery(name)] : [`${spellQuery(name)}=${spellQuery(pair.slice(equals + 1))}`];
  });
  return kept.length === 0 ? "" : `?${kept.join("&")}`;
}
