// A file imported against a collector of tests, for tests of what its rows become.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { type ImportOptions, importFile } from "../../scripts/import/run.ts";
import { type FakeCollector, startFakeCollector } from "./fake-collector.ts";

export interface Imported {
  /** Rows by why they were left out. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly rejected: readonly string[];
  readonly events: readonly Readonly<Record<string, unknown>>[];
}

/** What imports lines, or the bytes of a file, and answers what the collector of this test has by then. */
export type Importing = (lines: readonly string[] | Uint8Array, options?: Partial<ImportOptions>) => Promise<Imported>;

/** Begins a folder and a collector anew for each test of a file. */
export function importing(): Importing {
  let folder = "";
  let collector: FakeCollector;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "footfall-source-"));
    collector = await startFakeCollector();
  });
  afterEach(async () => {
    await collector.stop();
    await rm(folder, { recursive: true });
  });
  return async (content, options = {}) => {
    const path = join(folder, "file");
    await writeFile(path, content instanceof Uint8Array ? content : `${content.join("\n")}\n`);
    const tally = await importFile({
      path,
      destination: { collectorUrl: collector.url, trackingId: "t" },
      origin: undefined,
      map: new Map(),
      assets: false,
      eventsPerSecond: Number.POSITIVE_INFINITY,
      stateDir: join(folder, "state"),
      meter: () => ({ update() {}, stop() {} }),
      say: () => {},
      ...options,
    });
    return {
      skipped: Object.fromEntries(tally.skipped),
      rejected: [...tally.rejected.keys()],
      events: [...collector.events.values()],
    };
  };
}
