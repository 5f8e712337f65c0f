// Judges and groups derived rows by their codes: what a filter says of a code, and which groups it belongs to, is found
// out once, and no row becomes an object before that.

import { type Gradual, LOOKED_AT, Slices } from "../gradual.ts";
import { DERIVED_READS } from "../limits.ts";
import { type Codes, joinCodes } from "../pair-codes.ts";
import { type Attribute, shownValue } from "./attribute.ts";
import { type Comparison, comparisonsOf, type Filter } from "./filter.ts";
import { onEntryPage, RowCursor, type Seen, type SeenColumns, seenAt, type VisitRuns } from "./seen.ts";

/** The attribute whose value is that of the visit's entry page where visits are counted by page (scan.ts). */
const PAGE = "event:page";

interface RowsGiven {
  readonly runs: VisitRuns;
  readonly day: number;
  /** What rows are grouped by or compared. */
  readonly attributes: readonly Attribute[];
}

/** Rows to be judged, visit after visit. */
export class JudgedRows {
  readonly seen: SeenColumns;
  readonly runs: VisitRuns;
  readonly day: number;
  /** The rows as they happened: these, or those that these were made of by `onEntry`. */
  readonly real: JudgedRows;
  readonly #columns: ReadonlyMap<Attribute, Codes>;
  /** What comparisons have said of codes: 0 for nothing, 1 for yes, 2 for no. They may stand in several filters. */
  readonly #verdicts = new Map<Comparison, { list: Uint8Array }>();
  readonly #done = new Map<Filter, RowVerdict>();
  /** The visit whose rows are judged; only that of `real` is set. */
  visit = 0;
  /** How often a verdict was looked up since somebody has paid for it; counted by `real`. */
  looked = 0;
  /** How many codes were judged since counting could last give way; counted by `real`. */
  judged = 0;

  private constructor(
    seen: SeenColumns,
    { runs, day }: Pick<RowsGiven, "runs" | "day">,
    { columns, real }: { readonly columns: ReadonlyMap<Attribute, Codes>; readonly real?: JudgedRows },
  ) {
    this.seen = seen;
    this.runs = runs;
    this.day = day;
    this.real = real ?? this;
    this.#columns = columns;
  }

  /** Gives way after each attribute. Undefined where one has a value without a code. */
  static *of(seen: SeenColumns, given: RowsGiven): Gradual<JudgedRows | undefined> {
    const columns = new Map<Attribute, Codes>();
    const slices = new Slices();
    for (const attribute of given.attributes) {
      const codes = columnOf(seen, given.runs, { attribute, isOnEntry: false });
      if (codes === undefined) return undefined;
      columns.set(attribute, codes);
      if (slices.isOver(seen.columns.count * LOOKED_AT * DERIVED_READS)) yield;
    }
    return new JudgedRows(seen, given, { columns });
  }

  /** The same rows, each as if it had happened on its visit's entry page. What visits have done stays as it was. */
  onEntry(): JudgedRows {
    const { seen, runs } = this;
    const moved = ([attribute, codes]: readonly [Attribute, Codes]) => {
      const own = attribute.question === PAGE ? columnOf(seen, runs, { attribute, isOnEntry: true }) : codes;
      return [attribute, own ?? codes] as const;
    };
    return new JudgedRows(seen, this, { columns: new Map([...this.#columns].map(moved)), real: this });
  }

  /** Verdicts by code, with room for so many codes. */
  verdictsOf(comparison: Comparison, size: number): { list: Uint8Array } {
    const verdicts = this.#verdicts.get(comparison) ?? { list: new Uint8Array(0) };
    this.#verdicts.set(comparison, verdicts);
    if (verdicts.list.length >= size) return verdicts;
    const list = new Uint8Array(size);
    list.set(verdicts.list);
    verdicts.list = list;
    return verdicts;
  }

  /** Whether any row of the present visit passes. It is found out once for each visit. */
  hasDone(filter: Filter): RowVerdict {
    const verdict = this.#done.get(filter) ?? hasDone(verdictOf(filter, this), this);
    this.#done.set(filter, verdict);
    return verdict;
  }

  codesOf(attribute: Attribute): Codes {
    return this.#columns.get(attribute) as Codes;
  }

  /** A row of the present visit as an object. */
  at(row: number): Seen {
    const { seen, runs, real, day } = this;
    const found = seenAt(seen, runs, { visit: real.visit, day, row });
    return real === this ? found : onEntryPage(found);
  }
}

/** The attributes that a filter compares. */
export function attributesOf(filter: Filter): readonly Attribute[] {
  return comparisonsOf(filter).map(({ attribute }) => attribute);
}

/** By rows, and by the name of an attribute. Questions of a batch look at the same ones. */
const known = new WeakMap<SeenColumns, Map<string, Codes | undefined>>();

interface ColumnWanted {
  readonly attribute: Attribute;
  readonly isOnEntry: boolean;
}

function columnOf(seen: SeenColumns, runs: VisitRuns, wanted: ColumnWanted): Codes | undefined {
  const own = known.get(seen) ?? new Map<string, Codes | undefined>();
  known.set(seen, own);
  const name = `${wanted.attribute.question}${wanted.isOnEntry ? " entry" : ""}`;
  if (!own.has(name)) own.set(name, makeColumn(seen, runs, wanted));
  return own.get(name);
}

function makeColumn(seen: SeenColumns, runs: VisitRuns, { attribute, isOnEntry }: ColumnWanted): Codes | undefined {
  const cursor = new RowCursor(seen, runs);
  const codes = new Uint32Array(seen.columns.count);
  const isOfVisit = attribute.scope === "visit" || isOnEntry;
  let size = 1;
  for (let visit = 0; visit < runs.count; visit++) {
    const end = runs.starts[visit + 1] as number;
    const start = runs.starts[visit] as number;
    let code = 0;
    for (let row = start; row < end; row++) {
      if (row === start || !isOfVisit) {
        cursor.to(visit, row);
        if (isOnEntry) cursor.pageRow = runs.entries[visit] as number;
        code = attribute.codeOf(cursor, seen);
      }
      if (code < 0) return undefined;
      if (code >= size) size = code + 1;
      codes[row] = code;
    }
  }
  return { codes, size };
}

/** Says whether a row of the present visit passes. */
export type RowVerdict = (row: number) => boolean;

export function verdictOf(filter: Filter, rows: JudgedRows): RowVerdict {
  switch (filter.kind) {
    case "and": {
      const [first, ...others] = filter.of.map((inner) => verdictOf(inner, rows));
      if (first === undefined) return () => true;
      return others.length === 0 ? first : (row) => first(row) && others.every((passes) => passes(row));
    }
    case "or": {
      const all = filter.of.map((inner) => verdictOf(inner, rows));
      return (row) => all.some((passes) => passes(row));
    }
    case "not": {
      const passes = verdictOf(filter.of, rows);
      return (row) => !passes(row);
    }
    case "has_done":
      return rows.real.hasDone(filter.of);
    case "comparison":
      return compares(filter, rows);
  }
}

function hasDone(passes: RowVerdict, rows: JudgedRows): RowVerdict {
  const { starts } = rows.runs;
  let [known, verdict] = [-1, false];
  return () => {
    const { visit } = rows;
    if (visit === known) return verdict;
    const end = starts[visit + 1] as number;
    let row = starts[visit] as number;
    while (row < end && !passes(row)) row += 1;
    [known, verdict] = [visit, row < end];
    return verdict;
  };
}

function compares(comparison: Comparison, rows: JudgedRows): RowVerdict {
  const { attribute, fits } = comparison;
  const { codes, size } = rows.codesOf(attribute);
  const verdicts = rows.real.verdictsOf(comparison, size);
  return (row) => {
    rows.real.looked += 1;
    const code = codes[row] as number;
    const known = verdicts.list[code] as number;
    if (known !== 0) return known === 1;
    rows.real.judged += 1;
    const isFit = attribute.valuesOf(rows.at(row)).some((value) => fits(shownValue(attribute, value)));
    verdicts.list[code] = isFit ? 1 : 2;
    return isFit;
  };
}

interface Grouping<T> {
  /** What rows are grouped by, besides time. */
  readonly attributes: readonly Attribute[];
  /** The label of the time of a row. */
  readonly labelAt: (row: number) => string;
  /** Whether rows of one Day have different labels. */
  readonly isFine: boolean;
  /** The groups of a row under a label. */
  readonly find: (row: Seen, label: string) => readonly T[];
}

/** Finds the groups of rows: once for each label and combination of codes. */
export class RowGroups<T> {
  readonly #rows: JudgedRows;
  readonly #grouping: Grouping<T>;
  readonly #codes: Uint32Array | undefined;
  readonly #known = new Map<string, (readonly T[] | undefined)[]>();
  /** Those of the label that was asked for last. */
  #ofLabel: (readonly T[] | undefined)[] = [];
  #label: string | undefined;

  constructor(rows: JudgedRows, grouping: Grouping<T>) {
    this.#rows = rows;
    this.#grouping = grouping;
    const all = grouping.attributes.map((attribute) => rows.codesOf(attribute));
    this.#codes = all.length === 0 ? undefined : joinCodes(all, rows.seen.columns).codes;
  }

  /** The groups of a row of the present visit, at the time of another row. */
  at(row: number, timeRow: number): readonly T[] {
    if (this.#grouping.isFine || this.#label === undefined) this.#turnTo(timeRow);
    const code = this.#codes === undefined ? 0 : (this.#codes[row] as number);
    return this.#ofLabel[code] ?? this.#find(row, code);
  }

  #turnTo(row: number): void {
    const label = this.#grouping.labelAt(row);
    if (label === this.#label) return;
    this.#label = label;
    this.#ofLabel = this.#known.get(label) ?? [];
    this.#known.set(label, this.#ofLabel);
  }

  #find(row: number, code: number): readonly T[] {
    const found = this.#grouping.find(this.#rows.at(row), this.#label as string);
    this.#ofLabel[code] = found;
    return found;
  }
}
