// What ingest is measured against, in the same runtime and on the same machine: a Hono Worker whose one route does
// nothing (nothing can be faster), the shape of a hit with nothing but its body parsed and stored (bare-shape.ts), and
// what a user would write instead, Hono with one INSERT a hit: into D1 in that Worker, and into SQLite on Node in a
// process of its own (naive-server.ts).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { SHARED_OPTIONS, WORKER_BUNDLE } from "../scripts/runtime.ts";

export interface Rivals {
  /** A route that does nothing. */
  readonly emptyUrl: string;
  /** The shape of a hit, its body parsed and its text stored. */
  readonly bareUrl: string;
  /** One INSERT into D1 for each event. */
  readonly d1Url: string;
  /** One INSERT into SQLite on Node for each event. */
  readonly sqliteUrl: string;
  /** Events stored by each of the two. */
  readonly stored: () => Promise<{ readonly d1: number; readonly sqlite: number }>;
  /** Of the Worker, as `watchHeap` takes it. */
  readonly inspector: URL;
  readonly stop: () => Promise<void>;
}

/** The Worker's name. */
export const RIVAL = "rival";

export async function startRivals(): Promise<Rivals> {
  const folder = mkdtempSync(join(tmpdir(), "footfall-rivals-"));
  const miniflare = await startWorker(folder);
  const { origin } = await miniflare.unsafeGetDirectURL(RIVAL);
  const naive = spawn(process.execPath, [join(import.meta.dirname, "naive-server.ts"), join(folder, "hits.sqlite")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(naive.stdout, "data")) as [Buffer];
  const sqliteUrl = line.toString().trim();
  const countAt = async (url: string) => Number(await (await fetch(`${url}/count`)).text());
  return {
    emptyUrl: `${origin}/empty`,
    bareUrl: `${origin}/bare`,
    d1Url: `${origin}/hit`,
    sqliteUrl: `${sqliteUrl}/hit`,
    inspector: await miniflare.getInspectorURL(),
    stored: async () => ({ d1: await countAt(origin), sqlite: await countAt(sqliteUrl) }),
    stop: async () => {
      naive.kill();
      await miniflare.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startWorker(folder: string): Promise<Miniflare> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "ceiling-worker.ts")],
    ...WORKER_BUNDLE,
    external: ["cloudflare:*"],
  });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...SHARED_OPTIONS,
      resourcePersistencePath: folder,
      inspectorPort: 0,
      workers: [
        {
          name: RIVAL,
          compatibilityDate: "2026-10-20",
          modules: [{ type: "ESModule", path: join(folder, "rival.js"), contents: outputFiles?.[0]?.text ?? "" }],
          modulesRoot: folder,
          d1Databases: { DB: "rival" },
          durableObjects: { BARE: { className: "BareObject", useSQLite: true } },
          unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        },
      ],
    }),
  );
  await miniflare.ready;
  return miniflare;
}
