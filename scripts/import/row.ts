// What one line of an imported file comes to: an event for the collector, or nothing for a reason. All readers (logs
// and CSV) end here, and everything after them (ids, batches, sending) sees only this.

/** An event as `POST /v1/events` takes it, without its id where the file names none. */
export interface ImportedEvent {
  readonly id?: string;
  readonly name?: string;
  readonly url?: string;
  readonly referrer?: string;
  readonly title?: string;
  readonly timestamp: number;
  readonly visitor_id?: string;
  readonly user_agent?: string;
  readonly language?: string;
  readonly screen?: string;
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
  readonly region?: string;
  readonly city?: string;
  /** Words of another product, where there is no agent. */
  readonly browser?: string;
  readonly os?: string;
  readonly device?: string;
  readonly engagement_ms?: number;
  readonly scroll?: number;
  /** False for what nobody did, such as a report of a page's errors. */
  readonly interactive?: boolean;
  readonly revenue?: { readonly amount: number; readonly currency?: string };
  readonly props?: Readonly<Record<string, unknown>>;
  readonly order_id?: string;
  /** Facts that only an export of Footfall has. */
  readonly exported?: Readonly<Record<string, unknown>>;
  readonly products?: readonly Readonly<Record<string, unknown>>[];
}

export interface EventRow {
  readonly kind: "event";
  readonly event: ImportedEvent;
  /** Set when a salted hash of it becomes the visitor: it holds a network address and is never sent. */
  readonly visitor?: string;
}

export type Row =
  | EventRow
  /** Nothing that should be counted. */
  | { readonly kind: "skipped"; readonly reason: string }
  /** Something that cannot be read. */
  | { readonly kind: "rejected"; readonly code: string; readonly message: string };

export function read(event: ImportedEvent, visitor?: string): EventRow {
  return visitor === undefined ? { kind: "event", event } : { kind: "event", event, visitor };
}

export function skipped(reason: string): Row {
  return { kind: "skipped", reason };
}

/** The code of a row whose address needs a host that neither the file nor `--hostname` names. */
export const NEEDS_HOSTNAME = "needs_hostname";

export function needsHostname(url: string): Row {
  return rejectedRow(NEEDS_HOSTNAME, `"${url}" does not name its site; add --hostname shop.example`);
}

export function rejectedRow(code: string, message: string): Row {
  return { kind: "rejected", code, message };
}
