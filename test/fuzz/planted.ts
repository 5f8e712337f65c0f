// Targets with mistakes that the fuzzer must find: one behind a word that chance does not write, one loop that does not
// end, one cost that grows by the square. They show that the tool still looks.

import { expectThat, type Target } from "./target.ts";

const COMMON = { fields: { text: "text" }, seeds: () => [{ text: "open" }], lengthMax: 200 } as const;

export const targets: readonly Target[] = [
  {
    ...COMMON,
    name: "planted-word",
    words: [],
    steps: { fixed: 1_000, perCharacter: 10 },
    run: ({ text = "" }) => {
      if (!text.startsWith("open")) return;
      if (!text.includes("sesame")) return;
      expectThat(!/\d/.test(text), "the cave is open");
    },
  },
  {
    ...COMMON,
    name: "planted-loop",
    words: ["stay"],
    steps: { fixed: 1_000, perCharacter: 10 },
    run: ({ text = "" }) => {
      let rounds = 0;
      while (text.includes("stay")) rounds += 1;
      expectThat(rounds === 0, "a loop has ended");
    },
  },
  {
    ...COMMON,
    name: "planted-square",
    words: [],
    steps: { fixed: 100, perCharacter: 20 },
    run: ({ text = "" }) => {
      let same = 0;
      for (const a of text) for (const b of text) if (a === b) same += 1;
      expectThat(same >= text.length - 1_000, "characters are themselves");
    },
  },
];
