// footfall import: the command around ../import/run.ts.

import type { Command } from "commander";
import { FIELDS, PRODUCT_FIELDS, parseMap } from "../import/csv-row.ts";
import { EVENTS_PER_SECOND } from "../import/pace.ts";
import { importFile } from "../import/run.ts";
import { Problem } from "../problem.ts";
import { sayBesideMeter, startMeter } from "../progress.ts";
import { toFigure, wrapped } from "../table.ts";
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
    .description(
      "send an access log (Apache, nginx, Caddy, IIS, CloudFront) or a CSV through the collector; .gz as well",
    )
    .option("--tracking-id <id>", "the merchant's stream (default: the local demo)")
    .option(
      "--write-key <key>",
      "a key of scope write (or FOOTFALL_WRITE_KEY): for orders and refunds that count as the merchant's own word, and for history of more than a month",
    )
    .option("--hostname <hostname>", "the site's host, where the file gives paths only (default: a log's virtual host)")
    .option("--map <columns>", "CSV columns by name: visitor=visitor_id,unix_s=timestamp,number=order_id")
    .option("--all", "count an access log's images, scripts and other assets too")
    .option("--rate <events>", "events a second at most; 0 for as fast as it goes", String(EVENTS_PER_SECOND))
    .addHelpText("after", HELP)
    .action(runImport);
}

const HELP = `
What it reads, by its first line: the combined log format (also vhost_combined), JSON lines (nginx's log_format with escape=json,
Caddy, Traefik, Cloudflare's Logpush), the W3C's extended format (IIS, CloudFront), and CSV with a header in UTF-8 or UTF-16.
Of a log only pages count that were delivered: GET, status 2xx or 304. What is left out is counted by its reason: redirects,
errors, HEAD, POST and OPTIONS requests, assets, prefetches. Addresses in a log are hashed here and never sent. Where lines
name their host (vhost_combined, JSON, W3C) no --hostname is needed; --hostname overrides theirs.

Columns of a CSV fill these fields, by their own or a usual other name, or by --map column=field:
  ${wrapped([...FIELDS, ...PRODUCT_FIELDS, "props.<key>"])}
products is a JSON list in one column; or each row has one product (product.id, …), and rows of one order that follow one
another are one order. A row of an order that has no name is a purchase, or a refund if its revenue is below zero.

A row that does not fit is refused with its line and the reason, stops nothing, and makes the exit status 1. Put such rows right
in a file of their own, under the same header, and import that: in a file that was changed, every row after the change
would count again.
Run it again after an interruption, or when the log has grown: it goes on where it stopped and counts nothing twice.
With another --hostname, --map or --all it reads the file from its first line: rows that were refused get another chance,
rows that were counted stay as they are. Where it stands is kept in <file>.footfall-import.json.`;

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
    destination: { collectorUrl, trackingId, ...keyHeader(writeKey) },
    origin: toOrigin(options.hostname),
    map,
    assets: options.all ?? false,
    eventsPerSecond: toRate(options.rate),
    stateDir,
    meter: (bytes) => startMeter("importing", bytes),
    say: sayBesideMeter,
  });
  console.log(tally.toText());
  const refused = tally.refused();
  if (refused > 0)
    throw new Problem(
      `${toFigure(refused)} of ${toFigure(tally.lines)} rows ${refused === 1 ? "was" : "were"} refused, as listed above`,
    );
}

/** What comes without a key can never outbid what came with one: a refund of an order that a server told needs it too. */
function keyHeader(key: string | undefined): { readonly headers?: Readonly<Record<string, string>> } {
  return key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } };
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
