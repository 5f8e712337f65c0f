// Which merchants have events in an archived bundle, noted beside the object (R2's custom metadata, at most 8 KB). A
// bundle of a pool partition has events of several merchants. A reader of one merchant skips bundles without its
// events, however much its neighbours send. A bundle with more merchants than fit, or from before these notes, has no
// note. Nobody knows its merchants, so it is read.

import { BUNDLE_MERCHANTS_MAX } from "../limits.ts";
import type { ArchivedEvent } from "./file.ts";

/** Such as { merchants: "3,7" }, in ascending order. The same bundle always has the same note. */
export type BundleNote = Record<string, string>;

/** The note for a bundle of these rows. Empty where they have too many merchants. */
export function noteMerchants(rows: readonly ArchivedEvent[]): BundleNote {
  const merchants = [...new Set(rows.map(({ event }) => event.merchant))].sort((a, b) => a - b);
  return merchants.length > BUNDLE_MERCHANTS_MAX ? {} : { merchants: merchants.join(",") };
}

/** Whether a bundle may have events of a merchant, by its note. */
export function mayHold(note: BundleNote | undefined, merchant: number): boolean {
  const merchants = note?.["merchants"];
  return merchants === undefined || merchants.split(",").includes(String(merchant));
}
