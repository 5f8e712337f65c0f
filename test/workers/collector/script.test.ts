// The tracker as it is served: current and pinned, with the headers that let any page load it, and never larger than it
// may be. The markup that `footfall snippet` prints loads exactly these bytes.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildTracker, readKept, TRACKER_BYTES_MAX, type TrackerScript } from "../../../scripts/build-tracker.ts";
import { toSnippet } from "../../../scripts/footfall/snippet.ts";
import { app } from "../../../workers/collector/app.ts";

const TRACKING_ID = "00000001-0001-8c41-90a8-9a0634e82fb1";
let scripts: readonly TrackerScript[];
let folder: string;

beforeAll(async () => {
  scripts = await buildTracker();
  folder = mkdtempSync(join(tmpdir(), "footfall-tracker-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("[TRK-21] with everything on it is at most 2.3 KB gzipped, for page views alone 1.5 KB", () => {
  const sizes = scripts.map(({ name, text }) => ({ name, text, bytes: gzipSync(text, { level: 9 }).length }));
  console.log(sizes.map(({ name, text, bytes }) => `/${name}.js: ${text.length} B, ${bytes} B gzipped`).join("; "));
  for (const { name, bytes } of sizes) {
    expect(bytes, name).toBeLessThanOrEqual(TRACKER_BYTES_MAX[name]);
    for (const page of ["README.md", "docs/tracker.md"]) {
      // Another build of zlib may be a few bytes off.
      expect(Math.abs(statedIn(page, name) - bytes), `${page} on /${name}.js`).toBeLessThan(20);
    }
  }
});

/** The size of a script in a table of the docs: "| 2,288 B | `/t.js` …" or "| `/t.js` | 2,288 B |". */
function statedIn(page: string, name: string): number {
  const lines = readFileSync(join(import.meta.dirname, "../../..", page), "utf8").split("\n");
  const line = lines.find((text) => text.startsWith("|") && text.includes(`\`/${name}.js\``)) ?? "";
  return Number(/([\d,]+) B/.exec(line)?.[1]?.replace(",", ""));
}

test("[TRK-21] building again gives the same bytes", async () => {
  expect(await buildTracker()).toEqual(scripts);
});

test("[TRK-22] the current script is kept for an hour, a pinned one for ever, and any origin may check it", async () => {
  for (const { name, file, text } of scripts) {
    const current = await app.request(`/${name}.js`);
    const pinned = await app.request(`/${file}`);
    for (const response of [current, pinned]) {
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(text);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "content-type": "text/javascript; charset=utf-8",
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
        "x-content-type-options": "nosniff",
      });
    }
    expect(current.headers.get("cache-control")).toBe("public, max-age=3600, stale-while-revalidate=86400");
    expect(pinned.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    const again = { headers: { "if-none-match": current.headers.get("etag") ?? "" } };
    expect((await app.request(`/${name}.js`, again)).status).toBe(304);
  }
});

test("[TRK-22] a version that is not kept is a 404 that no cache keeps; other methods are refused", async () => {
  const unknown = await app.request("/t.0123456789abcdef.js");
  expect([unknown.status, unknown.headers.get("cache-control")]).toEqual([404, "no-store"]);
  expect((await app.request("/x.0123456789abcdef.js")).status).toBe(404);
  expect((await app.request("/t.js", { method: "POST" })).status).toBe(405);
});

test("[TRK-22] versions that pages may still name are kept unchanged, and served", async () => {
  const [script] = scripts as [TrackerScript];
  writeFileSync(join(folder, script.file), script.text);
  expect(await readKept(folder)).toEqual([script]);
  writeFileSync(join(folder, script.file), `${script.text};`);
  await expect(readKept(folder)).rejects.toThrow(/was changed/);
  for (const kept of await readKept()) expect((await app.request(`/${kept.file}`)).status).toBe(200);
});

test("[TRK-23] the snippet pins the script and has the queue and the pixel", () => {
  const [script] = scripts as [TrackerScript];
  const of = { collectorUrl: "https://c.example", trackingId: TRACKING_ID, script };
  const pinned = toSnippet({ ...of, isLatest: false });
  expect(pinned).toContain(
    `src="https://c.example/${script.file}" integrity="${script.integrity}" crossorigin="anonymous"`,
  );
  expect(pinned).toContain(`<img src="https://c.example/v1/pixel.gif?tracking_id=${TRACKING_ID}"`);
  expect(pinned).toContain("footfall.q");
  expect(toSnippet({ ...of, isLatest: true })).toContain(
    '<script defer src="https://c.example/t.js" data-tracking-id=',
  );
});

test("[TRK-20] the module type-checks for those who use it, and refuses what it does not have", () => {
  const root = join(import.meta.dirname, "../../..");
  const right =
    'import { init, track } from "footfall/tracker"; init({ trackingId: "a", endpoint: "/v1/events", hash: true }); track("x", { props: { n: 1 } });';
  const wrong = [
    'init({ trackingId: "a" })',
    'init({ trackingId: "a", endpoint: "/", visitor: "session" })',
    "track()",
  ];
  const check = (text: string) => {
    const file = join(root, ".build", `check-${process.pid}.ts`);
    mkdirSync(join(root, ".build"), { recursive: true });
    writeFileSync(file, text);
    const options = [
      "--noEmit",
      "--strict",
      "--module",
      "esnext",
      "--moduleResolution",
      "bundler",
      "--target",
      "es2022",
    ];
    const more = [
      "--lib",
      "es2022,dom,dom.iterable",
      "--types",
      "",
      "--allowImportingTsExtensions",
      "--ignoreConfig",
      file,
    ];
    const { status, stdout } = spawnSync("tsc", [...options, ...more], { cwd: root, encoding: "utf8" });
    rmSync(file);
    return { status, stdout };
  };
  expect(check(right)).toEqual({ status: 0, stdout: "" });
  for (const call of wrong) {
    const { status, stdout } = check(
      `import { init, track } from "footfall/tracker"; export const used = [init, track]; ${call};`,
    );
    expect([call, status]).not.toEqual([call, 0]);
    expect(stdout).toMatch(/error TS/);
  }
});
