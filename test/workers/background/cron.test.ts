// How the cron does its steps: every one, whatever becomes of the others.

import { expect, test } from "vitest";
import type { LogEntry } from "../../../core/log.ts";
import { runCron } from "../../../workers/background/cron.ts";

const failing = (message: string) => async () => {
  throw new Error(message);
};

test.each([
  ["none", {}, undefined, []],
  [
    "one that waits for D1",
    { fetch_rates: failing("D1 is overloaded") },
    "steps of the cron failed: fetch_rates",
    [{ event: "cron_step_failed", step: "fetch_rates", error: "Error: D1 is overloaded" }],
  ],
  [
    "one that throws before it waits, and one after",
    {
      forget_audit: () => {
        throw new Error("at once");
      },
      drive_seals: failing("later"),
    },
    "steps of the cron failed: forget_audit, drive_seals",
    [
      { event: "cron_step_failed", step: "forget_audit", error: "Error: at once" },
      { event: "cron_step_failed", step: "drive_seals", error: "Error: later" },
    ],
  ],
] as const)(
  "[WRK-4] of the steps fails %s: the others are done, the log has its name, the cron fails",
  async (_, broken, message, lines) => {
    const done: string[] = [];
    const logged: LogEntry[] = [];
    const deps = { log: (line: LogEntry) => void logged.push(line) };
    const good = { first: async () => void done.push("first"), last: async () => void done.push("last") };
    const { first, last } = good;
    const run = runCron({ first, ...broken, last }, deps);
    if (message === undefined) await run;
    else await expect(run).rejects.toThrow(message);
    expect(done).toEqual(["first", "last"]);
    expect(logged).toEqual(lines);
  },
);
