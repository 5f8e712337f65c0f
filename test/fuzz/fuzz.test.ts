// A few inputs of every target of the fuzzer, so that it cannot rot between its long runs (`npm run fuzz`), and
// mistakes planted for it to find. The numbers of inputs are fixed, and nothing here looks at a clock.

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { corpusOf, FILES } from "./corpus.ts";
import { explore, Runner } from "./explore.ts";
import { findGrowth } from "./growth.ts";
import { instrument, withCounters } from "./instrument.ts";
import type { Target } from "./target.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Of each target, beside what it begins with. */
const INPUTS = 120;

describe.each(FILES)("%s", async (file) => {
  const instrumented = await instrument(join(import.meta.dirname, "targets", file));
  test.each(instrumented.targets.map((target) => [target.name, target] as const))(
    "[HOS-11] %s: nothing is wrong with its answers to what is known, and to some inputs more",
    async (name, target) => {
      const known = [...target.seeds(ROOT), ...corpusOf(name)];
      const explored = await explore(instrumented, target, { inputs: known.length + INPUTS, seed: 1, known });
      expect(explored.findings).toEqual([]);
      expect(explored.corpus.length).toBeGreaterThan(0);
      expect(explored.blocks).toBeGreaterThan(5);
    },
  );
});

describe("the tool", async () => {
  const planted = await instrument(join(import.meta.dirname, "planted.ts"), 10_000);
  const run = (name: string, inputs: number, seed = 1) => {
    const target = planted.targets.find((one) => one.name === name) as Target;
    return explore(planted, target, { inputs, seed, known: target.seeds(ROOT) });
  };

  test("[HOS-11] finds what stands behind words of the code, and makes it short", async () => {
    const { findings } = await run("planted-word", 20_000);
    expect(findings.map(({ what }) => what)).toEqual(["the cave is open"]);
    expect(findings[0]?.input["text"]).toMatch(/^opensesame\d$/);
  });

  test("[HOS-11] ends a loop that does not end, and tells of it", async () => {
    const { findings } = await run("planted-loop", 60);
    expect(findings).toContainEqual({ target: "planted-loop", what: "a loop does not end", input: { text: "stay" } });
  });

  test("[HOS-11] counts steps, and tells of those that are too many", async () => {
    const { findings, dearest } = await run("planted-square", 3_000);
    expect(findings[0]?.what).toMatch(/^steps: \d+ for \d+ characters, where at most \d+ may be$/);
    expect(dearest.share).toBeGreaterThan(1);
  });

  test("[HOS-11] the same seed is the same run, another one is another", async () => {
    const [one, same, other] = [
      await run("planted-word", 2_000),
      await run("planted-word", 2_000),
      await run("planted-word", 2_000, 2),
    ];
    expect(same.corpus).toEqual(one.corpus);
    expect(other.corpus).not.toEqual(one.corpus);
  });

  test("[HOS-11] tells of a time that grows faster than the length", async () => {
    const target: Target = {
      ...(planted.targets[0] as Target),
      lengthMax: 4_000,
      steps: { fixed: 1_000, perCharacter: 10 },
      run: ({ text = "" }) => void /(?:x+)y/.test(text),
    };
    const runner = new Runner(new Uint32Array(0), target);
    const { found } = await findGrowth({ target, runner }, [{ text: "xx" }], 1);
    expect(found.length).toBeGreaterThan(0);
  });

  test("[HOS-11] a script with counters does what it did without", () => {
    const source = `
      function grade(n, list = []) {
        if (n < 0) return "minus"; else if (n === 0) return list.length ? "zero" : "nothing";
        for (const item of list) if (item === n) return item && "there";
        switch (n) { case 1: case 2: return "few"; default: }
        try { null.x; } catch { return (() => n ?? 1)() > 10 || "some"; }
      }
      return grade;`;
    const wrapped = (text: string) => `function whole() {${text}}`;
    const { text, count } = withCounters(wrapped(source));
    const counters = new Uint32Array(count);
    const of = (code: string) =>
      new Function("__footfallCounters", "__footfallTooLong", `${code}\nreturn whole();`)(counters, () => undefined);
    const [plain, counted] = [of(wrapped(source)), of(text)];
    for (const given of [[-1], [0], [0, [1]], [5, [5]], [1], [9], [11], [undefined]])
      expect(counted(...given)).toEqual(plain(...given));
    expect([...counters].filter((times) => times === 0)).toEqual([]);
  });
});
