// Whether a text is a network address. A server may name its visitor's address. Anything else in that field would make
// visitors out of nonsense.

/** Without leading zeros, because other readers take "010" for 8. */
const OCTET = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = new RegExp(`^${OCTET}(\\.${OCTET}){3}$`);

/** IPv4 in dotted form, or IPv6 with or without an IPv4 tail. */
export function isNetworkAddress(text: string): boolean {
  return IPV4.test(text) || isIpv6(text);
}

function isIpv6(text: string): boolean {
  if (!/^[0-9a-f:.]{2,45}$/i.test(text)) return false;
  const tail = text.slice(text.lastIndexOf(":") + 1);
  if (tail.includes(".") && !IPV4.test(tail)) return false;
  const [head = "", rest, ...more] = text.split("::");
  if (more.length > 0) return false;
  const groups = [head, rest ?? ""].flatMap((part) => (part === "" ? [] : part.split(":")));
  const count = groups.length + (tail.includes(".") ? 1 : 0);
  const shaped = groups.every(
    (group, index) =>
      /^[0-9a-f]{1,4}$/i.test(group) || (index === groups.length - 1 && group === tail && tail.includes(".")),
  );
  return shaped && (rest === undefined ? count === 8 : count <= 7);
}
