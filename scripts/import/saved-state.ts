// Where the state of an import is kept: beside the file, or in the state folder when nothing may be written there.

import { createHash, randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { makeStateDir } from "../local-state.ts";
import { messageOf, Problem } from "../problem.ts";
import { decodeResume, encodeResume, type ResumeState } from "./resume.ts";

export interface SavedState {
  readonly state: ResumeState;
  write(state: ResumeState): Promise<void>;
}

/** The place is kept beside the file, or in the state folder when nothing may be written there. */
export async function openState({
  path,
  stateDir,
}: {
  readonly path: string;
  readonly stateDir: string;
}): Promise<SavedState> {
  const beside = join(dirname(path), `${basename(path)}.footfall-import.json`);
  const name = createHash("sha256").update(resolve(path)).digest("hex").slice(0, 16);
  const elsewhere = join(stateDir, "imports", `${name}.json`);
  const fresh = { salt: randomBytes(32).toString("base64url"), places: {} };
  const state = (await readState(beside)) ?? (await readState(elsewhere)) ?? fresh;
  try {
    await writeState(beside, state);
    return { state, write: (next) => writeState(beside, next) };
  } catch (error) {
    if (!["EACCES", "EPERM", "EROFS"].includes(codeOf(error))) throw error;
    await makeStateDir(dirname(elsewhere));
    return { state, write: (next) => writeState(elsewhere, next) };
  }
}

async function readState(path: string): Promise<ResumeState | undefined> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined; // a first run
    throw new Problem(
      `${path} cannot be read: ${messageOf(error)}. It says how far this import is and who its visitors are.`,
    );
  });
  if (text === undefined) return undefined;
  const state = decodeResume(text);
  if (state !== undefined) return state;
  throw new Problem(
    `${path} is damaged. Restore it from a backup, or delete it and import again: ` +
      "events have the same ids and count once, but visitors known by their address alone become other visitors.",
  );
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code);
}

/** Replaced in one step, so that a crash leaves the old state or the new one. */
async function writeState(path: string, state: ResumeState): Promise<void> {
  await writeFile(`${path}.new`, encodeResume(state), { mode: 0o600 });
  await rename(`${path}.new`, path);
}
