// Bounds how many exports of each merchant run at once in this isolate. Each export reads its Days one after the other.
// Many exports together kept neighbours' questions waiting for seconds. A client may leave in the middle without
// notice, so a seat that is not renewed is free again after EXPORT_LEASE_MS.

import { EXPORT_LEASE_MS, EXPORTS_AT_ONCE_MAX } from "../../core/limits.ts";

/** The seat of one export. Instants are UTC ms. */
export interface ExportSeat {
  /** Says that the export still runs. */
  readonly renew: (now: number) => void;
  readonly leave: () => void;
}

export class ExportMemory {
  /** By merchant: until when each seat is taken. */
  readonly #places = new Map<number, Map<ExportSeat, number>>();

  /** Takes a seat for an export of a merchant. Undefined where all its seats are taken. */
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
