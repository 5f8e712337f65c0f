// Which page of which host an event belongs to, and whether that host may count. A page is the path in its one
// spelling. The query string is no part of it, unless rules keep a parameter; campaign parameters are read from it
// by `source.ts`. The fragment is one where a site routes by it. Rules may also put another page in the place of a
// path, or take the ids out.

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
  /** In its one spelling; with the route, where there is one: "/app#/cart". */
  readonly path: string;
  readonly query: string;
}

/** Of the event looked at last: several steps ask for it. */
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
 * A fragment that is a path is no place on a page: "#/cart", "#!/cart". Any other is a page where its sender says so.
 */
const ROUTE = /^!?\//;

/** The route of a site's home is the page itself: "/#/" is "/". */
function withoutHome(path: string): string {
  return path.replace(/#!?\/?$/, "");
}

/** Until events said so themselves, Plausible's hash mode was stored as "/%23/cart". */
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

/** Numbers, UUIDs, and hexadecimal texts of eight digits or more, unless they might be a word ("defaced"). */
function stripIds(path: string): string {
  const isId = (segment: string) => (/^[0-9a-f]{8,}$|^\d+$/i.test(segment) && /\d/.test(segment)) || UUID.test(segment);
  return path
    .split("/")
    .map((segment) => (isId(segment) ? ":id" : segment))
    .join("/");
}

/** The kept parameters by the rule's names and in its order: two orders or spellings of one query are one page. */
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
