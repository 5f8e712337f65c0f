// A D1 that is asked each reading statement once until it is told to forget, for several questions that are answered
// together. Everything else goes through as it is.

/** What was read, by database, statement and values. */
export class ReadOnce {
  readonly #known = new Map<string, Promise<D1Result>>();
  /** Of one transaction. */
  readonly #batches = new Map<string, Promise<D1Result[]>>();
  #databases = 0;

  /** What is asked from now on is read anew. */
  forget(): void {
    this.#known.clear();
    this.#batches.clear();
  }

  of(db: D1Database): D1Database {
    const name = this.#databases++;
    const read = (statement: OnceStatement): Promise<D1Result> => {
      const key = statement.key === undefined ? undefined : `${name} ${statement.key}`;
      if (key === undefined) return statement.plain.all();
      const known = this.#known.get(key) ?? statement.plain.all();
      this.#known.set(key, known);
      return known;
    };
    const once: Partial<D1Database> = {
      prepare: (text) =>
        new OnceStatement(db.prepare(text), { text, values: [] }, read) as unknown as D1PreparedStatement,
      batch: <Row>(statements: D1PreparedStatement[]) => {
        const own = statements as unknown as readonly OnceStatement[];
        const write = () => db.batch<Row>(own.map(({ plain }) => plain));
        if (own.some(({ key }) => key === undefined)) return write();
        const key = `${name} ${own.map((one) => one.key).join(" ")}`;
        const known = (this.#batches.get(key) as Promise<D1Result<Row>[]> | undefined) ?? write();
        this.#batches.set(key, known);
        return known;
      },
    };
    return once as D1Database;
  }
}

interface Text {
  readonly text: string;
  readonly values: readonly unknown[];
}

class OnceStatement {
  readonly plain: D1PreparedStatement;
  /** Undefined where it may not be remembered. */
  readonly key: string | undefined;
  readonly #text: string;
  readonly #read: (statement: OnceStatement) => Promise<D1Result>;

  constructor(
    plain: D1PreparedStatement,
    { text, values }: Text,
    read: (statement: OnceStatement) => Promise<D1Result>,
  ) {
    this.plain = plain;
    this.#text = text;
    this.#read = read;
    const isPlain = values.every((value) => value === null || ["string", "number"].includes(typeof value));
    this.key = isPlain && /^\s*(select|with)\s/i.test(text) ? JSON.stringify([text, values]) : undefined;
  }

  bind(...values: unknown[]): OnceStatement {
    return new OnceStatement(this.plain.bind(...values), { text: this.#text, values }, this.#read);
  }

  all(): Promise<D1Result> {
    return this.#read(this);
  }

  run(): Promise<D1Result> {
    return this.plain.run();
  }

  /** The first row, or one column of it. */
  async first(column?: string): Promise<unknown> {
    const [row] = (await this.all()).results as readonly Readonly<Record<string, unknown>>[];
    if (row === undefined) return null;
    return column === undefined ? row : row[column];
  }

  /** As lists of values: columns have distinct names (metered.ts). */
  async raw(): Promise<unknown[][]> {
    const { results } = await this.all();
    return (results as readonly Readonly<Record<string, unknown>>[]).map((row) => Object.values(row));
  }
}
