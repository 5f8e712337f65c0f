// The bar under the header of every page that shows a range: which time, compared with what, under which filters.

import { Chips } from "./chips.tsx";
import { Range } from "./range.tsx";
import { t } from "./text.ts";

/** Range, comparison and filters of the view; the range alone on a page where the others do not hold. */
export function ViewBar({ isRangeAlone }: { readonly isRangeAlone?: boolean }) {
  return (
    <section class="bar-row" aria-label={isRangeAlone ? t("range") : `${t("range")}, ${t("filters")}`}>
      <Range isAlone={isRangeAlone} />
      {!isRangeAlone && <Chips />}
    </section>
  );
}
