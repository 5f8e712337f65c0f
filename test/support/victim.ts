// A Footfall in a process of its own, made to be killed: `node test/support/victim.ts <state folder> <collector port>
// <query port> <variables as JSON>`. It prints one line when it answers. The parent kills the whole process group.

import { startRuntime } from "../../scripts/runtime.ts";
import { FAST, ledgersFor, SECRETS } from "./services.ts";

const [stateDir = "", collectorPort = "0", queryPort = "0", vars = "{}"] = process.argv.slice(2);
const paced = { ...FAST, ...(JSON.parse(vars) as Record<string, string>) };
const runtime = await startRuntime({
  stateDir,
  secrets: SECRETS,
  collectorPort: Number(collectorPort),
  queryPort: Number(queryPort),
  vars: paced,
  ledgers: ledgersFor(paced),
  queueWaitSeconds: 0,
});
console.log(JSON.stringify({ collectorUrl: runtime.collectorUrl, queryUrl: runtime.queryUrl }));
