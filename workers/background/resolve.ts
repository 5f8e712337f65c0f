// Asks DNS, over HTTPS in its JSON form: for the addresses of a name, and for its texts, which prove whose a hostname
// is (core/hostname-proof.ts). A webhook's name is resolved before each request, since its owner may have pointed it at
// a private address meanwhile. The platform resolves the name once more when it connects. A change in between is not
// caught here. On Cloudflare's edge such a request reaches nothing private, because no private network is reachable
// from there without a binding.

import { parseTxt } from "../../core/hostname-proof.ts";
import { OUTBOX_SEND_MS } from "../../core/limits.ts";
import { readBody } from "../../storage/request-body.ts";

export type Resolve = (name: string) => Promise<readonly string[]>;

export interface Resolver {
  /** All addresses of a name, of IPv4 and IPv6. Empty where it has none. Throws if the resolver does not answer. */
  readonly addresses: Resolve;
  /** The texts of a name's own TXT records; those of a name that it is an alias of are not its own. Throws likewise. */
  readonly texts: Resolve;
}

const A = 1;
const AAAA = 28;
const TXT = 16;
const ANSWER_BYTES_MAX = 64 * 1024;

interface Answer {
  readonly Status: number;
  readonly Answer?: readonly DnsRecord[];
}

interface DnsRecord {
  readonly name?: string;
  readonly type: number;
  readonly data: string;
}

export function resolverOf(url: string, fetch: (url: string, init?: RequestInit) => Promise<Response>): Resolver {
  const ask = async (name: string, type: number): Promise<readonly DnsRecord[]> => {
    const signal = AbortSignal.timeout(OUTBOX_SEND_MS);
    const asked = `${url}?name=${encodeURIComponent(name)}&type=${type}`;
    const response = await fetch(asked, { headers: { accept: "application/dns-json" }, redirect: "manual", signal });
    const sent = await readBody(new Response(response.body), ANSWER_BYTES_MAX);
    if (!response.ok || !sent.ok) throw new Error(`the resolver answered ${response.status}`);
    const { Status, Answer = [] } = JSON.parse(sent.text) as Answer;
    // Status 3 is a name that does not exist.
    if (Status !== 0 && Status !== 3) throw new Error(`the resolver answered with the code ${Status}`);
    return Answer.filter((one) => one.type === type);
  };
  const addressesOf = async (name: string, type: number) => (await ask(name, type)).map(({ data }) => data);
  return {
    addresses: async (name) => (await Promise.all([addressesOf(name, A), addressesOf(name, AAAA)])).flat(),
    texts: async (name) => {
      const own = (await ask(name, TXT)).filter((one) => one.name?.toLowerCase().replace(/\.$/, "") === name);
      return own.map(({ data }) => parseTxt(data));
    },
  };
}
