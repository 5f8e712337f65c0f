// The one D1 and the one R2 that count what is billed: thin wrappers around a binding that add what the platform says
// it read and wrote (D1), or which class of operation it was (R2), to a meter. Hosts wrap their bindings once, where
// they are wired; nobody else adds rows or operations to a meter. An R2 operation is counted before it is tried: a
// failed one is billed too.

import type { Metered } from "../core/meter.ts";
import { assert } from "../core/outcome.ts";

export interface MeteredOptions {
  /** Is awaited before each statement, with a D1 that counts and does not wait. */
  readonly first?: (db: D1Database) => Promise<void>;
  /** Whether its statements and round trips are counted, beside the rows. */
  readonly isLedger?: boolean;
}

/** A D1 that counts. It has what Footfall uses of a binding: `prepare` and `batch`. */
export function meteredD1(
  db: D1Database,
  meter: Metered,
  { first, isLedger = false }: MeteredOptions = {},
): D1Database {
  const count = <Result extends Counted>(result: Result): Result => {
    meter.d1_rows_read += result.meta.rows_read;
    meter.d1_rows_written += result.meta.rows_written;
    return result;
  };
  const before = first === undefined ? undefined : () => first(meteredD1(db, meter));
  const asked = (statements: number) => {
    if (!isLedger) return;
    meter.ledger_statements += statements;
    meter.ledger_round_trips += 1;
  };
  const host: Host = { count, before, asked };
  const metered: Partial<D1Database> = {
    prepare: (text) => new MeteredStatement(db.prepare(text), text, host) as unknown as D1PreparedStatement,
    batch: async <Row>(statements: D1PreparedStatement[]) => {
      await before?.();
      asked(statements.length);
      const results = await db.batch<Row>(statements.map((one) => (one as unknown as MeteredStatement).plain));
      for (const result of results) count(result);
      return results;
    },
  };
  return metered as D1Database;
}

interface Counted {
  readonly meta: { readonly rows_read: number; readonly rows_written: number };
}

interface Host {
  readonly count: <Result extends Counted>(result: Result) => Result;
  readonly before: (() => Promise<void>) | undefined;
  /** Called with the number of statements of a round trip. */
  readonly asked: (statements: number) => void;
}

class MeteredStatement {
  readonly plain: D1PreparedStatement;
  readonly #text: string;
  readonly #host: Host;

  constructor(plain: D1PreparedStatement, text: string, host: Host) {
    this.plain = plain;
    this.#text = text;
    this.#host = host;
  }

  bind(...values: unknown[]): MeteredStatement {
    return new MeteredStatement(this.plain.bind(...values), this.#text, this.#host);
  }

  async all<Row>(): Promise<D1Result<Row>> {
    await this.#host.before?.();
    this.#host.asked(1);
    return this.#host.count(await this.plain.all<Row>());
  }

  async run<Row>(): Promise<D1Result<Row>> {
    await this.#host.before?.();
    this.#host.asked(1);
    return this.#host.count(await this.plain.run<Row>());
  }

  /** The first row, or one column of it. */
  async first(column?: string): Promise<unknown> {
    const [row] = (await this.all<Readonly<Record<string, unknown>>>()).results;
    if (row === undefined) return null;
    return column === undefined ? row : row[column];
  }

  /** D1 gives lists of values without an account of them. So rows come by column name, which must be distinct. */
  async raw(): Promise<unknown[][]> {
    const { results } = await this.all<Readonly<Record<string, unknown>>>();
    const [first] = results;
    if (first !== undefined) {
      const columns = columnsOf(this.#text);
      assert(
        Object.keys(first).length === columns,
        `the ${columns} columns of a statement have a name each: ${this.#text}`,
      );
    }
    return results.map((row) => Object.values(row));
  }
}

/**
 * How many columns a statement gives: the items of its `select`, else of its `returning`. For statements that an ORM
 * makes: they name every column, and have no comments.
 */
export function columnsOf(text: string): number {
  const known = columnCounts.get(text);
  if (known !== undefined) return known;
  const start =
    /^\s*select\s/i.exec(text)?.[0].length ?? text.toLowerCase().lastIndexOf(" returning ") + " returning ".length;
  let count = 1;
  let depth = 0;
  let quote = "";
  for (let at = start; at < text.length; at++) {
    const char = text[at] as string;
    if (quote !== "") quote = char === quote ? "" : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === "(") depth += 1;
    else if (char === ")") depth -= 1;
    else if (depth === 0 && char === ",") count += 1;
    else if (depth === 0 && /^\sfrom\s/i.test(text.slice(at, at + 6))) break;
  }
  columnCounts.set(text, count);
  return count;
}

/** A program has as many texts as it has statements. */
const columnCounts = new Map<string, number>();

/** Which class each operation of a bucket is billed as; deleting is free. */
const CLASSES = { head: "r2_class_b", get: "r2_class_b", put: "r2_class_a", list: "r2_class_a" } as const;

/** An R2 that counts. It has what Footfall uses of a binding. */
export function meteredR2(bucket: R2Bucket, meter: Metered): R2Bucket {
  const counting = <Name extends keyof typeof CLASSES>(name: Name) =>
    ((...given: never[]) => {
      meter[CLASSES[name]] += 1;
      return (bucket[name] as (...given: never[]) => unknown)(...given);
    }) as unknown as R2Bucket[Name];
  const metered: Partial<R2Bucket> = {
    head: counting("head"),
    get: counting("get"),
    put: counting("put"),
    list: counting("list"),
    delete: (keys) => bucket.delete(keys),
  };
  return metered as R2Bucket;
}
