// What a part of the page shows beside numbers, or in place of them: that it failed, that it is being
// read, that there is nothing.

import type { ComponentChildren } from "preact";
import { shareToken } from "./boot.ts";
import { askAgain, go, type Part, view } from "./store.ts";
import { t } from "./text.ts";

/** A part's own trouble, in the API's words. What all parts share is said once, above them (Notice). */
export function Trouble({ part }: { readonly part: Part | undefined }) {
  const { failure, job } = part ?? {};
  if (job !== undefined) {
    const { all = 0, done = 0 } = job.parts ?? {};
    return (
      <p class="trouble" role="status">
        {all > 0 ? t("job", { all, done }) : t("jobStart")}{" "}
        <progress max={all || 1} value={done} aria-label={t("jobStart")} />
      </p>
    );
  }
  if (failure?.why === "signed out" && shareToken !== undefined) return <p class="trouble">{t("shareGone")}</p>;
  if (failure === undefined || (failure.why !== "refused" && failure.why !== "failed")) return null;
  return (
    <p class="trouble" role="alert">
      {failure.message || t("failed")}{" "}
      <button type="button" onClick={askAgain}>
        {t("tryAgain")}
      </button>
    </p>
  );
}

/** Nothing was found: which filters are in the way, and a way to take them off. */
export function Nothing({ children }: { readonly children?: ComponentChildren }) {
  const isFiltered = view.value.filters.length > 0;
  return (
    <div class="nothing">
      <p>{isFiltered ? t("emptyFiltered") : t("empty")}</p>
      {children}
      {isFiltered && (
        <button type="button" onClick={() => go({ filters: [] })}>
          {t("clearFilters")}
        </button>
      )}
    </div>
  );
}
