// `npm run account-stub`: an account that is none, for trying `footfall deploy` and all of docs/operate.md by hand. It
// prints what to set in another terminal, runs the crons of what is deployed, and takes lines: "lose staging pool-0"
// deletes what a partition of that deployment stored. All is gone when it ends. Messages that wait in a queue are lost
// whenever a Worker is deployed, which the platform does not do.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { prefixOf } from "../../scripts/deploy/config.ts";
import { messageOf, runMain } from "../../scripts/problem.ts";
import { ACCOUNT, AccountStub, TOKEN } from "./account-stub.ts";

const CRON_MS = 5 * 60_000;

await runMain(async () => {
  const names = process.argv.length > 2 ? process.argv.slice(2) : ["staging", "production"];
  const folder = mkdtempSync(join(tmpdir(), "footfall-account-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const stub = new AccountStub(folder);
  const api = await stub.start();
  console.log(
    "In another terminal, and a HOME of its own, since secrets are kept there (Workers have no workers.dev here,",
  );
  console.log("so deploy and rollback are told where they answer):\n");
  console.log(`export CLOUDFLARE_API_BASE_URL=${api} CLOUDFLARE_ACCOUNT_ID=${ACCOUNT} CLOUDFLARE_API_TOKEN=${TOKEN}`);
  for (const name of names) {
    const [collector, query] = [`${prefixOf(name)}-collector`, `${prefixOf(name)}-query`];
    const urls = [await stub.addressOf(collector), await stub.addressOf(query)];
    console.log(`\nnpm run footfall -- deploy ${name} --collector-url ${urls[0]} --query-url ${urls[1]}`);
  }
  const say = (error: unknown) => console.error(messageOf(error));
  const runCrons = () => void stub.runCrons().then((failures) => failures.forEach(say), say);
  setInterval(runCrons, CRON_MS);
  createInterface({ input: process.stdin }).on("line", (line) => {
    const [, name, partition] = /^lose (\S+) (\S+)$/.exec(line) ?? [];
    if (name === undefined || partition === undefined)
      return void say(new Error('say "lose <deployment> <partition>"'));
    stub.losePartition(`${prefixOf(name)}-collector`, partition).then(() => say(`${partition} has lost all`), say);
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => void stub.stop().finally(() => process.exit(0)));
});
