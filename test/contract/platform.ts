// The platform itself, as workerd has it here: a Worker that binds one of each thing, and runs there what the contract
// tests also run on the stand-ins.

import { type BundledWorker, startBundled } from "../support/bundled-worker.ts";

/** A Worker with a database `DB`, a bucket `BUCKET`, objects and a queue: its code is platform-worker.ts. */
export async function startPlatform(): Promise<BundledWorker> {
  return await startBundled("../contract/platform-worker.ts", ["nodejs_compat"], {
    d1Databases: { DB: "platform" },
    r2Buckets: { BUCKET: "platform" },
    durableObjects: { OBJECTS: { className: "PlatformObject", useSQLite: true } },
    queueProducers: { QUEUE: "contract" },
    queueConsumers: { contract: { maxBatchSize: 4, maxBatchTimeout: 0, maxRetries: 10 } },
  });
}
