// Networks of addresses, as CIDR blocks: "203.0.113.0/24", "2001:db8::/32". ipaddr.js (MIT) parses and compares them.
// It also accepts uncommon spellings (octal, hexadecimal and shortened IPv4, zones of IPv6). These are refused here,
// because two programs may read such a text as two addresses.

import ip from "ipaddr.js";

/** A block: an address and how many of its first bits count. */
export type Network = ReturnType<typeof ip.parseCIDR>;

/** The longest spelling of an address: IPv6 with an IPv4 address at its end. */
const ADDRESS_LENGTH_MAX = 45;

/**
 * A block in its one spelling, "203.0.113.0/24" for "203.0.113.7/24". A single address is a block of one. Undefined for
 * any other text.
 */
export function parseNetwork(text: string): string | undefined {
  const [address = "", bits, ...rest] = text.trim().split("/");
  const parsed = parseIp(address);
  if (parsed === undefined || rest.length > 0) return undefined;
  const all = parsed.kind() === "ipv4" ? 32 : 128;
  // A mapped block ("::ffff:203.0.113.0/120") is one of IPv4, whose bits are the last 32.
  const mapped = parsed.kind() === "ipv4" && address.includes(":") ? 96 : 0;
  if (bits === undefined) return `${parsed.toString()}/${all}`;
  const count = /^(0|[1-9]\d{0,2})$/.test(bits) ? Number(bits) - mapped : Number.NaN;
  if (!(count >= 0 && count <= all)) return undefined;
  const kind = all === 32 ? ip.IPv4 : ip.IPv6;
  return `${kind.networkAddressFromCIDR(`${parsed.toString()}/${count}`).toString()}/${count}`;
}

/** A block that `parseNetwork` has spelt, ready to be compared. */
export function toNetwork(text: string): Network {
  return ip.parseCIDR(text);
}

/** A test whether blocks hold an address. A text that is no address lies in no block. */
export function lookUp(address: string): (networks: readonly Network[]) => boolean {
  const parsed = parseIp(address);
  if (parsed === undefined) return () => false;
  return (networks) => networks.some((network) => network[0].kind() === parsed.kind() && parsed.match(network));
}

/**
 * An address in its one spelling: "203.0.113.7" also for "::ffff:cb00:7107", and IPv6 as short as possible. Any other
 * text stays as it is.
 */
export function spellAddress(text: string): string {
  if (!text.includes(":")) return text;
  const parsed = parseIp(text);
  return parsed === undefined ? text : parsed.toString();
}

/** Parses an address. An IPv4 address that is written as IPv6 becomes IPv4. Undefined for any other text. */
function parseIp(text: string): ReturnType<typeof ip.process> | undefined {
  if (text.length > ADDRESS_LENGTH_MAX || text.includes("%")) return undefined;
  const isUsual = text.includes(":") ? ip.IPv6.isValid(text) : ip.IPv4.isValidFourPartDecimal(text);
  return isUsual ? ip.process(text) : undefined;
}
