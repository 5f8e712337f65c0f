// footfall deploy | rollback | destroy, as they are called. What they do is loaded when they run: it needs wrangler and
// the bundlers, which would make every other command wait a second.

import type { Command } from "commander";
import type { DeployOptions } from "./deploy.ts";

export function addDeploy(program: Command): void {
  program
    .command("deploy <name>")
    .description("make a deployment, or bring it up to date: production, staging, …")
    .option("--dry-run", "print what would be done, and stop")
    .option("--status", "print what there is and what is missing, and stop")
    .option("--ledgers <count>", "how many databases numbers lie in, 1 to 128; chosen once (default: 1)", Number)
    .option("--jurisdiction <where>", "where data stays, eu or fedramp; chosen once (default: anywhere)")
    .option("--again", "deploy a version that has failed its smoke test before")
    .option("--secrets <file>", "where its secrets are until they lie in your safe (default: ~/.footfall/…)")
    .action(async (name: string, _: DeployOptions, command: Command) => {
      const options = command.optsWithGlobals<DeployOptions>();
      const { deploy } = await import("./deploy.ts");
      await deploy(name, { ...fromEnvironment(), ...options }, { say: (line) => console.log(line) });
    });
  program
    .command("rollback <name>")
    .description("go back to the version that was deployed before the present one, and try it")
    .option("--secrets <file>", "where its secrets are until they lie in your safe (default: ~/.footfall/…)")
    .action(async (name: string, _: DeployOptions, command: Command) => {
      const options = command.optsWithGlobals<DeployOptions>();
      const { rollBackByHand } = await import("./deploy.ts");
      await rollBackByHand(name, { ...fromEnvironment(), ...options }, { say: (line) => console.log(line) });
    });
  program
    .command("destroy <name>")
    .description("delete a deployment with all its data; asks for its name again")
    .option("--confirm <name>", "its name again, where nobody can be asked")
    .action(async (name: string, { confirm }: { confirm?: string }) => {
      const { end } = await import("./deploy.ts");
      await end(name, { confirm, say: (line) => console.log(line) });
    });
}

/** Not the addresses: a terminal that speaks to one deployment must not have another one tried there. */
function fromEnvironment(): DeployOptions {
  return { environmentToken: process.env["FOOTFALL_ADMIN_TOKEN"] || undefined };
}
