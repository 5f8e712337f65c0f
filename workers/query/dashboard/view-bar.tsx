// The bar under the header of every page that shows a range: which time, compared with what, under which filters.

import { Chips } from "./chips.tsx";
import { Range } from "./range.tsx";
import { t } from "./text.ts";

/** Range, comparison and filters of the view. */
export function ViewBar() {
  return (
    <section class="bar-row" aria-label={`${t("range")}, ${t("filters")}`}>
      <Range />
      <Chips />
    </section>
  );
}
