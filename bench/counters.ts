// Rate limits that count in memory, for benches. The platform counts in the memory of its machine; the local runtime
// asks an object that writes each count to SQLite, twenty times the CPU of the hit that is measured. Here each limit is
// a call of a Worker beside Footfall's, which is still more than the platform takes.

import type { RuntimeOptions } from "../scripts/runtime.ts";

/** For `RuntimeOptions.counters`. It forgets a period's counts with the first request of the next. */
export const COUNTERS: NonNullable<RuntimeOptions["counters"]> = {
  name: "counters",
  script: `
    import { WorkerEntrypoint } from "cloudflare:workers";
    const periods = new Map();
    export class Counter extends WorkerEntrypoint {
      limit({ key }) {
        const { name, limit, period } = this.ctx.props;
        const now = Math.floor(Date.now() / (period * 1_000));
        let counted = periods.get(name);
        if (counted?.now !== now) periods.set(name, (counted = { now, counts: new Map() }));
        const count = (counted.counts.get(key) ?? 0) + 1;
        counted.counts.set(key, count);
        return { success: count <= limit };
      }
    }
    export default {};`,
};
