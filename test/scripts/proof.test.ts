// A proof that was kept, beside what is proven now.

import { expect, test } from "vitest";
import { parseProof, verify } from "../../scripts/footfall/proof.ts";
import type { Day, ProofAnswer, Seal } from "../../workers/query/dashboard/pages/trust/proof.ts";

const SEAL: Seal = {
  sealed_at: "2026-11-22T01:00:00.000Z",
  generation: 1,
  manifest: "sealed/date=2026-11-21/partition=pool-3/generation=1",
  rows: 5,
  checksum: "9f86",
  settings: 4,
};
const DAY: Day = {
  date: "2026-11-21",
  state: "sealed",
  received: 5,
  counted: 3,
  outside_visits: 1,
  dropped: { bot: 1 },
  adds_up: true,
  compared: true,
  differences: [],
  seals: [SEAL],
};
const proof = (day: Partial<Day>, rules = 1): ProofAnswer => ({
  ...DAY,
  ...day,
  as_of: "2026-11-22T12:00:00.000Z",
  rules,
  differences: 0,
  left_out: {},
  days: [{ ...DAY, ...day }],
});
const again = { ...SEAL, generation: 2, manifest: SEAL.manifest.replace("=1", "=2"), rows: 6 };
/** As proofs told it until they told no more than the generation. */
const whole = { ...SEAL, manifest: `${SEAL.manifest}-1-0/manifest.json` };

test.each([
  ["holds", "3 events counted", proof({}), proof({})],
  ["holds", "3 events counted", proof({ seals: [whole] }), proof({})],
  ["differs", "has other rows", proof({ seals: [{ ...whole, rows: 4 }] }), proof({})],
  ["differs", "does not add up", proof({ counted: 4 }), proof({ counted: 4 })],
  ["differs", "has other rows", proof({}), proof({ seals: [{ ...SEAL, checksum: "0000" }] })],
  ["differs", "has other rows", proof({}), proof({ seals: [{ ...SEAL, rows: 4 }] })],
  ["differs", "tells nothing", proof({}), { ...proof({}), days: [] }],
  ["newer", "with 1 more events", proof({}), proof({ received: 6, counted: 4, seals: [again] })],
  ["newer", "sealed again since", proof({}), proof({ seals: [{ ...again, rows: 5 }] })],
  ["newer", "not sealed yet", proof({ seals: [] }), proof({ seals: [] })],
  ["newer", "was not sealed", proof({ seals: [] }), proof({})],
  ["newer", "by version 2 of the rules, not 1: 2 and not 3", proof({}), proof({ counted: 2, dropped: { bot: 2 } }, 2)],
] as const)("[CLI-5] a kept Day %s: %s", (state, why, kept, now) => {
  expect(verify(kept, now)).toEqual([{ date: DAY.date, state, why: expect.stringContaining(why) }]);
});

test.each(["", "[]", "null", '{"days":[]}', '{"days":[{"date":5}]}', '{"results":[]}'])(
  "[CLI-5] %j is no proof, and it is said which file is meant",
  (text) => {
    expect(() => parseProof(text, "kept.json")).toThrow(/kept\.json .*Keep as a file/);
  },
);

test("[CLI-5] what the page saves is a proof", () => {
  expect(parseProof(JSON.stringify(proof({})), "kept.json")).toEqual(proof({}));
});
