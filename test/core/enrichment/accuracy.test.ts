// The accuracy that `npm run bench:enrichment` prints may not fall: the lists come from packages, which are updated.

import { expect, test } from "vitest";
import { measureAccuracy } from "../../support/accuracy.ts";

const LEAST: Readonly<Record<string, number>> = {
  "crawlers are bots": 0.995,
  "browsers are none": 0.95, // four of 84, of around 2010: two fetchers, a tool bar, a name alone
  "kind of device, by navigator.platform": 0.995,
  "system, by navigator.platform": 0.995,
  "browser, as labelled": 0.97,
};

test("[ENR-1] enrichment is as right as it was on public samples", () => {
  const measured = measureAccuracy();
  expect(measured.map(({ what }) => what)).toEqual(Object.keys(LEAST));
  for (const { what, of, right, wrong } of measured) {
    expect(of).toBeGreaterThan(50);
    expect(right / of, `${what}: ${wrong.join("\n")}`).toBeGreaterThanOrEqual(LEAST[what] as number);
  }
});
