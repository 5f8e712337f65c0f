// `npm run sbom`: what a deployment consists of beside our own code, as a CycloneDX document (1.6) on standard output.
// It names the packages of which something is in the Workers or in the pages that they serve, as the bundler says it:
// not what package.json lists, where the pages' libraries are among those for development.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildDashboard } from "./build-dashboard.ts";
import { runMain } from "./problem.ts";
import { bundleWorkers } from "./runtime.ts";

const ROOT = resolve(import.meta.dirname, "..");

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly license?: string;
}

/** package-lock.json, as far as it is read here. */
interface Lock {
  readonly version: string;
  /** By path, such as "node_modules/hono". */
  readonly packages: Readonly<Record<string, Locked>>;
}

/** The packages that files lie in, by their paths in package-lock.json: "node_modules/@preact/signals". */
export function packagesOf(inputs: readonly string[]): readonly string[] {
  const found = inputs.map((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  return [...new Set(found.filter((path) => path !== undefined))].sort();
}

/** The document. The same inputs give the same bytes: it has no instant, and its number is a digest. */
function sbomOf(inputs: readonly string[], lock: Lock): object {
  const components = packagesOf(inputs).map((path) => {
    const locked = lock.packages[path];
    if (locked === undefined) throw new Error(`package-lock.json does not know ${path}`);
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    const purl = `pkg:npm/${name.replace("@", "%40")}@${locked.version}`;
    return {
      type: "library",
      "bom-ref": purl,
      name,
      version: locked.version,
      purl,
      scope: "required",
      ...(locked.license === undefined ? {} : { licenses: [{ expression: locked.license }] }),
      ...(locked.integrity === undefined ? {} : { hashes: [hashOf(locked.integrity)] }),
    };
  });
  const digest = createHash("sha256").update(JSON.stringify(components)).digest("hex");
  const parts = [digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, `8${digest.slice(17, 20)}`];
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${parts.join("-")}-${digest.slice(20, 32)}`,
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": `footfall@${lock.version}`,
        name: "footfall",
        version: lock.version,
      },
    },
    components,
    dependencies: [
      { ref: `footfall@${lock.version}`, dependsOn: components.map((component) => component["bom-ref"]) },
      ...components.map((component) => ({ ref: component["bom-ref"] })),
    ],
  };
}

/** From npm's "sha512-<base64>". */
function hashOf(integrity: string): { readonly alg: string; readonly content: string } {
  const [algorithm = "", base64 = ""] = integrity.split("-");
  return { alg: algorithm.replace("sha", "SHA-"), content: Buffer.from(base64, "base64").toString("hex") };
}

/** The document of this tree. */
export async function makeSbom(): Promise<object> {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as Lock;
  const bundles = await bundleWorkers();
  const { inputs } = await buildDashboard();
  return sbomOf([...Object.values(bundles).flatMap((bundle) => bundle.inputs), ...inputs], lock);
}

if (import.meta.main) await runMain(async () => console.log(JSON.stringify(await makeSbom(), null, 2)));
