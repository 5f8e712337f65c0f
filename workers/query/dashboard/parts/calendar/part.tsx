// The calendar of the range's menu.

import { useEffect, useRef, useState } from "preact/hooks";
import { addDays, type Dates } from "../../address.ts";
import { today } from "../../range.tsx";
import { locale, speak } from "../../text.ts";
import texts from "./text.ts";

const { t } = speak(texts);

/** The day that a week begins with where numbers and dates are written so: 1 is Monday, 7 Sunday. */
const FIRST_WEEKDAY = (new Intl.Locale(locale) as WithWeeks).getWeekInfo?.().firstDay ?? 1;
/** What browsers of the last years have, and the type does not. */
type WithWeeks = Intl.Locale & { readonly getWeekInfo?: () => { readonly firstDay: number } };

interface CalendarProps {
  /** What is shown now. */
  readonly shown: Dates | undefined;
  readonly choose: (dates: Dates) => void;
}

/** A month of days. The first one chosen is one end of the range, the second the other. */
export default function Calendar({ shown, choose }: CalendarProps) {
  const last = today();
  const [at, setAt] = useState(shown?.[1] ?? last);
  const [first, setFirst] = useState<string>();
  const grid = useRef<HTMLTableElement>(null);
  const isMoving = useRef(false);
  const month = `${at.slice(0, 8)}01`;
  const weekday = (date: string) => (new Date(`${date}T00:00Z`).getUTCDay() - FIRST_WEEKDAY + 7) % 7;
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
  const isLast = at.slice(0, 7) >= last.slice(0, 7);
  return (
    <fieldset class="calendar">
      <legend>{first === undefined ? t("calendarFrom") : t("calendarTo")}</legend>
      <div class="months">
        <button type="button" aria-label={t("monthBefore")} onClick={() => turn(-1)}>
          <span class="arrow">‹</span>
        </button>
        <strong aria-live="polite">{format({ month: "long", year: "numeric" }, at)}</strong>
        <button type="button" aria-label={t("monthAfter")} aria-disabled={isLast} onClick={() => !isLast && turn(1)}>
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
