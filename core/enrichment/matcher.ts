// Rules prepared for comparison with events: patterns split, hosts in sets, blocks parsed. It is done once for each
// value of `Rules` and kept as long as the rules. If both a merchant's rules and the deployment's decide, the
// merchant's win. Within one of them, `admit` wins over `drop`.

import { lookUp, type Network, toNetwork } from "../network.ts";
import { type Pattern, toPattern } from "../pattern.ts";
import { type Choice, completeRules, type PathRules, type Rules, type RulesInForce } from "../rules.ts";
import { spellPage, spellReferrer } from "./spelling.ts";

export interface Matcher {
  /** A small number that is different for each matcher. */
  readonly number: number;
  readonly bots: Choice<Pattern>;
  readonly referrers: { readonly drop: ReadonlySet<string>; readonly admit: ReadonlySet<string> };
  readonly returns: { readonly drop: ReadonlySet<string>; readonly admit: ReadonlySet<string> };
  readonly asns: { readonly drop: ReadonlySet<number>; readonly admit: ReadonlySet<number> };
  readonly addresses: readonly { readonly name: string; readonly networks: readonly Network[] }[];
  readonly hostnames: ReadonlySet<string>;
  readonly paths: PathRules;
  readonly replace: readonly { readonly match: Pattern; readonly page: string }[];
  readonly channels: readonly { readonly channel: string; readonly clues: readonly (readonly [Clue, Pattern])[] }[];
  readonly goals: readonly { readonly name: string; readonly event: Pattern | undefined; readonly page: Pattern }[];
  /** Whether only senders with an API key earn. */
  readonly keyedOnly: boolean;
}

/** The matchers of the rules that hold for an event. */
export interface Matchers {
  readonly own: Matcher;
  readonly global: Matcher;
  /** Whether the event's import was undone. */
  readonly isUndone: boolean;
}

const CLUES = ["source", "medium", "campaign", "referrer"] as const;
/** A field that a channel rule may look at. */
export type Clue = (typeof CLUES)[number];

export type Verdict = "drop" | "admit" | undefined;

const matchers = new WeakMap<Rules, Matcher>();
let count = 0;

export function matchersOf({ own, global, isUndone = false }: RulesInForce): Matchers {
  return { own: matcherOf(own), global: matcherOf(global), isUndone };
}

/** The verdict of the rules on an event by one of their choices: the merchant's, else the deployment's, else none. */
export function decide({ own, global }: Matchers, say: (matcher: Matcher) => Verdict): Verdict {
  return say(own) ?? say(global);
}

/** Whether a set has a host, or a domain that the host belongs to. */
export function hasHost(hosts: ReadonlySet<string>, hostname: string): boolean {
  if (hosts.size === 0) return false;
  for (let dot = -1, labels = 0; labels <= LABELS_MAX; labels++) {
    if (hosts.has(hostname.slice(dot + 1))) return true;
    dot = hostname.indexOf(".", dot + 1);
    if (dot < 0) return false;
  }
  return false;
}

/**
 * The most labels that a hostname can have (RFC 1035). A hostile one has a thousand, and each would be cut out as a
 * text.
 */
const LABELS_MAX = 127;

/**
 * The names of all exclusions that an address falls under, one in each row of the text; "" for none. Only these names
 * are kept of the address, so that an exclusion can be taken back later.
 */
export function exclusionsOf(address: string, rules: RulesInForce): string {
  const { own, global } = matchersOf(rules);
  if (own.addresses.length + global.addresses.length === 0) return "";
  const addresses = [...own.addresses, ...global.addresses];
  const isIn = lookUp(address);
  const names = addresses.filter(({ networks }) => isIn(networks)).map(({ name }) => name);
  return [...new Set(names)].sort().join("\n");
}

function matcherOf(rules: Rules): Matcher {
  const kept = matchers.get(rules);
  if (kept !== undefined) return kept;
  const made = makeMatcher(rules);
  matchers.set(rules, made);
  return made;
}

function makeMatcher(rules: Rules): Matcher {
  count += 1;
  const { bots, referrers, returns, asns, addresses, hostnames, paths, channels, goals, orders } = completeRules(rules);
  return {
    number: count,
    bots: { drop: bots.drop.map(toPattern), admit: bots.admit.map(toPattern) },
    referrers: { drop: new Set(referrers.drop), admit: new Set(referrers.admit) },
    returns: { drop: new Set(returns.drop), admit: new Set(returns.admit) },
    asns: { drop: new Set(asns.drop), admit: new Set(asns.admit) },
    addresses: addresses.map(({ name, networks }) => ({ name, networks: networks.map(toNetwork) })),
    hostnames: new Set(hostnames),
    paths,
    replace: paths.replace.map(({ match, page }) => ({ match: toPattern(spellPage(match)), page: spellPage(page) })),
    channels: channels.map((rule) => ({
      channel: rule.channel,
      clues: CLUES.flatMap((clue) => {
        const pattern = rule[clue];
        if (pattern === undefined) return [];
        return [[clue, toPattern(clue === "referrer" ? spellReferrer(pattern) : pattern)] as const];
      }),
    })),
    goals: goals.map(({ name, event, page = "*" }) => ({
      name,
      event: event === undefined ? undefined : toPattern(event),
      page: toPattern(spellPage(page)),
    })),
    keyedOnly: orders.keyed_only,
  };
}
