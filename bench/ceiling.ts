// What ingest is measured against, in the same runtime and on the same machine: a Hono Worker whose one route does
// nothing (nothing can be faster), the shape of a hit with nothing but its body parsed and stored (bare-shape.ts), and
// what a user would write instead, Hono with one INSERT a hit: into D1 in that Worker, and into SQLite or PostgreSQL on
// Node in processes of their own (naive-server.ts).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { SHARED_OPTIONS, WORKER_BUNDLE } from "../scripts/runtime.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { descendants } from "./measure.ts";

export interface Rivals {
  /** A route that does nothing. */
  readonly emptyUrl: string;
  /** The shape of a hit, its body parsed and its text stored. */
  readonly bareUrl: string;
  /** One INSERT into D1 for each event. */
  readonly d1Url: string;
  /** One INSERT into SQLite on Node for each event. */
  readonly sqlite: Naive;
  /** One into PostgreSQL, whose processes are among the side's; undefined where the machine has none. */
  readonly postgres: Naive | undefined;
  /** Of the Worker, as `watchHeap` takes it. */
  readonly inspector: URL;
  readonly stop: () => Promise<void>;
}

/** A server on Node, and the processes that its hits take. */
export interface Naive {
  readonly url: string;
  readonly pids: () => readonly number[];
}

/** The Worker's name. */
export const RIVAL = "rival";

export async function startRivals(): Promise<Rivals> {
  const folder = mkdtempSync(join(tmpdir(), "footfall-rivals-"));
  const miniflare = await startWorker(folder);
  const { origin } = await miniflare.unsafeGetDirectURL(RIVAL);
  const sqlite = await startNaive(join(folder, "hits.sqlite"));
  const database = await startPostgres(folder);
  const postgres = database && (await startNaive(database.url));
  return {
    emptyUrl: `${origin}/empty`,
    bareUrl: `${origin}/bare`,
    d1Url: `${origin}/hit`,
    sqlite,
    postgres: postgres && { url: postgres.url, pids: () => [...postgres.pids(), ...descendants("postgres")] },
    inspector: await miniflare.getInspectorURL(),
    stop: async () => {
      sqlite.stop();
      postgres?.stop();
      await database?.stop();
      await miniflare.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Hono on Node, which stores in a file or at an address of PostgreSQL. */
async function startNaive(store: string): Promise<Naive & { readonly stop: () => void }> {
  const server = spawn(process.execPath, [join(import.meta.dirname, "naive-server.ts"), store], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  return { url: `${line.toString().trim()}/hit`, pids: () => [server.pid ?? 0], stop: () => server.kill() };
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
