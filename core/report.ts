// What became of the events of a hit, for whoever answers it. Formats say it in the words of their protocol
// (formats/hit-reply.ts). The native format sends the report itself.

import type { DropReason, Rejection } from "./outcome.ts";

/** Indexes are those of the events in the request. */
export interface Report {
  readonly accepted: number;
  readonly duplicates: number;
  readonly dropped: readonly { readonly index: number; readonly reason: DropReason }[];
  readonly rejected: readonly (Rejection & { readonly index: number })[];
}

export const EMPTY_REPORT: Report = { accepted: 0, duplicates: 0, dropped: [], rejected: [] };

/** Nothing of the hit was taken, and at least one event was refused. */
export function isRefused(report: Report): boolean {
  return report.rejected.length > 0 && report.accepted + report.duplicates + report.dropped.length === 0;
}

/** Whether an event could not be stored: the client should send it again. */
export function isUnavailable(report: Report): boolean {
  return report.rejected.some((rejection) => rejection.code === "unavailable");
}
