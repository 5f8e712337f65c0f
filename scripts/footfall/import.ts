// footfall import: the command around ../import/run.ts, and the commands for earlier imports: list, show, pause, undo,
// redo. With an admin token or a key of scope admin, the import becomes an object of the API that can be undone. With
// only a key of scope write, its rows are sent as plain events and cannot be undone together.

import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Command } from "commander";
import { isApiKeyShaped } from "../../core/api-key.ts";
import { dateOf, parseDate } from "../../core/time.ts";
import { FIELDS, PRODUCT_FIELDS, parseMap } from "../import/csv-row.ts";
import { EVENTS_PER_SECOND } from "../import/pace.ts";
import { type Preview, previewText, rangesText } from "../import/preview.ts";
import { readingDigest } from "../import/resume.ts";
import { isRollups } from "../import/rollups/file.ts";
import { fetchGa4, GA4_PAGE_ROWS, GA4_URL } from "../import/rollups/ga4.ts";
import { type ImportOptions, importFile, type Registered, type Registry } from "../import/run.ts";
import { messageOf, Problem } from "../problem.ts";
import { sayBesideMeter, startMeter } from "../progress.ts";
import { toAnswerTable, toCutTable, toFigure, wrapped } from "../table.ts";
import { askAdmin, askList, askQuestion, type Connection, connect, nowhere } from "./connection.ts";
import { daysWithEvents, importRollups } from "./import-rollups.ts";
import { pathOf, show } from "./merchant.ts";

interface Options {
  readonly merchant?: string;
  readonly trackingId?: string;
  readonly writeKey?: string | undefined;
  readonly hostname?: string;
  readonly map?: string;
  readonly all?: boolean;
  readonly preview?: boolean;
  readonly refunds: boolean;
  readonly countedDays: string;
  readonly rate: string;
}

export function addImport(program: Command): void {
  const command = program
    .command("import <file>")
    .description(
      "bring in an access log, a CSV or another product's export (Plausible's zip among them), as an import that can be undone; .gz as well",
    )
    .option("--merchant <id>", "the merchant (default: that of the admin key, or the local demo)")
    .option("--tracking-id <id>", "the merchant's stream (default: its only one)")
    .option(
      "--write-key <key>",
      "a key of scope write (or FOOTFALL_WRITE_KEY); without one the admin token makes one for the time of the import",
    )
    .option("--hostname <hostname>", "the site's host, where the file gives paths only (default: a log's virtual host)")
    .option("--map <columns>", "CSV columns by name: visitor=visitor_id,unix_s=timestamp,number=order_id")
    .option("--all", "count an access log's images, scripts and other assets too")
    .option("--no-refunds", "leave out refunds whose date the file does not know (Shopify's orders)")
    .option("--preview", "show the first ten events and the numbers that they would make, and send nothing")
    .option("--counted-days <what>", "skip or keep what the file has of Days that are counted here already", "skip")
    .option("--rate <events>", "events a second at most; 0 for as fast as it goes", String(EVENTS_PER_SECOND))
    .addHelpText("after", HELP)
    .action(runImport);
  addGa4(command);
  addVerbs(command);
}

const HELP = `
What it reads, by its first line: the combined log format (also vhost_combined), JSON lines (nginx's log_format with escape=json,
Caddy, Traefik, Cloudflare's Logpush, CloudFront), the W3C's extended format (IIS, CloudFront), CSV with a header in UTF-8 or UTF-16, and Parquet.
Of a log only pages count that were delivered: GET, status 2xx or 304. What is left out is counted by its reason: redirects,
errors, HEAD, POST and OPTIONS requests, assets, prefetches. Addresses in a log are hashed here and never sent. Where lines
name their host (vhost_combined, JSON, W3C) no --hostname is needed; --hostname overrides theirs.

Files of other products are known by what is in them: Shopify's orders and transactions (CSV), WooCommerce's orders and refunds
(JSON lines of its REST API), GA4's BigQuery export (Parquet, JSON lines), Matomo's tables by the statement of docs/import.md and
visits of its API, PostHog's batch exports (Parquet, JSON lines), Segment's and RudderStack's files and tables (JSON lines, CSV),
Simple Analytics (CSV), Snowplow's enriched events, GoatCounter's export (CSV), Umami's events (CSV). --map reads any CSV as columns.

What a product has only counted by the Day is imported as such, and never as events: Plausible's zip, a folder of CSVs in its
format (visitors.csv, sources.csv, pages.csv and so on, with or without imported_ before it), or one of them by its name
(imported_visitors_….csv). Answers include such Days where they can, and say so; Days with events of their own stay as they are.

Columns of any other CSV fill these fields, by their own or a usual other name, or by --map column=field:
  ${wrapped([...FIELDS, ...PRODUCT_FIELDS, "props.<key>"])}
products is a JSON list in one column; or each row has one product (product.id, …), and rows of one order that follow one
another are one order. A row of an order that has no name is a purchase, or a refund if its revenue is below zero.

Before anything is sent the first ten events are shown, and what the file comes to. Days that were counted here without an
import are left out, and named: --counted-days keep brings them as well. An import has a number: \`footfall import list\` shows
them, \`footfall import undo <number>\` takes one back whole, \`redo\` lets it count again.

A row that does not fit is refused with its line and the reason, stops nothing, and makes the exit status 1. Put such rows right
in a file of their own, under the same header, and import that: in a file that was changed, every row after the change
would count again.
Run it again after an interruption, or when the log has grown: it goes on where it stopped and counts nothing twice.
A file that was imported is not imported again with another --hostname, --map or --all: undo the import first. Where it stands is
kept in <file>.footfall-import.json.`;

async function runImport(path: string, options: Options, command: Command): Promise<void> {
  const connection = await connect(command);
  if (await isRollups(path)) return runRollups(path, { connection, options, source: "plausible" });
  const { collectorUrl, stateDir } = connection;
  if (collectorUrl === undefined) throw new Problem(nowhere("--collector-url", stateDir));
  const map = options.map === undefined ? new Map<string, string>() : parseMap(options.map);
  if (map === undefined) throw new Problem(`--map is "${options.map}"; it must be column=field,column=field`);
  if (!["skip", "keep"].includes(options.countedDays))
    throw new Problem(`--counted-days is "${options.countedDays}"; it must be skip or keep`);
  const common = {
    path,
    origin: toOrigin(options.hostname),
    map,
    assets: options.all ?? false,
    refunds: options.refunds,
    eventsPerSecond: toRate(options.rate),
    stateDir,
    meter: (bytes: number) => startMeter("importing", bytes),
    say: sayBesideMeter,
  };
  const writeKey = options.writeKey ?? process.env["FOOTFALL_WRITE_KEY"];
  const target = await targetOf(connection, options);
  const tally =
    target === undefined
      ? await sendAsIs({ ...common, collectorUrl }, { ...options, writeKey })
      : await importAsObject({ ...common, collectorUrl }, { target, connection, options: { ...options, writeKey } });
  if (tally === undefined) return;
  console.log(tally.toText());
  const refused = tally.refused();
  if (refused > 0)
    throw new Problem(
      `${toFigure(refused)} of ${toFigure(tally.lines)} rows ${refused === 1 ? "was" : "were"} refused, as listed above`,
    );
}

interface RollupRun {
  readonly connection: Connection;
  readonly options: Options;
  readonly source: string;
}

/** Imports what another product has counted by the Day. */
async function runRollups(path: string, { connection, options, source }: RollupRun): Promise<void> {
  if (options.map !== undefined || options.hostname !== undefined || options.all === true)
    throw new Problem("--map, --hostname and --all are about events; this has counts by the Day");
  const merchant = options.merchant ?? (await ownMerchant(connection)) ?? connection.merchant;
  if (merchant === undefined) throw new Problem("name the merchant with --merchant; `merchant list` shows them");
  const target = { merchant, path: pathOf(connection, merchant) };
  let isStopped = false;
  const stop = () => {
    isStopped = true;
    sayBesideMeter("stopping; the same command goes on from here");
  };
  process.once("SIGINT", stop);
  const imports = `${target.path}/imports`;
  const to = {
    imports,
    ask: (method: string, at: string, body?: object) => askAdmin(connection, method, at, body),
    countedDays: async (days: readonly number[]) =>
      daysWithEvents((await eventsByDay(connection, target, days)).results, days),
  };
  const given = { source, preview: options.preview === true, isStopped: () => isStopped, now: Date.now() };
  const number = await importRollups(path, to, given).finally(() => process.removeListener("SIGINT", stop));
  if (number !== undefined) console.log(`import ${number}; take it back with: footfall import undo ${number}`);
}

type Common = Omit<ImportOptions, "destination"> & { readonly collectorUrl: string };

/** Sends the rows with only a key of scope write. Such a key cannot ask the API for an import's number. */
async function sendAsIs({ collectorUrl, ...common }: Common, { trackingId, writeKey, preview }: Options) {
  if (writeKey === undefined) throw new Problem(NEEDS_KEY);
  if (trackingId === undefined) throw new Problem("name the merchant's stream with --tracking-id");
  if (preview === true) throw new Problem("--preview needs the admin token, or a key of scope admin: --admin-token");
  sayBesideMeter("sent with a key of scope write alone: it is no import that can be listed and undone (--admin-token)");
  return importFile({ ...common, destination: { collectorUrl, trackingId, headers: keyHeader(writeKey) } });
}

const NEEDS_KEY =
  "an import needs a key, or every event would have the place of this machine: give --admin-token (or a key of scope admin " +
  "there), or --write-key with --tracking-id";

interface Target {
  readonly merchant: string;
  readonly path: string;
  readonly zone: string;
  readonly trackingId: string;
}

/** The merchant and its stream; undefined without a token that may ask the API for them. */
async function targetOf(connection: Connection, options: Options): Promise<Target | undefined> {
  const { adminToken } = connection;
  if (adminToken === undefined || connection.queryUrl === undefined) return undefined;
  const merchant = options.merchant ?? (await ownMerchant(connection)) ?? connection.merchant;
  if (merchant === undefined) throw new Problem("name the merchant with --merchant; `merchant list` shows them");
  const path = pathOf(connection, merchant);
  const { time_zone: zone } = (await askAdmin(connection, "GET", path)) as { readonly time_zone: string };
  if (options.trackingId !== undefined) return { merchant, path, zone, trackingId: options.trackingId };
  const streams = (await askList(connection, `${path}/streams`)) as readonly { readonly tracking_id: string }[];
  const [only, ...others] = streams;
  if (only === undefined || others.length > 0)
    throw new Problem("name the merchant's stream with --tracking-id; `stream list` shows them");
  return { merchant, path, zone, trackingId: only.tracking_id };
}

/** The merchant to which the key belongs, if the token is a merchant's own key. */
async function ownMerchant(connection: Connection): Promise<string | undefined> {
  if (!isApiKeyShaped(connection.adminToken ?? "")) return undefined;
  const session = (await askAdmin(connection, "GET", "/api/v1/session")) as {
    readonly merchant?: { readonly id: string };
  };
  return session.merchant?.id;
}

interface AsObject {
  readonly target: Target;
  readonly connection: Connection;
  readonly options: Options;
}

async function importAsObject({ collectorUrl, ...common }: Common, { target, connection, options }: AsObject) {
  let isStopped = false;
  const stop = () => {
    isStopped = true;
    sayBesideMeter("stopping; the same command goes on from here");
  };
  const registry = registryOf({ target, connection, options }, common);
  if (options.preview === true) {
    await importFile({ ...common, destination: { collectorUrl, trackingId: target.trackingId }, registry });
    return undefined;
  }
  const key = await keyFor({ target, connection, options }, basename(common.path));
  process.once("SIGINT", stop);
  try {
    const destination = { collectorUrl, trackingId: target.trackingId, headers: keyHeader(key.secret) };
    const tally = await importFile({ ...common, destination, registry, isStopped: () => isStopped });
    return registry.number() === undefined ? undefined : tally;
  } finally {
    process.removeListener("SIGINT", stop);
    await key.end();
    const number = registry.number();
    if (number !== undefined) console.log(`import ${number}; take it back with: footfall import undo ${number}`);
  }
}

/** The key that an import is sent with. A key that is made for the import is deleted after it. */
async function keyFor({ target, connection, options }: AsObject, name: string) {
  const given = options.writeKey ?? ownKey(connection);
  if (given !== undefined) return { secret: given, end: async () => {} };
  return makeKey(connection, target, { name: `import of ${name}`, scope: "write" });
}

/** The admin token if it is a merchant's own key: such a key may also send events and ask questions. */
function ownKey({ adminToken = "" }: Connection): string | undefined {
  return isApiKeyShaped(adminToken) ? adminToken : undefined;
}

/** Makes a temporary key, because the deployment's own token may neither send events nor ask questions. */
async function makeKey(
  connection: Connection,
  target: Pick<Target, "path">,
  { name, scope }: { readonly name: string; readonly scope: "read" | "write" },
) {
  const expires = new Date(Date.now() + KEY_LIVES_MS).toISOString();
  const body = { name: name.slice(0, KEY_NAME_LENGTH_MAX), scope, expires_at: expires };
  const key = (await askAdmin(connection, "POST", `${target.path}/keys`, body)) as {
    readonly id: string;
    readonly api_key: string;
  };
  return {
    secret: key.api_key,
    end: async () => void (await askAdmin(connection, "DELETE", `${target.path}/keys/${encodeURIComponent(key.id)}`)),
  };
}

const KEY_LIVES_MS = 7 * 86_400_000;
const KEY_NAME_LENGTH_MAX = 100;

/** An import as the API shows it. */
interface ShownImport extends Readonly<Record<string, unknown>> {
  readonly number: number;
  readonly name: string;
  readonly source: string;
  readonly kind: "events" | "rollups";
  readonly state: string;
  readonly from: string;
  readonly to: string;
  readonly events: number;
  readonly id_suffix: string;
  /** Of one of events. */
  readonly place: Registered["place"] | null;
  readonly tally: Readonly<Record<string, number>>;
  readonly days?: readonly { readonly date: string; readonly events: number }[];
}

function registryOf(
  { target, connection, options }: AsObject,
  common: Omit<Common, "collectorUrl">,
): Registry & { readonly number: () => number | undefined } {
  let number: number | undefined;
  const imports = `${target.path}/imports`;
  return {
    zone: target.zone,
    number: () => number,
    idSuffixOf: async (head) => {
      const alike = (await askList(connection, `${imports}?head=${head}`)) as readonly ShownImport[];
      const [standing] = alike.filter(({ state }) => !["undoing", "undone"].includes(state));
      return standing?.id_suffix ?? (alike.length > 0 ? undefined : "");
    },
    register: async (preview, head) => {
      console.log(previewText(preview));
      if (preview.days.size === 0) {
        console.log("\nthere is nothing new in it");
        return undefined;
      }
      const counted = await countedDays(connection, target, preview);
      const leftOut = options.countedDays === "keep" ? new Set<number>() : new Set(counted.keys());
      if (counted.size > 0) console.log(`\n${countedText(counted, preview, leftOut.size > 0)}`);
      if (options.preview === true) return undefined;
      const days = [...preview.days].filter(([day]) => !leftOut.has(day)).sort(([a], [b]) => a - b);
      if (days.length === 0) throw new Problem("every Day of it is counted here already: nothing was imported");
      const made = (await askAdmin(connection, "POST", imports, {
        name: basename(common.path).slice(0, KEY_NAME_LENGTH_MAX),
        source: preview.source,
        digest: preview.digest,
        head,
        reading: readingDigest(common),
        days: Object.fromEntries(days.map(([day, events]) => [dateOf(day), events])),
      })) as ShownImport;
      if (made.state === "done") {
        console.log(`\nimport ${made.number} has brought this file already; nothing counts twice`);
        return undefined;
      }
      number = made.number;
      const path = `${imports}/${number}`;
      await askAdmin(connection, "PATCH", path, { state: "running" });
      const earlier = made.tally;
      return {
        number,
        idSuffix: made.id_suffix,
        leftOut,
        place: made.place ?? undefined,
        note: async ({ state, place, tally }) => {
          const body = { ...(state && { state }), place, tally: sumOf(earlier, tally.toCounts()) };
          const now = (await askAdmin(connection, "PATCH", path, body)) as ShownImport;
          return now.state !== "running";
        },
      };
    },
  };
}

function sumOf(some: Readonly<Record<string, number>>, more: Readonly<Record<string, number>>) {
  const names = new Set([...Object.keys(some), ...Object.keys(more)]);
  return Object.fromEntries([...names].map((name) => [name, (some[name] ?? 0) + (more[name] ?? 0)]));
}

interface EventsByDay {
  readonly results: readonly { readonly dimensions: readonly string[]; readonly metrics: readonly number[] }[];
}

/** How many events count here on the Days from the first of some to the last. */
async function eventsByDay(
  connection: Connection,
  target: Pick<Target, "merchant" | "path">,
  days: readonly number[],
): Promise<EventsByDay> {
  const { merchant } = target;
  const [first, last] = [Math.min(...days), Math.max(...days)];
  const question = {
    site_id: merchant,
    metrics: ["events"],
    date_range: [dateOf(first), dateOf(last)],
    dimensions: ["time:day"],
    include: { imports: false }, // rollups of another import are no events
  };
  const given = ownKey(connection) ?? (merchant === connection.merchant ? connection.apiKey : undefined);
  const key =
    given === undefined
      ? await makeKey(connection, target, { name: "import: what is counted", scope: "read" })
      : undefined;
  const asked = askQuestion({ ...connection, apiKey: given ?? key?.secret }, question);
  return (await asked.finally(key?.end)) as EventsByDay;
}

/** For Days of the file that have more events here than imports have brought: how many more. */
async function countedDays(
  connection: Connection,
  target: Target,
  { days }: Preview,
): Promise<ReadonlyMap<number, number>> {
  const { path } = target;
  const numbers = [...days.keys()];
  const [first, last] = [Math.min(...numbers), Math.max(...numbers)];
  const answer = await eventsByDay(connection, target, numbers);
  const counted = new Map<number, number>();
  for (const { dimensions, metrics } of answer.results) {
    const day = parseDate(String(dimensions[0]).slice(0, 10));
    if (day !== undefined && days.has(day)) counted.set(day, metrics[0] ?? 0);
  }
  if ([...counted.values()].every((events) => events === 0)) return new Map();
  const imports = (await askList(connection, `${path}/imports`)) as readonly ShownImport[];
  for (const { number, kind, state, from, to } of imports) {
    if (kind === "rollups" || state === "undone" || from > dateOf(last) || to < dateOf(first)) continue;
    const { days: own = [] } = (await askAdmin(connection, "GET", `${path}/imports/${number}`)) as ShownImport;
    for (const { date, events } of own) {
      const day = parseDate(date) as number;
      if (counted.has(day)) counted.set(day, (counted.get(day) as number) - events);
    }
  }
  return new Map([...counted].filter(([, events]) => events > 0));
}

function countedText(counted: ReadonlyMap<number, number>, { days }: Preview, isLeftOut: boolean): string {
  const sum = (of: ReadonlyMap<number, number>) =>
    [...counted.keys()].reduce((all, day) => all + (of.get(day) ?? 0), 0);
  const fate = isLeftOut ? "these Days of it are left out (--counted-days keep brings them)" : "both count";
  const here = `${toFigure(sum(counted))} events are counted here, and the file has ${toFigure(sum(days))}`;
  return `on ${rangesText(counted.keys())} ${here}: ${fate}`;
}

function addGa4(command: Command): void {
  command
    .command("ga4")
    .description("fetch what a GA4 property has counted by the Day (its Data API), and import that")
    .requiredOption("--property <number>", "the property, such as 123456789")
    .requiredOption("--from <date>", "its first date")
    .requiredOption("--to <date>", "its last date")
    .requiredOption("--out <folder>", "where the reports go; the same command goes on there after an interruption")
    .option("--token-file <path>", "a file with an OAuth access token (or GA4_ACCESS_TOKEN); it is read anew each time")
    .option("--api <url>", "the Data API", GA4_URL)
    .option("--merchant <id>", "the merchant (default: that of the admin key, or the local demo)")
    .option("--preview", "fetch and show it, and send nothing")
    .action(async (own: Ga4Command, verb: Command) => runGa4(own, verb));
}

interface Ga4Command {
  readonly property: string;
  readonly from: string;
  readonly to: string;
  readonly out: string;
  readonly tokenFile?: string;
  readonly api: string;
}

async function runGa4({ property, from, to, out, tokenFile, api }: Ga4Command, verb: Command): Promise<void> {
  const connection = await connect(verb);
  const options = verb.optsWithGlobals<Options>();
  if (!/^\d{1,20}$/.test(property)) throw new Problem(`--property is "${property}"; it must be the property's number`);
  for (const [name, date] of Object.entries({ from, to }))
    if (parseDate(date) === undefined)
      throw new Problem(`--${name} is "${date}"; it must be a date such as 2024-01-31`);
  const url = URL.parse(api);
  if (url === null) throw new Problem(`--api is "${api}"; it must be an address`);
  let isStopped = false;
  const stop = () => {
    isStopped = true;
    sayBesideMeter("stopping; the same command goes on from here");
  };
  process.once("SIGINT", stop);
  const fetched = await fetchGa4({
    ...{ property, from, to, folder: out, url: url.origin, pageRows: GA4_PAGE_ROWS },
    token: () => ga4Token(tokenFile),
    say: sayBesideMeter,
    sleep: (ms) => setTimeout(ms),
    isStopped: () => isStopped,
  }).finally(() => process.removeListener("SIGINT", stop));
  if (!fetched.isWhole) return;
  if (fetched.timeZone !== undefined)
    sayBesideMeter(`the property's days are those of ${fetched.timeZone}; they are taken as the shop's`);
  await runRollups(out, { connection, options, source: "ga4" });
}

async function ga4Token(path: string | undefined): Promise<string> {
  const given =
    path === undefined
      ? process.env["GA4_ACCESS_TOKEN"]
      : await readFile(path, "utf8").catch((error: unknown) => {
          throw new Problem(`cannot read ${path}: ${messageOf(error)}`);
        });
  const token = given?.trim() ?? "";
  if (token !== "") return token;
  throw new Problem("GA4 needs an access token with the scope analytics.readonly: GA4_ACCESS_TOKEN, or --token-file");
}

function addVerbs(command: Command): void {
  const withMerchant = (verb: Command) => verb.option("--merchant <id>", "the merchant (default: the local demo)");
  withMerchant(command.command("list"))
    .description("a merchant's imports, the newest first")
    .action(async (_, verb: Command) => {
      await show(verb, async (connection) => askList(connection, await importsPath(connection, verb)), toListText);
    });
  withMerchant(command.command("show <number>"))
    .description("how far an import is")
    .action(async (number: string, _, verb: Command) => {
      await show(
        verb,
        async (connection) => askAdmin(connection, "GET", await importsPath(connection, verb, number)),
        toImportText,
      );
    });
  withMerchant(command.command("pause <number>"))
    .description("stop an import that is running, here or elsewhere; the same import command goes on with it")
    .action(async (number: string, _, verb: Command) => {
      const body = { state: "paused" };
      await show(
        verb,
        async (connection) => askAdmin(connection, "PATCH", await importsPath(connection, verb, number), body),
        toImportText,
      );
    });
  for (const [name, description] of [
    ["undo", "take an import back whole: none of its events counts any more"],
    ["redo", "let an import that was undone count again"],
  ] as const)
    withMerchant(command.command(`${name} <number>`))
      .description(description)
      .action(async (number: string, _, verb: Command) => {
        await show(
          verb,
          async (connection) => askAdmin(connection, "POST", `${await importsPath(connection, verb, number)}/${name}`),
          toImportText,
        );
      });
}

async function importsPath(connection: Connection, verb: Command, number?: string): Promise<string> {
  const { merchant } = verb.optsWithGlobals<{ readonly merchant?: string }>();
  const path = pathOf(connection, merchant ?? (await ownMerchant(connection)));
  return number === undefined ? `${path}/imports` : `${path}/imports/${encodeURIComponent(number)}`;
}

function toListText(answer: unknown): string {
  const rows = (answer as readonly ShownImport[]).map((one) => [
    one.number,
    one.name,
    one.source,
    one.state,
    one.from,
    one.to,
    one.events,
  ]);
  return rows.length === 0
    ? "no imports"
    : toCutTable(["number", "name", "source", "state", "from", "to", "events"], rows);
}

function toImportText(answer: unknown): string {
  const { days: _days, place: _place, tally, ...facts } = answer as ShownImport;
  return toAnswerTable({ ...facts, ...tally });
}

/** The key is needed for refunds, too: an event without a key cannot change an order that came with a key. */
function keyHeader(key: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${key}` };
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
