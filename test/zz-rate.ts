import { startServices } from "./support/services.ts";
for (const round of [1, 2]) for (const [name, vars] of [["off", { RATE_LIMITS: "off" }], ["on", { RATE_LIMITS: "on" }]] as const) {
  const { client, stop } = await startServices({ ...vars, POOL_SIZE: "4", DRAIN_AFTER_MS: "300000", PUBLISH_EVERY_MS: "900000" }, { rateLimits: { LIMIT_ADDRESS: 1e9, LIMIT_TRACKING_ID: 1e9 } });
  const m = await client.createMerchant();
  let n = 0; const body = () => JSON.stringify({ tracking_id: m.tracking_id, id: `e${n++}`, url: "https://a.example/" });
  const headers = { "user-agent": "Mozilla/5.0 Chrome/140", "content-type": "application/json" };
  const load = async (ms: number) => { const end = Date.now() + ms; let count = 0; await Promise.all(Array.from({ length: 48 }, async () => { while (Date.now() < end) { const r = await fetch(`${client.collectorUrl}/v1/events`, { method: "POST", headers, body: body() }); await r.arrayBuffer(); if (r.status !== 202) throw new Error(String(r.status)); count++; } })); return count / (ms / 1000); };
  await load(1500);
  console.log(round, name, Math.round(await load(4000)), "requests/s");
  await stop();
}
process.exit(0);
