// A PostgreSQL of the machine's packages (on Debian `apt-get install postgresql`), in a folder of its own and with its
// usual settings: a commit is on disk before it is told. Where there is none, its side is left out of a bench, and a
// test of it is skipped.

import { execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";

export interface Postgres {
  readonly url: string;
  /** Where its own programs are: psql, pg_dump. */
  readonly programs: string;
  readonly stop: () => Promise<void>;
}

const PACKAGES = "/usr/lib/postgresql";
const READY_WITHIN_MS = 20_000;

/** Starts one in a folder; undefined where the machine has none. */
export async function startPostgres(folder: string): Promise<Postgres | undefined> {
  const programs = programsOf();
  if (programs === undefined) return undefined;
  const data = join(folder, "postgres");
  mkdirSync(data);
  const owner = ownerOf();
  if (owner !== undefined) for (const path of [folder, data]) chownSync(path, owner.uid, owner.gid);
  const port = await freePort();
  const initial = ["--pgdata", data, "--username", "bench", "--auth", "trust", "--encoding", "UTF8"];
  execFileSync(join(programs, "initdb"), initial, { ...owner, stdio: "ignore" });
  const given = ["-D", data, "-p", String(port), "-c", "listen_addresses=127.0.0.1", "-k", data];
  const server = spawn(join(programs, "postgres"), given, { ...owner, stdio: "ignore" });
  const url = `postgres://bench@127.0.0.1:${port}/postgres`;
  await untilReady(join(programs, "pg_isready"), port);
  return {
    url,
    programs,
    stop: async () => {
      server.kill("SIGINT"); // it ends what its connections do, and then itself
      await new Promise((settle) => server.once("exit", settle));
    },
  };
}

/** The newest that is installed. */
export function programsOf(): string | undefined {
  if (!existsSync(PACKAGES)) return undefined;
  const versions = readdirSync(PACKAGES).toSorted((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(PACKAGES, version, "bin")).find((path) => existsSync(join(path, "initdb")));
}

/** It refuses to run as root; the package has made a user for it. */
function ownerOf(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((text) => text.startsWith("postgres:"));
  const [, , uid, gid] = line?.split(":") ?? [];
  if (uid === undefined || gid === undefined) throw new Error("the package's user postgres does not exist");
  return { uid: Number(uid), gid: Number(gid) };
}

/** A port that nobody listens at. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
  const { port } = server.address() as AddressInfo;
  await new Promise((settle) => server.close(settle));
  return port;
}

async function untilReady(isReady: string, port: number): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      execFileSync(isReady, ["-h", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((settle) => setTimeout(settle, 100));
    }
  }
}
