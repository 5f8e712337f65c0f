// What was asked to be erased, kept in R2 from before its ledger knows of it: a ledger that was restored or lost has
// forgotten it, and rows that were erased would be counted again, or never be erased. `footfall recover erasures`
// asks for all of them once more. A record names visitors by their hash, as the archive does. It stays; what became
// of it is in the ledger's receipt.

import { type ArchiveBucket, listKeys, readObjectOf } from "../archive/bucket.ts";
import type { NewErasure } from "./erasure.ts";

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
