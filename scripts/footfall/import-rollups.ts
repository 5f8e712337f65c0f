// footfall import of what another product has counted by the Day: Plausible's zip, a folder of CSVs in its format, or
// what footfall has fetched from GA4. It is shown first, as every import is, and sent as an object that can be undone.
// No row becomes an event.

import { basename, resolve } from "node:path";
import type { ImportedTableName } from "../../core/imported/table.ts";
import { dateOf, parseDate } from "../../core/time.ts";
import { rangesText } from "../import/preview.ts";
import { openRollups, type RollupFiles } from "../import/rollups/file.ts";
import { previewRollups, type RollupPreview, readTables } from "../import/rollups/read.ts";
import { partsOf } from "../import/rollups/send.ts";
import { Tally } from "../import/tally.ts";
import { Problem } from "../problem.ts";
import { sayBesideMeter, startMeter } from "../progress.ts";
import { toAnswerTable, toCutTable, toFigure } from "../table.ts";

/** What an import of rollups is sent with. */
export interface RollupTarget {
  /** The merchant's imports in the API. */
  readonly imports: string;
  readonly ask: (method: string, path: string, body?: object) => Promise<unknown>;
  /** How many events count here on each of some Days, imports of events left out of it or not. */
  readonly countedDays: (days: readonly number[]) => Promise<ReadonlyMap<number, number>>;
}

interface Options {
  readonly source: string;
  readonly preview: boolean;
  /** Asked between requests. */
  readonly isStopped: () => boolean;
  /** UTC ms. */
  readonly now: number;
}

interface ShownImport {
  readonly number: number;
  readonly state: string;
  readonly place: { readonly table: ImportedTableName; readonly offset: number } | null;
}

/** Imports a path, and returns the number of the import; undefined where nothing was sent. */
export async function importRollups(path: string, target: RollupTarget, options: Options): Promise<number | undefined> {
  const found = await openRollups(path);
  for (const name of found.others) sayBesideMeter(`${name}: left out, it has the name of no table`);
  const preview = await previewRollups(found.files, { now: options.now, say: sayBesideMeter });
  console.log(previewText(preview, options.source));
  const counted = await target.countedDays([...preview.days.keys()]);
  if (counted.size > 0) console.log(`\n${countedText(counted, preview)}`);
  if (options.preview) return undefined;
  if (counted.size === preview.days.size)
    throw new Problem("every Day of it is counted here already: nothing was imported");
  const made = (await target.ask("POST", target.imports, {
    name: basename(resolve(path)).slice(0, NAME_LENGTH_MAX),
    source: options.source,
    digest: preview.digest,
    head: preview.digest,
    reading: READING,
    days: Object.fromEntries([...preview.days].sort(([a], [b]) => a - b).map(([day, rows]) => [dateOf(day), rows])),
    tables: Object.fromEntries(preview.tables.map(({ name, rows, counters }) => [name, { rows, counters }])),
  })) as ShownImport;
  if (made.state === "done") {
    console.log(`\nimport ${made.number} has brought this already; nothing counts twice`);
    return undefined;
  }
  await target.ask("PATCH", `${target.imports}/${made.number}`, { state: "running" });
  const isWhole = await sendAll(found, { made, preview, target, options });
  const refused = preview.tally.refused();
  if (isWhole) console.log(toAnswerTable({ rows: [...preview.days.values()].reduce((sum, rows) => sum + rows, 0) }));
  if (isWhole && refused > 0)
    throw new Problem(
      `import ${made.number} is whole, but ${toFigure(refused)} rows were refused, as listed above; take it back with: footfall import undo ${made.number}`,
    );
  return made.number;
}

const NAME_LENGTH_MAX = 100;
/** How rows are read: another reading of the same file is another import. */
const READING = "0000000000000001";

interface Sending {
  readonly made: ShownImport;
  readonly preview: RollupPreview;
  readonly target: RollupTarget;
  readonly options: Options;
}

/** False where it was stopped before the end. */
async function sendAll(found: RollupFiles, { made, preview, target, options }: Sending): Promise<boolean> {
  const path = `${target.imports}/${made.number}`;
  const all = preview.tables.reduce((sum, { rows }) => sum + rows, 0);
  const meter = startMeter("importing", all);
  const order = preview.tables.map(({ name }) => name);
  const from = made.place === null ? 0 : order.indexOf(made.place.table);
  if (made.place !== null) sayBesideMeter(`going on after row ${made.place.offset} of ${made.place.table}`);
  let sent = preview.tables.slice(0, from).reduce((sum, { rows }) => sum + rows, 0);
  try {
    for await (const table of readTables(found.files, { now: options.now, tally: new Tally(), say: () => undefined })) {
      const at = order.indexOf(table.table.name);
      if (at < from) continue;
      const offset = at === from ? (made.place?.offset ?? 0) : 0;
      sent += offset;
      for (const { rows, ...part } of partsOf(table, offset)) {
        if (options.isStopped()) {
          await target.ask("PATCH", path, { state: "paused" });
          return false;
        }
        const now = (await target.ask("PUT", `${path}/rows`, part)) as ShownImport;
        sent += rows;
        meter.update(sent);
        if (now.state === "running") continue;
        sayBesideMeter(`the import is ${now.state}; the same command goes on from here`);
        return false;
      }
    }
  } finally {
    meter.stop();
  }
  await target.ask("PATCH", path, { state: "done", tally: { accepted: all, ...rejectedOf(preview.tally) } });
  return true;
}

function rejectedOf(tally: Tally): Readonly<Record<string, number>> {
  return Object.fromEntries([...tally.rejected].map(([code, { count }]) => [`rejected: ${code}`, count]));
}

function previewText(preview: RollupPreview, source: string): string {
  const { firstTable, first, sums, tables, days, tally } = preview;
  const rows = first.map(([date, { values, counts }]) => [date, ...values, ...counts]);
  const facts = {
    source: `${source}, counts by the Day`,
    tables: tables.map(({ name, rows: own }) => `${name} ${toFigure(own)}`).join(", "),
    ...Object.fromEntries(sums.map(([counter, sum]) => [`${counter} in ${firstTable.name}`, toFigure(sum)])),
    days: rangesText(days.keys()),
  };
  const cut = tables.filter(({ cutDays }) => cutDays > 0);
  return [
    toCutTable(["date", ...firstTable.dimensions, ...firstTable.counters], rows),
    toAnswerTable(facts),
    ...cut.map(({ name, cutDays }) => `${name}: on ${cutDays} Days the smallest rows are added up as "(other)"`),
    ...(tally.refused() > 0 ? [tally.toText()] : []),
  ].join("\n\n");
}

function countedText(counted: ReadonlyMap<number, number>, { days }: RollupPreview): string {
  const events = [...counted.values()].reduce((sum, own) => sum + own, 0);
  const lies = counted.size === days.size ? "" : "; the other Days are shown from it";
  return `on ${rangesText(counted.keys())} ${toFigure(events)} events are counted here: these Days are not shown from the file${lies}`;
}

/** The Days among some that have events in an answer by time:day. */
export function daysWithEvents(
  results: readonly { readonly dimensions: readonly string[]; readonly metrics: readonly number[] }[],
  days: readonly number[],
): ReadonlyMap<number, number> {
  const own = new Set(days);
  const counted = new Map<number, number>();
  for (const { dimensions, metrics } of results) {
    const day = parseDate(String(dimensions[0]).slice(0, 10));
    const [events = 0] = metrics;
    if (day !== undefined && own.has(day) && events > 0) counted.set(day, events);
  }
  return counted;
}
