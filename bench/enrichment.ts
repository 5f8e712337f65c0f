// `npm run bench:enrichment`: how often enrichment is right on public samples (test/support/accuracy.ts says which), with
// the first it gets wrong, and what an opinion costs.

import { opine } from "../core/enrichment/opinion.ts";
import { NO_RULES_IN_FORCE } from "../core/rules.ts";
import { measureAccuracy } from "../test/support/accuracy.ts";
import { CHROME, eventOf } from "../test/support/events.ts";

const ROUNDS = 100_000;

for (const { what, of, right, wrong } of measureAccuracy()) {
  console.log(`${what}: ${right} of ${of} (${((right / of) * 100).toFixed(2)} %)`);
  for (const one of wrong) console.log(`    ${one.slice(0, 180)}`);
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
