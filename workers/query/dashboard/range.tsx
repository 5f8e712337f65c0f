// Which time is shown and what it is compared with: a menu of ranges, a calendar for any two days, steps to
// the period before and after.

import { useEffect, useRef, useState } from "preact/hooks";
import { addDays, COMPARISONS, type Comparison, type Dates, daysOf, RANGES, type View } from "./address.ts";
import { go, parts, shop, view } from "./store.ts";
import { dates, locale, named, t } from "./text.ts";

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

/** The range in words and dates, its menu, and the comparison unless it is alone. */
export function Range({ isAlone }: { readonly isAlone: boolean }) {
  const menu = useRef<HTMLDivElement>(null);
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
        <button type="button" aria-label={t("rangeAfter")} disabled={isLast} onClick={() => step(1)}>
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
      <div id="range" popover="auto" ref={menu} role="dialog" aria-label={t("range")} class="menu range-menu">
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
        <Calendar shown={shown} choose={choose} />
      </div>
    </div>
  );
}

/** A month of days. The first one chosen is one end of the range, the second the other. */
function Calendar({ shown, choose }: { readonly shown: Dates | undefined; readonly choose: (dates: Dates) => void }) {
  const last = today();
  const [at, setAt] = useState(shown?.[1] ?? last);
  const [first, setFirst] = useState<string>();
  const grid = useRef<HTMLTableElement>(null);
  const isMoving = useRef(false);
  const month = `${at.slice(0, 8)}01`;
  const weekday = (date: string) => (new Date(`${date}T00:00Z`).getUTCDay() + 6) % 7;
  const start = addDays(month, -weekday(month));
  const [from, to] = first === undefined ? (shown ?? ["", ""]) : [first, first];
  useEffect(() => {
    if (isMoving.current) grid.current?.querySelector<HTMLElement>("button[tabindex='0']")?.focus();
    isMoving.current = false;
  }, [at]);
  const turn = (months: number) => {
    const next = new Date(`${month}T00:00Z`);
    next.setUTCMonth(next.getUTCMonth() + months);
    const moved = next.toISOString().slice(0, 10);
    setAt(moved > last ? last : moved);
  };
  const pick = (date: string) => {
    if (first === undefined) return setFirst(date);
    setFirst(undefined);
    return choose(first < date ? [first, date] : [date, first]);
  };
  const key = (event: KeyboardEvent) => {
    const isLeftward = getComputedStyle(event.currentTarget as HTMLElement).direction === "rtl" ? -1 : 1;
    const moves: Record<string, number> = {
      ArrowLeft: -isLeftward,
      ArrowRight: isLeftward,
      ArrowUp: -7,
      ArrowDown: 7,
      Home: -weekday(at),
      End: 6 - weekday(at),
      PageUp: -28,
      PageDown: 28,
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const moved = addDays(at, move);
    isMoving.current = true;
    setAt(moved > last ? last : moved);
  };
  const format = (options: Intl.DateTimeFormatOptions, date: string) =>
    new Intl.DateTimeFormat(locale, { ...options, timeZone: "UTC" }).format(new Date(`${date}T00:00Z`));
  const week = [0, 1, 2, 3, 4, 5, 6];
  return (
    <fieldset class="calendar">
      <legend>{first === undefined ? t("calendarFrom") : t("calendarTo")}</legend>
      <div class="months">
        <button type="button" aria-label={t("monthBefore")} onClick={() => turn(-1)}>
          <span class="arrow">‹</span>
        </button>
        <strong aria-live="polite">{format({ month: "long", year: "numeric" }, at)}</strong>
        <button
          type="button"
          aria-label={t("monthAfter")}
          disabled={at.slice(0, 7) >= last.slice(0, 7)}
          onClick={() => turn(1)}
        >
          <span class="arrow">›</span>
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a calendar is a grid of buttons */}
      <table role="grid" ref={grid} onKeyDown={key} aria-label={t("calendar")}>
        <thead>
          <tr>
            {week.map((day) => (
              <th key={day} scope="col" abbr={format({ weekday: "long" }, addDays(start, day))}>
                {format({ weekday: "narrow" }, addDays(start, day))}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[0, 1, 2, 3, 4, 5].map((row) => (
            <tr key={row}>
              {week.map((day) => {
                const date = addDays(start, row * 7 + day);
                const isOther = date.slice(0, 7) !== at.slice(0, 7);
                return (
                  <td key={date} class={isOther ? "other" : date >= from && date <= to ? "within" : undefined}>
                    <button
                      type="button"
                      tabIndex={date === at ? 0 : -1}
                      aria-label={format({ dateStyle: "full" }, date)}
                      aria-pressed={date >= from && date <= to}
                      disabled={date > last}
                      onClick={() => pick(date)}
                    >
                      {Number(date.slice(8))}
                    </button>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </fieldset>
  );
}
