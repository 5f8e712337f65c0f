// `npm run bench:enrichment`: how often enrichment is right on public samples (test/support/accuracy.ts
// says which), with the first it gets wrong, where another library would say otherwise
// (docs/dependencies.md), and what an opinion costs.

import Bowser from "bowser";
import { UAParser } from "my-ua-parser";
import { opine } from "../core/enrichment/opinion.ts";
import { NO_RULES_IN_FORCE } from "../core/rules.ts";
import { measureAccuracy, readSeen } from "../test/support/accuracy.ts";
import { CHROME, eventOf } from "../test/support/events.ts";

const ROUNDS = 100_000;

for (const { what, of, right, wrong } of measureAccuracy()) {
  console.log(`${what}: ${right} of ${of} (${((right / of) * 100).toFixed(2)} %)`);
  for (const one of wrong) console.log(`    ${one.slice(0, 180)}`);
}

const agents = readSeen().map(({ userAgent }) => userAgent);
const ours = timed(agents, (agent) => {
  const { browser, os, device } = UAParser(agent);
  return { browser: browser.name ?? "", os: os.name ?? "", kind: device.type ?? "desktop" };
});
const theirs = timed(agents, (agent) => {
  const { browser, os, platform } = Bowser.parse(agent);
  return { browser: browser.name ?? "", os: os.name ?? "", kind: platform.type ?? "" };
});
console.log(`my-ua-parser ${ours.us.toFixed(1)} µs an agent, bowser ${theirs.us.toFixed(1)} µs`);
for (const part of ["browser", "os", "kind"] as const) {
  const pairs = agents.map((_, at) => `${ours.found[at]?.[part]} → ${theirs.found[at]?.[part]}`);
  const others = pairs.filter((pair) => pair.split(" → ")[0] !== pair.split(" → ")[1]);
  const counted = [...new Set(others)].map((pair) => `${pair}: ${others.filter((other) => other === pair).length}`);
  console.log(`${part}: bowser has another name for ${others.length} of ${agents.length} (${counted.join("; ")})`);
}

const event = eventOf({
  url: "https://shop.example/order/4711?utm_source=letter&utm_medium=email",
  referrer: "https://news.example/today",
  userAgent: CHROME,
  asn: 3320,
});
for (let round = 0; round < ROUNDS; round++) opine(event, NO_RULES_IN_FORCE); // warm
const start = performance.now();
for (let round = 0; round < ROUNDS; round++) opine(event, NO_RULES_IN_FORCE);
console.log(`an opinion on an agent seen before: ${(((performance.now() - start) / ROUNDS) * 1_000).toFixed(1)} µs`);

function timed<T>(
  all: readonly string[],
  parse: (agent: string) => T,
): { readonly found: readonly T[]; readonly us: number } {
  for (const agent of all) parse(agent); // warm
  const begun = performance.now();
  const found = all.map(parse);
  return { found, us: ((performance.now() - begun) / all.length) * 1_000 };
}
