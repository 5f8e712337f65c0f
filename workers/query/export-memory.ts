// How many exports of each merchant go on at once in this isolate. Each reads its Days one after the other, and all of
// them together kept neighbours' questions waiting for seconds. A client may go away in the middle without a word, so a
// place that nobody renews is free again after EXPORT_LEASE_MS.

import { EXPORT_LEASE_MS, EXPORTS_AT_ONCE_MAX } from "../../core/limits.ts";

/** The seat of one export. Instants are UTC ms. */
export interface ExportSeat {
  /** It goes on. */
  readonly renew: (now: number) => void;
  readonly leave: () => void;
}

export class ExportMemory {
  /** By merchant: until when each place is taken. */
  readonly #places = new Map<number, Map<ExportSeat, number>>();

  /** A place for an export of a merchant; undefined while as many as may be go on. */
  take(merchant: number, now: number): ExportSeat | undefined {
    const places = this.#places.get(merchant) ?? new Map<ExportSeat, number>();
    for (const [place, until] of places) if (until <= now) places.delete(place);
    if (places.size >= EXPORTS_AT_ONCE_MAX) return undefined;
    const place: ExportSeat = {
      renew: (at) => void places.set(place, at + EXPORT_LEASE_MS),
      leave: () => {
        places.delete(place);
        if (places.size === 0 && this.#places.get(merchant) === places) this.#places.delete(merchant);
      },
    };
    place.renew(now);
    this.#places.set(merchant, places);
    return place;
  }
}
