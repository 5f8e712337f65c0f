// The smoke test of a deployment, on Workers that run here: the first time it makes its merchants, later it finds them.

import { expect, test } from "vitest";
import { checkHealth, countOne } from "../../scripts/deploy/smoke.ts";
import { SECRETS, startServices } from "../support/services.ts";

test("[DPL-4] it counts once each time, and knows another version, a wrong token, and Workers that are not there", {
  timeout: 600_000,
}, async () => {
  const { runtime, stop } = await startServices({ DEVELOPMENT: "" });
  try {
    const addresses = { collector: runtime.collectorUrl, query: runtime.queryUrl };
    const options = { adminToken: SECRETS.ADMIN_TOKEN, patienceMs: 60_000 };
    await checkHealth(addresses, { patienceMs: 60_000 });
    await countOne(addresses, options);
    await countOne(addresses, options);
    const tags = { collector: "another", query: "another" };
    await expect(checkHealth(addresses, { tags, patienceMs: 0 })).rejects.toThrow("answers as another version");
    await expect(countOne(addresses, { ...options, adminToken: "wrong" })).rejects.toThrow("answers 401");
    const nowhere = { ...addresses, collector: "http://127.0.0.1:9" };
    await expect(checkHealth(nowhere, { patienceMs: 0 })).rejects.toThrow("smoke test: http://127.0.0.1:9/health");
  } finally {
    await stop();
  }
});
