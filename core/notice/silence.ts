// The rule for silence: nobody has come for a while, in Hours in which people usually come. The shop decides how long
// that must be. A large shop is told after one silent Hour. A shop with twenty visits a Day may be silent for a night
// and a morning. A fixed number of hours would bother small shops every week.

import { NOTICE_DAYS_COMPARED, SILENCE_DAYS_MIN, SILENCE_VISITORS } from "../limits.ts";
import { HOUR_MS } from "../time.ts";
import type { HourCount } from "./hour-count.ts";

/** What a message about silence says. */
export interface SilenceFinding {
  readonly kind: "silence";
  /** UTC ms at which the first silent Hour began. */
  readonly since: number;
  /** How many Hours without a visitor there were since then. */
  readonly hours: number;
  /** The usual number of visitors in these Hours, and the number of earlier Days that it is known from. */
  readonly usual: number;
  readonly days: number;
}

/** The silence at the end of the last Hour. Undefined where there is none worth a message. */
export function findSilence(hours: readonly HourCount[]): SilenceFinding | undefined {
  const first = hours.findLastIndex(({ visitors }) => visitors > 0) + 1;
  const silent = hours.slice(first);
  const since = silent[0]?.start;
  // Without an earlier visitor nothing has ended.
  if (since === undefined || first === 0) return undefined;
  const days = Math.floor(((hours[first] as HourCount).start - (hours[0] as HourCount).start) / (24 * HOUR_MS));
  if (days < SILENCE_DAYS_MIN) return undefined;
  const means = meansByClock(hours.slice(0, first));
  const usual = silent.reduce((sum, { clock }) => sum + (means.get(clock) ?? 0), 0);
  if (usual < SILENCE_VISITORS) return undefined;
  return { kind: "silence", since, hours: silent.length, usual, days: Math.min(days, NOTICE_DAYS_COMPARED) };
}

/** The median number of visitors of each clock hour on up to 14 Days before the silence. */
function meansByClock(before: readonly HourCount[]): ReadonlyMap<string, number> {
  const counted = new Map<string, { sum: number; of: number }>();
  for (const { clock, visitors } of before.toReversed()) {
    const known = counted.get(clock) ?? { sum: 0, of: 0 };
    if (known.of < NOTICE_DAYS_COMPARED) counted.set(clock, { sum: known.sum + visitors, of: known.of + 1 });
  }
  return new Map([...counted].map(([clock, { sum, of }]) => [clock, sum / of]));
}
