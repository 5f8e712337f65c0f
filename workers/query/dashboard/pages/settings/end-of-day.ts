// When a date ends in a zone. Pure: the tests ask it without a page.

/** UTC ms of the last second of a date, "2026-11-28", where clocks show another time than UTC. */
export function endOfDay(date: string, timeZone: string): number {
  const wanted = Date.parse(`${date}T23:59:59Z`);
  // Clocks may have changed between the first guess and the instant; the second guess is on its side of the change.
  const guess = wanted - aheadOfUtc(wanted, timeZone);
  return wanted - aheadOfUtc(guess, timeZone);
}

/** By how many ms the clocks of a zone are ahead of UTC at an instant. */
function aheadOfUtc(instant: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(instant);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const shown = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
  return shown - Math.floor(instant / 1_000) * 1_000;
}
