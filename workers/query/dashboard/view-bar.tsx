// The bar under the header of every page that shows a range: which time, compared with what, under which filters.

import { Chips } from "./chips.tsx";
import { Range } from "./range.tsx";
import { t } from "./text.ts";

interface ViewBarProps {
  /** What does not hold on the page. */
  readonly without?: "comparison" | "comparison and filters";
}

/** Range, comparison and filters of the view. */
export function ViewBar({ without }: ViewBarProps) {
  const hasFilters = without !== "comparison and filters";
  return (
    <section class="bar-row" aria-label={hasFilters ? `${t("range")}, ${t("filters")}` : t("range")}>
      <Range isAlone={without !== undefined} />
      {hasFilters && <Chips />}
    </section>
  );
}
