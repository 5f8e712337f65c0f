// What the fuzzer has found, by the target that found it: each input once did what `what` says, and is asked about in every run
// of the tests. A finding is fixed and then put into kept.json, as short as the fuzzer made it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FILES } from "./corpus.ts";
import type { Input, Target } from "./target.ts";

const KEPT = JSON.parse(readFileSync(join(import.meta.dirname, "kept.json"), "utf8")) as Readonly<
  Record<string, readonly { readonly what: string; readonly input: Input }[]>
>;

const targets = new Map<string, Target>();
for (const file of FILES) {
  const module = (await import(`./targets/${file}`)) as { readonly targets: readonly Target[] };
  for (const target of module.targets) targets.set(target.name, target);
}

describe.each(Object.entries(KEPT))("%s", (name, cases) => {
  test.each(cases.map(({ what, input }) => [what, input] as const))("[HOS-11] no more: %s", async (_, input) => {
    const target = targets.get(name);
    expect(target, `${name} is a target`).toBeDefined();
    await target?.run(input);
  });
});
