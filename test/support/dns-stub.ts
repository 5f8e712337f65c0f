// A resolver on this machine that answers in the JSON form of DNS over HTTPS, as Cloudflare's does.

import { type Receiver, startReceiver } from "./receiver.ts";

export interface DnsStub {
  /** For DNS_URL. */
  readonly url: string;
  /** The texts of TXT records by their names; change them at will. */
  readonly texts: Map<string, readonly string[]>;
  /** What it was asked, such as "_footfall.shop.example 16". */
  readonly asked: string[];
  /** Set to answer otherwise. */
  readonly answers: Receiver["answers"];
  readonly close: () => void;
}

export async function startDnsStub(): Promise<DnsStub> {
  const receiver = await startReceiver();
  const texts = new Map<string, readonly string[]>();
  const asked: string[] = [];
  receiver.answers.answer = (to) => {
    const { searchParams } = new URL(receiver.taken.at(-1)?.path ?? "", receiver.url);
    const name = searchParams.get("name") ?? "";
    asked.push(`${name} ${searchParams.get("type")}`);
    const found = texts.get(name);
    const Answer = found?.map((text) => ({ name, type: 16, TTL: 300, data: `"${text}"` }));
    to.writeHead(200, { "content-type": "application/dns-json" });
    to.end(JSON.stringify(Answer === undefined ? { Status: 3 } : { Status: 0, Answer }));
  };
  const { answers, close } = receiver;
  return { url: `${receiver.url}/dns-query`, texts, asked, answers, close };
}
