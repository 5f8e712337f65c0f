// Whose events an archived bundle holds, as it is noted beside the object (R2's custom metadata, at most 8 KB). A
// bundle of a pool partition holds several merchants'; who asks about one of them need not read those that hold none
// of it, however much its neighbours send. Where more are in it than are noted, or it is older than these notes,
// nobody knows and it is read.

import { BUNDLE_MERCHANTS_MAX } from "../limits.ts";
import type { ArchivedEvent } from "./file.ts";

/** { merchants: "3,7" }: in ascending order, the same for the same bundle. */
export type BundleNote = Record<string, string>;

/** What is noted beside a bundle of these rows; nothing where they are of too many. */
export function noteMerchants(rows: readonly ArchivedEvent[]): BundleNote {
  const merchants = [...new Set(rows.map(({ event }) => event.merchant))].sort((a, b) => a - b);
  return merchants.length > BUNDLE_MERCHANTS_MAX ? {} : { merchants: merchants.join(",") };
}

/** Whether a bundle may hold events of a merchant, by what is noted beside it. */
export function mayHold(note: BundleNote | undefined, merchant: number): boolean {
  const merchants = note?.["merchants"];
  return merchants === undefined || merchants.split(",").includes(String(merchant));
}
