// What was asked to be erased, kept in R2 from before its ledger knows of it: a ledger that was restored or lost has
// forgotten it, and rows that were erased would be counted again, or never be erased. `footfall recover erasures`
// asks for all of them once more. A record names visitors by their hash, as the archive does. It stays; what became
// of it is in the ledger's receipt.

import { type ArchiveBucket, listKeys, readObjectOf } from "../archive/bucket.ts";
import { select } from "../statement.ts";
import { type Erasure, listErasures, listPartitionsOf, type NewErasure } from "./erasure.ts";
import type { Ledger } from "./ledgers.ts";

/** An erasure as it was asked for, under the number that was claimed for it. */
export interface ErasureRecord extends NewErasure {
  readonly erasure: NewErasure["erasure"] & { readonly number: number };
}

interface Records {
  readonly bucket: ArchiveBucket;
}

export async function putRecord(position: number, record: ErasureRecord, { bucket }: Records): Promise<void> {
  await bucket.put(keyOf(position, record.erasure.number), JSON.stringify(record));
}

/** Of an erasure that came to nothing: whoever asked was told so. */
export async function deleteRecord(position: number, number: number, { bucket }: Records): Promise<void> {
  await bucket.delete([keyOf(position, number)]);
}

/**
 * Writes the records of erasures again that the ledger knows and R2 has not: the bucket was lost. Their Days are those
 * that were noted with them. Returns how many there were.
 */
export async function recordMissing(position: number, ledger: Ledger, records: Records): Promise<number> {
  const there = new Set((await listKeys(records, prefixOf(position))).map(({ key }) => key));
  let missing = 0;
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const page = await listErasures(ledger, { merchant: undefined, before, rowsMax: ERASURES_PAGE });
    for (const erasure of page.filter(({ number }) => !there.has(keyOf(position, number)))) {
      await putRecord(position, await toRecord(erasure, ledger), records);
      missing += 1;
    }
    before = page.at(-1)?.number ?? 0;
    if (page.length < ERASURES_PAGE) return missing;
  }
}

const ERASURES_PAGE = 500;

async function toRecord(erasure: Erasure, ledger: Ledger): Promise<ErasureRecord> {
  const { state: _, finishedAt: __, inDirectory: ___, ...asked } = erasure;
  const partitions = (await listPartitionsOf(ledger, erasure.number)).map(({ partition }) => partition);
  const text = "SELECT DISTINCT day FROM erasure_parts WHERE erasure = ? ORDER BY day DESC LIMIT ?";
  const days = await select<{ readonly day: number }>(ledger, [text, erasure.number, OPEN_DAYS_MAX]);
  return { erasure: asked, partitions, openDays: days.map(({ day }) => day) };
}

/** Days that are open at one time, and one more. */
const OPEN_DAYS_MAX = 5;

/** All records of a ledger, in the order of their numbers. */
export async function* listRecords(position: number, records: Records): AsyncGenerator<ErasureRecord> {
  for (const { key } of await listKeys(records, prefixOf(position))) {
    yield JSON.parse(new TextDecoder().decode(await readObjectOf(records, key))) as ErasureRecord;
  }
}

function prefixOf(position: number): string {
  return `erasures/ledger-${position}/`;
}

/** "erasures/ledger-0/0000000007.json" */
function keyOf(position: number, number: number): string {
  return `${prefixOf(position)}${String(number).padStart(NUMBER_DIGITS, "0")}.json`;
}

/** Of CLAIMED_NUMBER_MAX. */
const NUMBER_DIGITS = 10;
