// What a deployment's Workers are told of each other, by the one wrangler.toml and what differs from it.

import { expect, test } from "vitest";
import { describe as describeDeployment } from "../../scripts/deploy/config.ts";

const SHAPE = { name: "staging", ledgers: 1, jurisdiction: undefined } as const;

test("[DSH-18] the dashboard knows where the collector answers, where that has a domain or somebody has said", () => {
  const told = (settings: Parameters<typeof describeDeployment>[0]["settings"]) =>
    describeDeployment({ ...SHAPE, settings }).workers.query.vars["COLLECTOR_URL"];
  expect(told({})).toBe("");
  expect(told({ collector_domain: "t.shop.example" })).toBe("https://t.shop.example");
  expect(told({ collector_domain: "t.shop.example", vars: { COLLECTOR_URL: "https://own.example" } })).toBe(
    "https://own.example",
  );
});
