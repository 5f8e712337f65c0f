// Where a notice may be sent: an address of mail, or an https address on the public internet. A merchant chooses it, so
// it is hostile: it must not make the deployment ask something that only the deployment can reach. What the text shows
// is refused when it is saved. What its name resolves to is checked before each request, because whoever owns the name
// can change it (workers/background/deliver.ts). Redirects are never followed.

import { isNetworkAddress } from "../formats/network-address.ts";
import { TARGET_LENGTH_MAX } from "../limits.ts";
import { lookUp, toNetwork } from "../network.ts";
import type { Channel } from "./subscription.ts";

/** Why an address is refused. It completes the sentence "The target …". */
export type TargetRefusal = string;

/** Names that mean this machine or its own network, whatever they resolve to. */
const LOCAL_NAME =
  /(^|\.)(localhost|local|localdomain|internal|intranet|lan|home|corp|private|arpa|onion|invalid|test|example)$/;

/** Hosts of the chat products, where their webhooks lie. */
const CHAT_HOSTS: Readonly<Partial<Record<Channel, RegExp>>> = {
  slack: /^hooks\.slack(-gov)?\.com$/,
  discord: /^((ptb|canary)\.)?discord(app)?\.com$/,
  teams: /\.(webhook\.office\.com|logic\.azure\.com|api\.powerplatform\.com)$/,
};

/** The parts of a URL as `URL.parse` gives them. That turns every form of an address into one spelling. */
export interface UrlParts {
  readonly href: string;
  readonly protocol: string;
  readonly username: string;
  readonly password: string;
  readonly hostname: string;
  readonly port: string;
  readonly hash: string;
}

/** Why a URL is refused. Undefined where it is allowed. */
export function refusalOfUrl(url: UrlParts | null, channel: Exclude<Channel, "email">): TargetRefusal | undefined {
  if (url === null) return 'is no address such as "https://shop.example.com/hook"';
  if (url.href.length > TARGET_LENGTH_MAX) return `is longer than ${TARGET_LENGTH_MAX} characters`;
  if (url.protocol !== "https:") return "does not begin with https://";
  if (url.username !== "" || url.password !== "") return "has a user or password in it";
  if (url.port !== "") return "has a port; only that of https is asked";
  if (url.hash !== "") return 'has a part behind "#", which is never sent';
  const host = url.hostname.replace(/\.$/, "");
  if (host.startsWith("[") || isNetworkAddress(host)) return "has a network address where a name belongs";
  if (!host.includes(".") || LOCAL_NAME.test(host)) return "is of a name that is not public";
  const own = CHAT_HOSTS[channel];
  if (own !== undefined && !own.test(host)) return `is no webhook of ${channel}`;
  return undefined;
}

/** Networks that are not the public internet: RFC 6890 and what came later. */
const NOT_PUBLIC = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"],
  ...["192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"],
  ...["224.0.0.0/4", "240.0.0.0/4", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"],
].map(toNetwork);
/** All of IPv6 that is assigned. Any other address is local, or contains an address of IPv4. */
const GIVEN_OUT = [toNetwork("2000::/3")];

/** Whether an address that a name resolves to belongs to the public internet. A text that is no address does not. */
export function isPublicAddress(address: string): boolean {
  if (!isNetworkAddress(address)) return false;
  const lies = lookUp(address);
  if (lies(NOT_PUBLIC)) return false;
  return isVersion4(address) || lies(GIVEN_OUT);
}

/** Also where it is written as IPv6, such as "::ffff:192.0.2.1". */
function isVersion4(address: string): boolean {
  return lookUp(address)([toNetwork("0.0.0.0/0")]);
}
