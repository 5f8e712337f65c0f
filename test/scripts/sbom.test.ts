// What a release is said to consist of.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeSbom, packagesOf } from "../../scripts/sbom.ts";

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses?: readonly object[];
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
}

test("[DPL-7] the document names what is in Workers and pages, each with licence and hash, and is the same twice", {
  timeout: 600_000,
}, async () => {
  const document = (await makeSbom()) as { readonly components: readonly Component[] };
  const names = document.components.map(({ name }) => name);
  // Of the page's libraries, too, which package.json lists among those for development.
  expect(names).toEqual(expect.arrayContaining(["hono", "jose", "drizzle-orm", "preact", "@preact/signals"]));
  for (const build of ["wrangler", "esbuild", "vitest", "typescript"]) expect(names).not.toContain(build);
  for (const { licenses, hashes, purl, version } of document.components) {
    expect([purl, licenses?.length, hashes?.[0]?.alg]).toEqual([purl, 1, "SHA-512"]);
    expect(hashes?.[0]?.content).toMatch(/^[0-9a-f]{128}$/);
    expect(purl.endsWith(`@${version}`)).toBe(true);
  }
  expect(await makeSbom()).toEqual(document);
  // And the page about dependencies knows each that package.json names.
  const page = readFileSync(join(import.meta.dirname, "../../docs/dependencies.md"), "utf8");
  const { dependencies } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")) as {
    dependencies: Readonly<Record<string, string>>;
  };
  for (const name of Object.keys(dependencies)) expect([name, page.includes(name)]).toEqual([name, true]);
});

test("[DPL-7] a file is of the innermost package that it lies in", () => {
  expect(
    packagesOf([
      "core/event.ts",
      "node_modules/hono/dist/hono.js",
      "node_modules/@preact/signals/dist/signals.mjs",
      "node_modules/a/node_modules/@b/c/index.js",
      "../../node_modules/preact/hooks/index.js",
      "node_modules/hono/dist/context.js",
    ]),
  ).toEqual([
    "../../node_modules/preact",
    "node_modules/@preact/signals",
    "node_modules/a/node_modules/@b/c",
    "node_modules/hono",
  ]);
});
