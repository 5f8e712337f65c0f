// The numbers an import ends with: what was counted, what was there before, and everything that was not, by reason,
// with the first few examples of each mistake.

import { DAY_MS, dateOf } from "../../core/time.ts";

/** What the collector answers to a batch. */
export interface BatchAnswer {
  readonly accepted: number;
  readonly duplicates: number;
  readonly dropped: readonly { readonly index: number; readonly reason: string }[];
  /** The first few of each code have a message. */
  readonly rejected: readonly { readonly index: number; readonly code: string; readonly message?: string }[];
}

/** Where in the file an event comes from. */
export interface Origin {
  readonly line: number;
  /** What the line says, by `quoteLine`. */
  readonly text: string;
}

export interface Example extends Origin {
  readonly message: string;
}

const EXAMPLES_MAX = 3;
const EXAMPLE_LENGTH_MAX = 160;
const QUOTE_LENGTH_MAX = 100;

export class Tally {
  lines = 0;
  accepted = 0;
  duplicates = 0;
  /** Events sent for Days that are closed: how many, and the first and last instant of them. */
  closed: { readonly events: number; readonly from: number; readonly to: number } | undefined;
  readonly skipped = new Map<string, number>();
  readonly dropped = new Map<string, number>();
  readonly rejected = new Map<string, { count: number; readonly examples: Example[] }>();

  skip(reason: string): void {
    this.skipped.set(reason, (this.skipped.get(reason) ?? 0) + 1);
  }

  reject(code: string, example: Example): void {
    const entry = this.rejected.get(code) ?? { count: 0, examples: [] };
    this.rejected.set(code, entry);
    entry.count++;
    const message = example.message.slice(0, EXAMPLE_LENGTH_MAX);
    if (entry.examples.length < EXAMPLES_MAX) entry.examples.push({ ...example, message });
  }

  /** Notes an event's time, UTC ms. `openFrom` is the first instant of Days that are still counted live. */
  time(timestamp: number, openFrom: number): void {
    if (timestamp >= openFrom) return;
    const { events, from, to } = this.closed ?? { events: 0, from: timestamp, to: timestamp };
    this.closed = { events: events + 1, from: Math.min(from, timestamp), to: Math.max(to, timestamp) };
  }

  /** Adds what became of a batch; `origins` are those of its events, where they come from a file. */
  answer(answer: BatchAnswer, origins: readonly Origin[]): void {
    this.accepted += answer.accepted;
    this.duplicates += answer.duplicates;
    for (const { reason } of answer.dropped) this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + 1);
    for (const { index, code, message = code } of answer.rejected) {
      const { line, text } = origins[index] ?? { line: 0, text: "" };
      this.reject(code, { line, text, message });
    }
  }

  /** All of it as named counts. */
  toCounts(): Readonly<Record<string, number>> {
    const { lines: rows, accepted, duplicates } = this;
    const named = (what: string, of: ReadonlyMap<string, number>) =>
      [...of].map(([reason, times]) => [`${what}: ${reason}`, times] as const);
    return Object.fromEntries([
      ...Object.entries({ rows, accepted, duplicates }),
      ...named("dropped", this.dropped),
      ...named("skipped", this.skipped),
      ...named("rejected", new Map([...this.rejected].map(([code, { count: times }]) => [code, times]))),
    ]);
  }

  /** Rows that were not taken because something is wrong with them. */
  refused(): number {
    return [...this.rejected.values()].reduce((sum, { count: times }) => sum + times, 0);
  }

  /** The end of an import, for a person. */
  toText(): string {
    const rows = [
      `${count(this.lines)} lines read`,
      `${count(this.accepted)} events taken`,
      ...(this.duplicates > 0 ? [`${count(this.duplicates)} were there already`] : []),
      ...[...this.dropped].map(([reason, times]) => `${count(times)} kept but not counted: ${reason}`),
      ...[...this.skipped].map(([reason, times]) => `${count(times)} skipped: ${reason}`),
    ];
    if (this.closed !== undefined) rows.push(...toClosedText(this.closed));
    for (const [code, { count: times, examples }] of this.rejected) {
      rows.push(`${count(times)} rejected: ${code}`);
      for (const { line, message, text } of examples) {
        rows.push(`${" ".repeat(10)}  line ${line}: ${message}`);
        if (text !== "") rows.push(`${" ".repeat(12)}│ ${text}`);
      }
    }
    return rows.join("\n");
  }
}

/**
 * When and where closed Days are counted again: until then answers count them from the archive. The range is a Day
 * wider each way, for any zone.
 */
function toClosedText({ events, from, to }: NonNullable<Tally["closed"]>): readonly string[] {
  const range = `--from ${dateOf(Math.floor(from / DAY_MS) - 1)} --to ${dateOf(Math.floor(to / DAY_MS) + 1)}`;
  return [
    `${count(events)} of closed Days: in answers at once, in rollups within about half an hour;`,
    `${" ".repeat(10)} ids that were there already count once`,
    `${" ".repeat(10)} how far it is: footfall archive days ${range}`,
  ];
}

/** A line cut to what helps to find it. Control characters, which a log may hold, would speak to the terminal. */
export function quoteLine(text: string): string {
  const cut = text.length > QUOTE_LENGTH_MAX ? `${text.slice(0, QUOTE_LENGTH_MAX - 1)}…` : text;
  return cut.replace(/\p{Cc}/gu, "·");
}

function count(value: number): string {
  return value.toLocaleString("en-US").padStart(10);
}
