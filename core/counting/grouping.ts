// Which dimensions divide a bucket's visits, or its cells, in the same way. Where all visits came by one browser, or
// every source has its own referrer, one dimension is counted and the others take its numbers under their own values.
// In a small merchant's Hour nearly all dimensions are of one value each. What is counted is in `rollup.ts`.

import { packTuple, tupleAt } from "./tuple.ts";

/** A field of a tuple, and the dimension it is. */
export interface GroupedField<Name extends string> {
  readonly name: Name;
  readonly index: number;
}

/** Fields by which some tuples fall into the same groups. */
export interface Grouping<Name extends string> {
  readonly fields: readonly GroupedField<Name>[];
  /** The group of each tuple, in the order they were given. Groups are numbered from 0. */
  readonly groupOf: readonly number[];
  /** A tuple of each group. */
  readonly samples: readonly string[];
}

/** The groupings of packed tuples by some of their fields. */
export function groupingsOf<Name extends string>(
  tuples: readonly string[],
  fields: readonly GroupedField<Name>[],
): readonly Grouping<Name>[] {
  const groupings = new Map<string, Grouping<Name> & { readonly fields: GroupedField<Name>[] }>();
  for (const field of fields) {
    const grouping = groupBy(tuples, field);
    const key = packTuple(grouping.groupOf);
    const known = groupings.get(key);
    if (known === undefined) groupings.set(key, { ...grouping, fields: [field] });
    else known.fields.push(field);
  }
  return [...groupings.values()];
}

/** Groups are numbered as they appear, so equal divisions have equal numbers. */
function groupBy(tuples: readonly string[], { index }: GroupedField<string>): Omit<Grouping<string>, "fields"> {
  const groups = new Map<number | undefined, number>();
  const samples: string[] = [];
  const groupOf = tuples.map((tuple) => {
    const value = tupleAt(tuple, index);
    const known = groups.get(value);
    if (known !== undefined) return known;
    groups.set(value, samples.length);
    return samples.push(tuple) - 1;
  });
  return { groupOf, samples };
}
