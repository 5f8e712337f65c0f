// Networks of addresses, as CIDR blocks: "203.0.113.0/24", "2001:db8::/32". ipaddr.js (MIT) reads and compares them;
// what it takes beyond the common spellings (octal, hexadecimal and shortened IPv4, zones of IPv6) is refused here,
// because two readers of such a text would see two addresses.

import ip from "ipaddr.js";

/** A block: an address and how many of its first bits count. */
export type Network = ReturnType<typeof ip.parseCIDR>;

/** Eight groups of four digits and a mapped IPv4 address. */
const ADDRESS_LENGTH_MAX = 45;

/**
 * A block in its one spelling, "203.0.113.0/24" for "203.0.113.7/24"; a lone address is a block of one. Undefined for
 * neither.
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

/** A test of whether blocks hold an address; one that is none lies in no block. */
export function lookUp(address: string): (networks: readonly Network[]) => boolean {
  const parsed = parseIp(address);
  if (parsed === undefined) return () => false;
  return (networks) => networks.some((network) => network[0].kind() === parsed.kind() && parsed.match(network));
}

/**
 * An address in its one spelling: "203.0.113.7" also for "::ffff:cb00:7107", IPv6 as short as it goes. What is none
 * stays.
 */
export function spellAddress(text: string): string {
  if (!text.includes(":")) return text;
  const parsed = parseIp(text);
  return parsed === undefined ? text : parsed.toString();
}

/** An address; one of IPv4 that is written as IPv6 is one of IPv4. */
function parseIp(text: string): ReturnType<typeof ip.process> | undefined {
  if (text.length > ADDRESS_LENGTH_MAX || text.includes("%")) return undefined;
  const isUsual = text.includes(":") ? ip.IPv6.isValid(text) : ip.IPv4.isValidFourPartDecimal(text);
  return isUsual ? ip.process(text) : undefined;
}
