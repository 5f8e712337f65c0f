// The state of an import in real folders: a first run, one that goes on, and what stops it.

import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openState } from "../../scripts/import/saved-state.ts";

async function makeImport() {
  const folder = await mkdtemp(join(tmpdir(), "footfall-state-"));
  const path = join(folder, "log.csv");
  return { path, state: `${path}.footfall-import.json`, options: { path, stateDir: join(folder, "elsewhere") } };
}

test("[IMP-10] a second run goes on with the salt and the places of the first", async () => {
  const { options } = await makeImport();
  const first = await openState(options);
  const places = { there: { line: 3, chain: "c" } };
  await first.write({ ...first.state, places });
  expect((await openState(options)).state).toEqual({ salt: first.state.salt, places });
});

test.each([
  ["cut", '{"salt":"s","pl'],
  ["empty", ""],
  ["without a salt", '{"places":{}}'],
  ["of another shape", "[]"],
])("[IMP-10] a state that is %s ends the import, and stays as it is", async (_, text) => {
  const { state, options } = await makeImport();
  await writeFile(state, text);
  await expect(openState(options)).rejects.toThrow(/is damaged\. Restore it .* or delete it/);
  expect(await readFile(state, "utf8")).toBe(text);
});

test("[IMP-10] a state that cannot be read is no first run", async () => {
  const { state, options } = await makeImport();
  await mkdir(state);
  await expect(openState(options)).rejects.toThrow(/cannot be read: EISDIR/);
});
