// Dates and clock hours of the model, by formatting instants with Intl: nothing of core/time.ts is used.

const formats = new Map<string, Intl.DateTimeFormat>();

/** "2026-10-25 02:30:07". */
export function clockOf(zone: string, instant: number): string {
  let format = formats.get(zone);
  if (format === undefined) {
    const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;
    const date = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
    format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, ...date, ...clock });
    formats.set(zone, format);
  }
  return format.format(instant);
}

export function localDate(zone: string, instant: number): string {
  return clockOf(zone, instant).slice(0, 10);
}

/** The instant at which the local clock hour of an instant began. */
export function hourStart(zone: string, instant: number): number {
  const [, minutes, seconds] = clockOf(zone, instant).slice(11).split(":").map(Number) as [number, number, number];
  return Math.floor(instant / 1000) * 1000 - (minutes * 60 + seconds) * 1000;
}

/** A date so many days after another. */
export function dateAfter(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** The Monday of a date's week. */
export function mondayOf(date: string): string {
  return dateAfter(date, -((new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7));
}
