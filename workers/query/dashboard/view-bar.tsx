// The bar under the header of every page that shows a range: which time, compared with what, under which filters, and
// the views that were kept.

import { useState } from "preact/hooks";
import { shareToken } from "./boot.ts";
import { Chips } from "./chips.tsx";
import { late } from "./late.tsx";
import { Range } from "./range.tsx";
import { t } from "./text.ts";

interface ViewBarProps {
  /** What does not hold on the page. */
  readonly without?: "comparison" | "comparison and filters";
}

/** Range, comparison and filters of the view, and the saved ones. */
export function ViewBar({ without }: ViewBarProps) {
  const hasFilters = without !== "comparison and filters";
  return (
    <section class="bar-row" aria-label={hasFilters ? `${t("range")}, ${t("filters")}` : t("range")}>
      <Range isAlone={without !== undefined} />
      {hasFilters && <Chips />}
      {hasFilters && shareToken === undefined && <SavedViews />}
    </section>
  );
}

const Views = late(() => import("./parts/views/part.tsx"));

/** The button of the saved views; what it opens comes when it is opened. */
function SavedViews() {
  const [isOpen, setOpen] = useState(false);
  return (
    <span class="saved">
      <button type="button" popovertarget="views" aria-haspopup="dialog">
        {t("views")} <span aria-hidden="true">▾</span>
      </button>
      <div
        id="views"
        popover="auto"
        role="dialog"
        aria-label={t("views")}
        class="menu views-menu"
        onToggle={(event) => setOpen((event as unknown as ToggleEvent).newState === "open")}
      >
        {isOpen && <Views />}
      </div>
    </span>
  );
}
