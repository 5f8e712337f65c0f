// What is read of DNS by which a hostname is proven, from a resolver that is a real HTTP server.

import { afterEach, beforeEach, expect, test } from "vitest";
import { resolverOf } from "../../../workers/background/resolve.ts";
import { type DnsStub, startDnsStub } from "../../support/dns-stub.ts";

const NAME = "_footfall.shop.example";
let dns: DnsStub;
beforeEach(async () => {
  dns = await startDnsStub();
});
afterEach(() => dns.close());

const read = () => resolverOf(dns.url, fetch).texts(NAME);
const answers = (body: unknown, status = 200) => {
  dns.answers.answer = (to) => void to.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));
};

test("[MER-12] the texts of a name are read, and none of one that does not exist", async () => {
  dns.texts.set(NAME, ["footfall=1", "other"]);
  expect(await read()).toEqual(["footfall=1", "other"]);
  dns.texts.clear();
  expect(await read()).toEqual([]);
  expect(dns.asked).toEqual([`${NAME} 16`, `${NAME} 16`]);
});

test("[MER-12] records of other kinds, of other names and of what the name is an alias of are none", async () => {
  const Answer = [
    { name: `${NAME.toUpperCase()}.`, type: 16, data: '"its" " own"' },
    { name: NAME, type: 5, data: "elsewhere.example." },
    { name: "elsewhere.example", type: 16, data: '"an alias\'s"' },
    { name: "shop.example", type: 16, data: '"its parent\'s"' },
    { type: 16, data: '"nobody\'s"' },
  ];
  answers({ Status: 0, Answer });
  expect(await read()).toEqual(["its own"]);
});

test.each([
  ["an error", 500, { Status: 0 }],
  ["a redirect", 302, { Status: 0 }],
  ["another code than success", 200, { Status: 2 }],
  ["no JSON", 200, "<html>"],
  [
    "more than a resolver has to say",
    200,
    JSON.stringify({ Status: 0, Answer: [{ name: NAME, type: 16, data: "x".repeat(70_000) }] }),
  ],
] as const)("[MER-12] %s is no answer", async (_, status, body) => {
  answers(body, status);
  await expect(read()).rejects.toThrow();
});
