// What all benches share: rounds that interleave the sides, medians, and the two things each prints: a table for
// people, one line of JSON for programs. The machine is never quiet, so sides are compared within a round and the
// middle of several rounds is told; absolute times are only there to say what they were.

import { readdirSync, readFileSync } from "node:fs";
import { toTable } from "../scripts/table.ts";

export function median(all: readonly number[]): number {
  return quantile(all, 0.5);
}

export function quantile(all: readonly number[], share: number): number {
  const sorted = [...all].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** To so many significant digits. */
export function rounded(value: number, digits = 3): number {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : 0;
}

/** Prints rows, whose keys are the table's head, and the same as one line of JSON with what else is to be said. */
export function print(
  bench: string,
  rows: readonly Readonly<Record<string, string | number>>[],
  more: Readonly<Record<string, unknown>> = {},
): void {
  const head = Object.keys(rows[0] ?? {});
  console.log(
    toTable(
      head,
      rows.map((row) => head.map((key) => row[key])),
    ),
  );
  console.log(JSON.stringify({ bench, ...more, rows }));
}

/** Runs each side once a round, one after the other, and answers what each came to, by side. */
export async function interleave<T>(
  rounds: number,
  sides: Readonly<Record<string, () => T | Promise<T>>>,
): Promise<Readonly<Record<string, readonly T[]>>> {
  const results: Record<string, T[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [side, run] of Object.entries(sides)) {
      results[side] ??= [];
      results[side].push(await run());
    }
    console.error(`round ${round + 1} of ${rounds}`);
  }
  return results;
}

/** Processes of a name under this one; Linux only, nobody elsewhere. */
export function descendants(name: string): readonly number[] {
  const parents = new Map<number, number>();
  const named: number[] = [];
  for (const entry of listProcesses()) {
    const stat = statOf(entry);
    if (stat === undefined) continue;
    parents.set(entry, stat.parent);
    if (stat.name === name) named.push(entry);
  }
  const isOurs = (pid: number | undefined): boolean =>
    pid !== undefined && pid > 1 && (pid === process.pid || isOurs(parents.get(pid)));
  return named.filter(isOurs);
}

/** CPU time that processes have used so far, in ms, user and system. */
export function cpuMs(pids: readonly number[]): number {
  const TICK_MS = 10; // USER_HZ is 100 on every Linux that Node runs on
  return pids.reduce((sum, pid) => sum + (statOf(pid)?.ticks ?? 0) * TICK_MS, 0);
}

function listProcesses(): readonly number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return []; // not Linux: CPU columns then say 0
  }
}

interface ProcessStat {
  readonly name: string;
  readonly parent: number;
  /** Of user and system time. */
  readonly ticks: number;
}

/** /proc/<pid>/stat; undefined for a process that has just ended. */
function statOf(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const end = text.lastIndexOf(")");
    const fields = text.slice(end + 2).split(" ");
    return {
      name: text.slice(text.indexOf("(") + 1, end),
      parent: Number(fields[1]),
      ticks: Number(fields[11]) + Number(fields[12]),
    };
  } catch {
    return undefined;
  }
}
