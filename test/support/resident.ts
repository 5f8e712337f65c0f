// The memory of a process this one started, as the operating system counts it. Linux only; elsewhere undefined.

import { readdirSync, readFileSync } from "node:fs";

/** Resident bytes of the child of this process with this name, such as "workerd". */
export function residentBytesOf(name: string): number | undefined {
  const child = listProcesses().find((pid) => {
    const status = readStatus(pid);
    return status.get("Name") === name && status.get("PPid") === String(process.pid);
  });
  if (child === undefined) return undefined;
  return Number(readStatus(child).get("VmRSS")?.split(" ")[0] ?? Number.NaN) * 1_024;
}

function listProcesses(): readonly string[] {
  try {
    return readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  } catch {
    return []; // no /proc on this system
  }
}

function readStatus(pid: string): ReadonlyMap<string, string> {
  try {
    const lines = readFileSync(`/proc/${pid}/status`, "utf8").split("\n");
    return new Map(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]));
  } catch {
    return new Map(); // it has ended since it was listed
  }
}
