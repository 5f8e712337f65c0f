// footfall import: the command around ../import/run.ts.

import type { Command } from "commander";
import { parseMap } from "../import/csv-row.ts";
import { EVENTS_PER_SECOND } from "../import/pace.ts";
import { importFile } from "../import/run.ts";
import { Problem } from "../problem.ts";
import { sayBesideMeter, startMeter } from "../progress.ts";
import { connect, nowhere } from "./connection.ts";

interface Options {
  readonly trackingId?: string;
  readonly writeKey?: string;
  readonly hostname?: string;
  readonly map?: string;
  readonly all?: boolean;
  readonly rate: string;
}

export function addImport(program: Command): void {
  program
    .command("import <file>")
    .description("send an access log (combined or vhost_combined format) or a CSV through the collector; .gz as well")
    .option("--tracking-id <id>", "the merchant's stream (default: the local demo)")
    .option("--write-key <key>", "a key of scope write, for history of more than a month (FOOTFALL_WRITE_KEY)")
    .option("--hostname <hostname>", "the site's host, where the file gives paths only (default: a log's virtual host)")
    .option("--map <columns>", "CSV columns by name: visitor=visitor_id,unix_s=timestamp,url=url")
    .option("--all", "count an access log's images, scripts and other assets too")
    .option("--rate <events>", "events a second at most; 0 for as fast as it goes", String(EVENTS_PER_SECOND))
    .addHelpText("after", HELP)
    .action(runImport);
}

const HELP = `
Run it again after an interruption, or when the log has grown: it goes on where it stopped and counts nothing twice.
With another --hostname, --map or --all it reads the file from its first line: rows that were refused get another chance,
rows that were counted stay as they are. Where it stands is kept in <file>.footfall-import.json.
Addresses in a log are hashed here and never sent. In a log of many sites (vhost_combined, such as Debian's
other_vhosts_access.log: "shop.example:443 198.51.100.7 - - […") each line names its host; --hostname overrides it.`;

async function runImport(path: string, options: Options, command: Command): Promise<void> {
  const { collectorUrl, stateDir, ...connection } = await connect(command);
  if (collectorUrl === undefined) throw new Problem(nowhere("--collector-url", stateDir));
  const trackingId = options.trackingId ?? connection.trackingId;
  if (trackingId === undefined) throw new Problem("name the merchant's stream with --tracking-id");
  const writeKey = options.writeKey ?? process.env["FOOTFALL_WRITE_KEY"];
  const map = options.map === undefined ? new Map<string, string>() : parseMap(options.map);
  if (map === undefined) throw new Problem(`--map is "${options.map}"; it must be column=field,column=field`);
  const tally = await importFile({
    path,
    destination: { collectorUrl, trackingId, ...(writeKey && { headers: { authorization: `Bearer ${writeKey}` } }) },
    origin: toOrigin(options.hostname),
    map,
    assets: options.all ?? false,
    eventsPerSecond: toRate(options.rate),
    stateDir,
    meter: (bytes) => startMeter("importing", bytes),
    say: sayBesideMeter,
  });
  console.log(tally.toText());
}

function toRate(text: string): number {
  const rate = Number(text);
  if (!(rate >= 0)) throw new Problem(`--rate is "${text}"; it must be a number of events a second`);
  return rate === 0 ? Number.POSITIVE_INFINITY : rate;
}

function toOrigin(hostname: string | undefined): string | undefined {
  if (hostname === undefined) return undefined;
  const url = URL.parse(hostname.includes("://") ? hostname : `https://${hostname}`);
  if (url === null || url.pathname !== "/") throw new Problem(`--hostname is "${hostname}"; it must be a host`);
  return url.origin;
}
