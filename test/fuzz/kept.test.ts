// What the fuzzer has found, by the target that found it: each input once did what `what` says, and is asked about in
// every run of the tests. A finding is fixed and then put into kept.json, as short as the fuzzer made it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FILES } from "./corpus.ts";
import { Runner } from "./explore.ts";
import { findGrowth } from "./growth.ts";
import type { Input, Target } from "./target.ts";

const KEPT = JSON.parse(readFileSync(join(import.meta.dirname, "kept.json"), "utf8")) as Readonly<
  Record<string, readonly { readonly what: string; readonly input: Input }[]>
>;

/** What took time by the square of its length: a piece that is repeated within a field. */
const SLOW: readonly (readonly [target: string, field: string, before: string, piece: string, after: string])[] = [
  ["format-v1-events", "body", '[{"tracking_id":"t","scroll":1.1', "0", "3}]"],
  ["format-batch", "body", "data=", "%3D", "x"],
  ["format-g-collect", "query", "v=2&en=a", "&%fe=%fe", ""],
  ["import-csv", "file", "date;page\n1795262400;", '"a\n";', "x\n"],
];

const targets = new Map<string, Target>();
for (const file of FILES) {
  const module = (await import(`./targets/${file.replace(/\.ts$/, "")}.ts`)) as { readonly targets: readonly Target[] };
  for (const target of module.targets) targets.set(target.name, target);
}

describe.each(Object.entries(KEPT))("%s", (name, cases) => {
  test.each(cases.map(({ what, input }) => [what, input] as const))("[HOS-11] no more: %s", async (_, input) => {
    const target = targets.get(name);
    expect(target, `${name} is a target`).toBeDefined();
    await target?.run(input);
  });
});

test.each(SLOW)(
  "[HOS-10] %s: %s of %j and many of %j takes no longer than its length",
  async (name, field, before, piece, after) => {
    const known = targets.get(name) as Target;
    const [start, end] = [before + piece.repeat(4), piece + after];
    const blank = Object.fromEntries(Object.keys(known.fields).map((other) => [other, ""]));
    // The piece in the middle is what grows, whatever growth.ts chooses of the field.
    const target: Target = {
      ...known,
      fields: { times: "text" },
      lengthMax: 24_000,
      run: ({ times = "" }) =>
        known.run({ ...blank, [field]: start + piece.repeat(Math.ceil(times.length / piece.length)) + end }),
    };
    const runner = new Runner(new Uint32Array(0), target);
    const { found, finding } = await findGrowth({ target, runner }, [{ times: "x" }], 1);
    expect([found, finding]).toEqual([[], undefined]);
  },
);
