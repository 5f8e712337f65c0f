// Which page of which host an event belongs to, and whether that host may count. The query string and the fragment are
// not part of a page, unless rules keep a parameter; campaign parameters are read from the query by `source.ts`. Rules may
// also put another page in the place of a path, or take the ids out of it.

import { NAME_LENGTH_MAX } from "../limits.ts";
import { matches } from "../pattern.ts";
import { type Address, parseAddress, queryKey } from "./address.ts";
import { hasHost, type Matchers } from "./matcher.ts";
import type { Step } from "./opinion.ts";

/** Step: hostname and page of the event's address. */
export const page: Step = (event, opinion, matchers) => {
  const address = parseAddress(event.url);
  if (address === undefined) return;
  opinion.hostname = address.hostname.slice(0, NAME_LENGTH_MAX * 2);
  opinion.page = cleanUp(address, matchers);
};

/** Step: drops what comes from a host the merchant does not admit, such as a copy of its site. */
export const hostnameRule: Step = (_event, opinion, { own }) => {
  if (opinion.dropped !== "" || own.hostnames.size === 0 || opinion.hostname === "") return;
  if (!hasHost(own.hostnames, opinion.hostname)) opinion.dropped = "hostname";
};

function cleanUp({ path, query }: Address, { own, global }: Matchers): string {
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

/** The kept parameters as they were sent, in the order of the rule: two orders of one query are one page. */
function keptQuery(query: string, keep: readonly string[]): string {
  if (keep.length === 0 || query === "") return "";
  const sent = new Map<string, string>();
  for (const pair of query.split("&")) {
    const key = queryKey(pair);
    if (!sent.has(key)) sent.set(key, pair);
  }
  const kept = [...new Set(keep)].flatMap((name) => sent.get(name.toLowerCase()) ?? []);
  return kept.length === 0 ? "" : `?${kept.join("&")}`;
}
