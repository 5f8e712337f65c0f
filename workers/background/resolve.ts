// Resolves a name to addresses, by DNS over HTTPS in its JSON form. A webhook's name is resolved before each request,
// since its owner may have pointed it at a private address meanwhile. The platform resolves the name once more when it
// connects. A change in between is not caught here. On Cloudflare's edge such a request reaches nothing private,
// because no private network is reachable from there without a binding.

import { OUTBOX_SEND_MS } from "../../core/limits.ts";
import { readBody } from "../../storage/request-body.ts";

export type Resolve = (name: string) => Promise<readonly string[]>;

const A = 1;
const AAAA = 28;
const ANSWER_BYTES_MAX = 64 * 1024;

interface Answer {
  readonly Status: number;
  readonly Answer?: readonly { readonly type: number; readonly data: string }[];
}

/**
 * Makes a function that returns all addresses of a name, of IPv4 and IPv6. Empty where the name has none. The function
 * throws if the resolver does not answer.
 */
export function resolverOf(url: string, fetch: (url: string, init?: RequestInit) => Promise<Response>): Resolve {
  const ask = async (name: string, type: number): Promise<readonly string[]> => {
    const signal = AbortSignal.timeout(OUTBOX_SEND_MS);
    const asked = `${url}?name=${encodeURIComponent(name)}&type=${type}`;
    const response = await fetch(asked, { headers: { accept: "application/dns-json" }, redirect: "manual", signal });
    const sent = await readBody(new Response(response.body), ANSWER_BYTES_MAX);
    if (!response.ok || !sent.ok) throw new Error(`the resolver answered ${response.status}`);
    const { Status, Answer = [] } = JSON.parse(sent.text) as Answer;
    // Status 3 is a name that does not exist.
    if (Status !== 0 && Status !== 3) throw new Error(`the resolver answered with the code ${Status}`);
    return Answer.filter((one) => one.type === type).map(({ data }) => data);
  };
  return async (name) => (await Promise.all([ask(name, A), ask(name, AAAA)])).flat();
}
