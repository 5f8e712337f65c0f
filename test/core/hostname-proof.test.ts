// What a record of DNS proves, and to whom.

import { expect, test } from "vitest";
import { judgeProof, parseTxt, proofRecordOf } from "../../core/hostname-proof.ts";
import { PROOF_TEXTS_MAX } from "../../core/limits.ts";
import { encodeTrackingId } from "../../core/tracking-id.ts";
import { signWith } from "../../storage/signing.ts";

const signs = [signWith("secret"), signWith("the secret before")];
const idOf = (merchant: number, stream = 1, sign = signs[0]) =>
  encodeTrackingId({ merchant, stream }, sign as (typeof signs)[number]);
const OWN = `footfall=${idOf(7)}`;
const OTHER = `footfall=${idOf(8)}`;

test("[MER-12] the record to make names the hostname and the merchant", () => {
  expect(proofRecordOf("shop.example", idOf(7))).toEqual({ name: "_footfall.shop.example", type: "TXT", text: OWN });
});

const CASES: readonly (readonly [
  what: string,
  texts: readonly string[],
  holder: number | undefined,
  verdict: string,
])[] = [
  ["no record", [], undefined, "missing"],
  ["its own", [OWN], undefined, "proven"],
  ["its own beside others that mean nothing", ["v=spf1 -all", "", OWN], undefined, "proven"],
  ["blanks and capitals", [` Footfall= ${idOf(7).toUpperCase()} `], undefined, "proven"],
  ["the ID of another stream of it", [`footfall=${idOf(7, 2)}`], undefined, "proven"],
  ["an ID of before a rotation", [`footfall=${idOf(7, 1, signs[1])}`], undefined, "proven"],
  ["an ID of another deployment", [`footfall=${idOf(7, 1, signWith("another"))}`], undefined, "missing"],
  [
    "an ID with a wrong digit",
    [`footfall=${idOf(7).replace(/.$/, (last) => (last === "0" ? "1" : "0"))}`],
    undefined,
    "missing",
  ],
  ["an ID alone", [idOf(7)], undefined, "missing"],
  ["two IDs in one text", [`${OTHER} ${OWN}`], undefined, "missing"],
  ["a neighbour's", [OTHER], undefined, "missing"],
  ["a neighbour's, who has it", [OTHER], 8, "missing"],
  ["its own and a neighbour's, who does not have it", [OTHER, OWN], undefined, "proven"],
  ["its own, where a neighbour has it", [OWN], 8, "proven"],
  ["its own, where it has it", [OWN], 7, "proven"],
  ["its own beside one that is too many", [...Array(PROOF_TEXTS_MAX).fill("x"), OWN], undefined, "missing"],
];
test.each(CASES)("[MER-12] %s", (_, texts, holder, verdict) => {
  expect(judgeProof(texts, { merchant: 7, holder, signs })).toBe(verdict);
});

test("[MER-13] of two whose records are there, whoever has it keeps it", () => {
  for (const texts of [
    [OWN, OTHER],
    [OTHER, OWN],
  ]) {
    expect(judgeProof(texts, { merchant: 7, holder: 8, signs })).toBe("held");
    expect(judgeProof(texts, { merchant: 8, holder: 7, signs })).toBe("held");
    expect(judgeProof(texts, { merchant: 7, holder: 9, signs })).toBe("proven");
  }
});

test.each([
  ["bare", "bare"],
  ['"one part"', "one part"],
  ['"foot" "fall=" "1"', "footfall=1"],
  ['"foot""fall"', "footfall"],
  ['"a \\"quote\\" and a \\\\"', 'a "quote" and a \\'],
  ['"\\102ar\\010"', "far\n"],
  ['""', ""],
  ['"never closed', ""],
  ['"\\', ""],
  ["", ""],
])("[MER-12] the text %j says %j", (data, text) => {
  expect(parseTxt(data)).toBe(text);
});

test("[HOS-1] a text as long as an answer may be is read in no time to speak of", () => {
  const long = `"${'\\"'.repeat(32_000)}`;
  expect(parseTxt(long)).toBe("");
  expect(parseTxt(`${long}"`)).toHaveLength(32_000);
});
