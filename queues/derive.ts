// What a seal derives of each merchant while it writes the Day's files (SCN-10). It only saves time later, so it keeps
// no Day from being sealed: what is too large to be derived, or cannot be, is left out, and questions read the rows.

import { type ColumnBlock, joinBlocks, numbersOf, textAt, textsOf } from "../core/archive/event-columns.ts";
import { DERIVED_LINES_MAX, DERIVED_ROWS_MAX, DERIVED_TEXT_MAX } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import { actOf } from "../core/order.ts";
import { causeOf } from "../core/outcome.ts";
import { isMovedDay } from "../core/past-zone.ts";
import { derive, derivedUnder } from "../core/query/derived.ts";
import type { SeenUnder } from "../core/query/seen.ts";
import { dateOf } from "../core/time.ts";
import { encodeDerived } from "../storage/archive/derived-file.ts";
import type { DerivedBytes } from "../storage/archive/sealed-file.ts";
import type { SealPlace } from "../storage/ledger/sealed-day.ts";

/** The rows of one merchant, as long as they are few enough to be derived. */
export class MerchantRows {
  #blocks: ColumnBlock[] | undefined = [];
  #count = 0;
  #characters = 0;
  #lines = 0;

  add(block: ColumnBlock): void {
    if (this.#blocks === undefined) return;
    this.#count += block.count;
    this.#characters += charactersOf(block);
    this.#lines += linesOf(block);
    const isMuch = this.#count > DERIVED_ROWS_MAX || this.#characters > DERIVED_TEXT_MAX;
    if (isMuch || this.#lines > DERIVED_LINES_MAX) this.#blocks = undefined;
    else this.#blocks.push(block);
  }

  /** Undefined where nothing is derived. */
  derive({ day, partition }: SealPlace, under: SeenUnder, { log }: { readonly log: Log }): DerivedBytes | undefined {
    const { settings } = under;
    if (this.#blocks === undefined || this.#count === 0 || isMovedDay(settings, day)) return undefined;
    try {
      const rows = derive(joinBlocks(this.#blocks, { isOnce: true }), day, under);
      const bytes = encodeDerived(rows);
      return bytes && { bytes, under: derivedUnder(under, day) };
    } catch (error) {
      const { merchant } = settings;
      log({ event: "seal_not_derived", day: dateOf(day), partition, merchant, reason: causeOf(error) });
      return undefined;
    }
  }
}

function charactersOf({ texts }: ColumnBlock): number {
  let characters = 0;
  for (const column of texts) for (const text of column?.values ?? []) characters += text.length;
  return characters;
}

/** How many lines its orders have, about: one text of fifty products may stand in every row. */
function linesOf(block: ColumnBlock): number {
  const products = textsOf(block, "products");
  const counts = products.values.map((text) => text.split("{").length - 1);
  let lines = 0;
  for (let row = 0; row < block.count; row++) {
    const own = counts[products.codes[row] as number] as number;
    if (own > 0 && isSale(block, row)) lines += own;
  }
  return lines;
}

function isSale(block: ColumnBlock, row: number): boolean {
  const [name, order, products] = (["name", "order", "products"] as const).map((field) =>
    textAt(textsOf(block, field), row),
  ) as [string, string, string];
  const act = actOf({ name, order, products, revenue: numbersOf(block, "revenue")[row] as number });
  return act !== "none" && act !== "step";
}
