// Which time is shown and what it is compared with: a menu of ranges, a calendar for any two days, steps to
// the period before and after.

import { useRef, useState } from "preact/hooks";
import { addDays, COMPARISONS, type Comparison, type Dates, daysOf, RANGES, type View } from "./address.ts";
import { late } from "./late.tsx";
import { go, parts, shop, view } from "./store.ts";
import { dates, named, t } from "./text.ts";

/** The dates that the view shows, as the last answer says; they hang on the merchant's zone. */
export function datesShown(): Dates | undefined {
  const { range } = view.value;
  if (typeof range !== "string") return range;
  const told = parts.value["top"]?.answer?.query.date_range;
  return told && [told[0].slice(0, 10), told[1].slice(0, 10)];
}

/** Today in the merchant's zone. */
export function today(): string {
  const timeZone = shop.value?.time_zone ?? "UTC";
  return new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).format();
}

/** As many days before those that are shown, or after. */
export function step(direction: 1 | -1): void {
  const shown = datesShown();
  if (shown === undefined) return;
  const days = daysOf(shown);
  const next: Dates = [addDays(shown[0], direction * days), addDays(shown[1], direction * days)];
  if (next[0] <= today()) go({ range: next });
}

const Calendar = late(() => import("./parts/calendar/part.tsx"));

/** The range in words and dates, its menu, and the comparison unless it is alone. */
export function Range({ isAlone }: { readonly isAlone: boolean }) {
  const menu = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);
  const { range, vs } = view.value;
  const shown = datesShown();
  const choose = (chosen: View["range"]) => {
    go({ range: chosen, by: undefined });
    menu.current?.hidePopover();
  };
  const isLast = shown === undefined || shown[1] >= today();
  return (
    <div class="range">
      <button type="button" popovertarget="range" id="range-button" aria-haspopup="dialog">
        <b>{typeof range === "string" ? named(`range_${range}`) : dates(range[0], range[1])}</b>
        {typeof range === "string" && shown !== undefined && <span class="mute">{dates(shown[0], shown[1])}</span>}
        <span aria-hidden="true">▾</span>
      </button>
      <span class="pair">
        <button type="button" aria-label={t("rangeBefore")} onClick={() => step(-1)}>
          <span class="arrow">‹</span>
        </button>
        <button type="button" aria-label={t("rangeAfter")} aria-disabled={isLast} onClick={() => !isLast && step(1)}>
          <span class="arrow">›</span>
        </button>
      </span>
      {!isAlone && (
        <select
          value={vs}
          disabled={range === "all"}
          onChange={(event) => go({ vs: event.currentTarget.value as Comparison })}
          aria-label={t("compare")}
        >
          {COMPARISONS.map((one) => (
            <option key={one} value={one}>
              {named(`vs_${one}`)}
            </option>
          ))}
        </select>
      )}
      <div
        id="range"
        popover="auto"
        ref={menu}
        role="dialog"
        aria-label={t("range")}
        class="menu range-menu"
        onToggle={(event) => setOpen((event as unknown as ToggleEvent).newState === "open")}
      >
        <ul>
          {RANGES.map((one, index) => (
            <li key={one}>
              <button type="button" aria-pressed={one === range} onClick={() => choose(one)}>
                {named(`range_${one}`)}
                {index < 9 && (
                  <span class="kbd" aria-hidden="true">
                    {index + 1}
                  </span>
                )}
              </button>
            </li>
          ))}
        </ul>
        {isOpen && <Calendar shown={shown} choose={choose} />}
      </div>
    </div>
  );
}
