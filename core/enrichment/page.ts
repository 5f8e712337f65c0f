// Which page of which host an event belongs to, and whether that host may count. The query string and the fragment are
// not part of a page; campaign parameters are read from the query by `source.ts`.

import { NAME_LENGTH_MAX } from "../limits.ts";
import { parseAddress } from "./address.ts";
import type { Step } from "./opinion.ts";

/** Step: hostname and page of the event's address. */
export const page: Step = (event, opinion) => {
  const address = parseAddress(event.url);
  if (address === undefined) return;
  opinion.hostname = address.hostname.slice(0, NAME_LENGTH_MAX * 2);
  opinion.page = address.path;
};

/** Step: drops what comes from a host the merchant does not admit, such as a copy of its site. */
export const hostnameRule: Step = (_event, opinion, rules) => {
  if (opinion.dropped !== "" || rules.hostnames.length === 0 || opinion.hostname === "") return;
  const admitted = rules.hostnames.some((host) => opinion.hostname === host || opinion.hostname.endsWith(`.${host}`));
  if (!admitted) opinion.dropped = "hostname";
};
