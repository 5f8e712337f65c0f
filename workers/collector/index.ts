// The collector's Worker: accepts hits, and owns the partitions. Wiring only.

import { fetch } from "./app.ts";

export { PartitionObject } from "../../durable-objects/partition.ts";

export default { fetch };
