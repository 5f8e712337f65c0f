// A Footfall in a process of its own, made to be killed: `node test/support/victim.ts <file> <options as JSON>`, where
// the file holds the Workers' scripts. It prints one line when it answers. The parent kills the whole process group.

import { readFileSync } from "node:fs";
import { type Bundles, type RuntimeOptions, startRuntime } from "../../scripts/runtime.ts";

const [file = "", options = "{}"] = process.argv.slice(2);
const bundles = JSON.parse(readFileSync(file, "utf8")) as Bundles;
const runtime = await startRuntime({ ...(JSON.parse(options) as RuntimeOptions), bundles });
console.log(JSON.stringify({ collectorUrl: runtime.collectorUrl, queryUrl: runtime.queryUrl }));
