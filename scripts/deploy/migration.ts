// What a migration may do to a database that the release before still uses: only expand. Databases are migrated before
// the Workers are deployed, and a release that fails is rolled back without turning a database back. So the release
// before has to work on the new schema. What it does not use any more, a later release takes away ("contract"), and
// says since when: docs/upgrade.md.

import { unstable_splitSqlQuery } from "wrangler";

/** A statement that may break the release before, and why. */
export interface Harm {
  readonly statement: string;
  readonly why: string;
}

/** As it stands before a statement that contracts: the release that stopped using what is taken away. */
const CONTRACT = /--\s*contract:\s*(\S+)/;

/**
 * The statements of a migration that may break the release before `version`, which is the one that the migration comes
 * with. What a migration makes itself it may change in any way.
 */
export function harmsOf(sql: string, version: string): readonly Harm[] {
  const made = new Set<string>();
  return unstable_splitSqlQuery(sql).flatMap((text): readonly Harm[] => {
    const statement = text.replace(/--.*$/gm, "").trim().replace(/\s+/g, " ");
    if (statement === "") return [];
    const table = /^CREATE TABLE (?:IF NOT EXISTS )?[`"]?(\w+)/i.exec(statement)?.[1];
    if (table !== undefined) made.add(table);
    const why = table === undefined ? harmOf(statement, made) : undefined;
    if (why === undefined) return [];
    const since = CONTRACT.exec(text)?.[1];
    if (since === undefined) return [{ statement, why }];
    if (isEarlier(since, version)) return [];
    return [{ statement, why: `"contract: ${since}" must name a release before ${version}` }];
  });
}

/** Why a statement may break the release before; undefined where it only adds. */
function harmOf(statement: string, made: ReadonlySet<string>): string | undefined {
  const ofMade = [/ ON [`"]?(\w+)/i, /^INSERT INTO [`"]?(\w+)/i, /^ALTER TABLE [`"]?(\w+)/i].some((pattern) =>
    made.has(pattern.exec(statement)?.[1] ?? ""),
  );
  if (ofMade || /^CREATE (INDEX|VIEW) /i.test(statement)) return undefined;
  if (/^ALTER TABLE \S+ ADD (COLUMN )?/i.test(statement)) {
    return /\bNOT NULL\b/i.test(statement) && !/\bDEFAULT\b/i.test(statement)
      ? "the release before writes rows without this column: give it a DEFAULT"
      : undefined;
  }
  return "only new tables, indexes, and columns that may be left out keep the release before working";
}

/** Whether a version such as 0.9.1 comes before another, number by number. */
function isEarlier(a: string, b: string): boolean {
  if (![a, b].every((one) => /^\d+(\.\d+)*$/.test(one))) return false;
  return a.localeCompare(b, "en", { numeric: true }) < 0;
}
