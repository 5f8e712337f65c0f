// Addresses, hosts, paths and networks in their one spelling: nothing throws, and what is spelt is spelt the same once
// more.

import { isIP, isIPv6 } from "node:net";
import { parseAddress, parseParameters, parseQuery, queryKey } from "../../../core/enrichment/address.ts";
import { decodeEscapes } from "../../../core/enrichment/escape.ts";
import { readHost, spellHost } from "../../../core/enrichment/hostname.ts";
import {
  bare,
  HOSTS,
  PAGES,
  REFERRERS,
  SOURCES,
  type Spelling,
  spellPage,
  spellPath,
  spellQuery,
  spellReferrer,
} from "../../../core/enrichment/spelling.ts";
import { isNetworkAddress } from "../../../core/formats/network-address.ts";
import { HOSTNAME_LENGTH_MAX, URL_LENGTH_MAX } from "../../../core/limits.ts";
import { lookUp, parseNetwork, spellAddress, toNetwork } from "../../../core/network.ts";
import { matches, toPattern } from "../../../core/pattern.ts";
import { parseHostname, parseStreamHostname } from "../../../storage/hostname.ts";
import { expectSame, expectThat, type Target } from "../target.ts";

const TEXT = { text: "text" } as const;
const STEPS = { fixed: 3_000, perCharacter: 200 };

export const targets: readonly Target[] = [
  {
    name: "address-url",
    fields: TEXT,
    words: ["https://", "http://", "android-app://", "#/", "#!/", "?utm_source=", "&amp;", "user@", ":443"],
    seeds: () =>
      [
        "https://shop.example/cart?utm_source=x&b=2#/route?c=3",
        "http://user:pass@M\u00dcLLER.example.:8080/%C3%BC%20b?x=1&amp;y=2#frag",
        "android-app://com.google.android.gm/",
        "https://[2001:db8::1]:443/a//b/",
        "https:///cart",
      ].map((text) => ({ text })),
    lengthMax: URL_LENGTH_MAX,
    steps: STEPS,
    run: ({ text = "" }) => runAddress(text),
  },
  {
    name: "address-host",
    fields: TEXT,
    words: ["xn--", "www.", "m.", ".example", "xn--mller-kva", "\u3002", "%C3%BC", "[::1]", "ss", "\u00df"],
    seeds: () =>
      [
        "www.shop.example",
        "M\u00fcller.example.",
        "xn--mller-kva.example",
        "\u0431\u0443\u043a\u0432\u0430.example",
        "[2001:db8::1]",
      ].map((text) => ({ text })),
    lengthMax: 600,
    // Encoding a label takes time by the square of its length, which is 63 at most.
    steps: { fixed: 60_000, perCharacter: 2_000 },
    run: ({ text = "" }) => runHost(text),
  },
  {
    name: "address-path",
    fields: TEXT,
    words: ["%2F", "%25", "%e2%82%ac", "%C3%A4", "%%341", "e\u0301", "\u200d", "?", "+", "%F0%9F%91%A8"],
    seeds: () =>
      [
        "/",
        "/%C3%BCber%20uns",
        "/a/b/?x=1+2&y=%26",
        "/\u65e5\u672c/%E6%97%A5",
        "https://www.shop.example/a/",
        "Google",
      ].map((text) => ({ text })),
    lengthMax: URL_LENGTH_MAX,
    steps: STEPS,
    run: ({ text = "" }) => runPath(text),
  },
  {
    name: "address-network",
    fields: { text: "text", other: "text" },
    words: ["::", "::ffff:", "/24", "/128", "203.0.113.", "255", "fe80::", "%eth0", "/0"],
    seeds: () =>
      [
        ["203.0.113.7/24", "203.0.113.9"],
        ["2001:db8::/32", "2001:db8::1"],
        ["::ffff:203.0.113.0/120", "::ffff:cb00:7107"],
        ["1.2.3.4", "64:ff9b::1.2.3.4"],
      ].map(([text = "", other = ""]) => ({ text, other })),
    lengthMax: 120,
    steps: { fixed: 5_000, perCharacter: 200 },
    run: ({ text = "", other = "" }) => runNetwork(text, other),
  },
  {
    name: "address-pattern",
    fields: { pattern: "text", text: "text" },
    words: ["*", "**", "/*"],
    seeds: () =>
      [
        ["/shop/*", "/shop/1"],
        ["*bot*", "a bot b"],
        ["a*b*c", "aXbYc"],
        ["", ""],
      ].map(([pattern = "", text = ""]) => ({ pattern, text })),
    lengthMax: 40,
    steps: { fixed: 2_000, perCharacter: 100 },
    run: ({ pattern = "", text = "" }) => runPattern(pattern, text),
  },
];

function runAddress(text: string): void {
  expectSame(decodeEscapes(text), decodedByNode(text), "escapes are decoded otherwise");
  const address = parseAddress(text);
  for (const read of [parseQuery, parseParameters]) {
    for (const [key, value] of read(text))
      expectThat(key !== "" && typeof value === "string", "a parameter is no text");
  }
  expectThat(typeof queryKey(text) === "string", "a parameter has no name");
  if (address === undefined) return;
  const { scheme, hostname, path } = address;
  expectThat(/^[a-z][a-z0-9+.-]*$/.test(scheme), `the scheme is ${JSON.stringify(scheme)}`);
  expectThat(isHostSpelt(hostname), `the hostname is ${JSON.stringify(hostname)}`);
  expectSame(spellHost(hostname), hostname, "an address has a host that is not spelt");
  expectThat(path !== "" && !/[?#]/.test(path), `the path is ${JSON.stringify(path)}`);
  const again = parseAddress(`${scheme}://${hostname}${path.startsWith("/") ? path : "/"}`);
  expectSame(again?.hostname, hostname, "an address of a hostname has another one");
}

function decodedByNode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a URIError
  }
}

/** What a host in its one spelling is made of. */
function isHostSpelt(host: string): boolean {
  return /^(?:[a-z0-9._-]*|\[[0-9a-f:.]+\])$/.test(host);
}

function runHost(text: string): void {
  const host = spellHost(text);
  expectThat(isHostSpelt(host), `a host is spelt ${JSON.stringify(host)}`);
  expectSame(spellHost(host), host, "a host that is spelt is spelt otherwise");
  expectSame(bare(bare(host)), bare(host), "a bare host has something to take off");
  const readable = readHost(host);
  expectThat(readable.isWellFormed(), "a host is read as no text");
  if (host.length <= HOSTNAME_LENGTH_MAX) expectSame(readHost(readable), readable, "a host is read in two ways");
  checkSpelling(HOSTS, text);
  checkSpelling(SOURCES, text);
  checkSpelling(REFERRERS, text);
  for (const parse of [parseHostname, parseStreamHostname]) {
    const name = parse(text);
    if (name === undefined) continue;
    expectSame(parse(name), name, "a hostname that was taken is another one when it is read again");
    expectSame(spellHost(name), name, "a stream's hostname is not what its events are spelt as");
  }
}

function runPath(text: string): void {
  for (const spell of [spellPath, spellPage, spellReferrer]) {
    const spelt = spell(text);
    expectThat(spelt.isWellFormed(), "a path is spelt as no text");
    expectSame(spell(spelt), spelt, `${spell.name} spells what it has spelt otherwise`);
  }
  const path = spellPath(text);
  // An accent behind an escape becomes one itself.
  if (!/%\p{M}/u.test(path))
    expectSame(spellPath(path.replaceAll("%", "%25")), path.replaceAll("%", "%25"), "a percent sign does not stay one");
  expectThat(spellQuery(text).isWellFormed(), "a query is spelt as no text");
  checkSpelling(PAGES, text);
  checkSpelling(REFERRERS, text);
  checkSpelling(SOURCES, text);
}

/** A value that an answer shows is found by a filter that names it, as a whole and by each of its forms. */
function checkSpelling({ spell, spellPart, forms }: Spelling, text: string): void {
  const value = spell(text);
  expectSame(spell(value), value, "a value that is spelt is spelt otherwise");
  expectThat(forms(value).includes(value), "a value is none of its own forms");
  expectThat(
    forms(value).some((form) => [value, spellPart(value)].some((part) => form.includes(part))),
    "a value does not contain itself",
  );
}

function runNetwork(text: string, other: string): void {
  expectSame(
    isNetworkAddress(text),
    isIP(text) !== 0 && !text.includes("%"),
    "an address is one for Node and not for us",
  );
  const network = parseNetwork(text);
  const spelt = spellAddress(text);
  expectSame(spellAddress(spelt), spelt, "an address that is spelt is spelt otherwise");
  if (isIPv6(text) && !text.includes("%")) expectThat(isIP(spelt) !== 0, "an address is spelt as none");
  if (network === undefined) return;
  expectSame(parseNetwork(network), network, "a network that is spelt is spelt otherwise");
  const block = toNetwork(network);
  const [address = ""] = network.split("/");
  expectThat(lookUp(address)([block]), `a network does not hold its own address ${address}`);
  expectSame(
    lookUp(other)([block]),
    lookUp(spellAddress(other))([block]),
    "an address lies elsewhere when it is spelt",
  );
}

/** The language's own expressions say the same, of texts that are short enough for them. */
function runPattern(pattern: string, text: string): void {
  const lower = text.toLowerCase();
  const parts = pattern
    .toLowerCase()
    .split("*")
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
  if (parts.length > 6) return;
  const wanted = new RegExp(`^${parts.join(".*?")}$`, "s").test(lower);
  expectSame(matches(toPattern(pattern), lower), wanted, "a pattern matches otherwise");
}
