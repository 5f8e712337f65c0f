// `npm run footfall -- <noun> <verb>`: the command line. It speaks to the same public endpoints as anybody, local or
// deployed; nothing here knows the database. Only `deploy` and `destroy` speak to the platform. Each
// noun has a file in `footfall/`.

import { Command } from "commander";
import { addArchive } from "./footfall/archive.ts";
import { addConnectionOptions } from "./footfall/connection.ts";
import { addDeploy } from "./footfall/deploy-command.ts";
import { addErase } from "./footfall/erase.ts";
import { addExport } from "./footfall/export.ts";
import { addImport } from "./footfall/import.ts";
import { addKey, addMerchant, addStream } from "./footfall/merchant.ts";
import { addNotices } from "./footfall/notice.ts";
import { addOperations } from "./footfall/operate.ts";
import { addPeople } from "./footfall/people.ts";
import { addProof } from "./footfall/proof.ts";
import { addQuery } from "./footfall/query.ts";
import { addRates } from "./footfall/rates.ts";
import { addRecovery } from "./footfall/recover.ts";
import { addReplay } from "./footfall/replay.ts";
import { addReports } from "./footfall/report.ts";
import { addRules } from "./footfall/rules.ts";
import { addSnippet } from "./footfall/snippet.ts";
import { runMain } from "./problem.ts";

const NOUNS = [
  addMerchant,
  addStream,
  addKey,
  addPeople,
  addNotices,
  addSnippet,
  addQuery,
  addReports,
  addImport,
  addExport,
  addProof,
  addOperations,
  addRecovery,
  addReplay,
  addArchive,
  addErase,
  addRules,
  addRates,
  addDeploy,
];

const program = addConnectionOptions(new Command("footfall"))
  .description("Footfall from the command line")
  .option("--json", "print what the API answers")
  .showHelpAfterError("(--help shows what there is)");
for (const add of NOUNS) add(program);

await runMain(async () => {
  await program.parseAsync();
});
