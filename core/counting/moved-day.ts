// A Day whose merchant has got another zone for the past: its events lie in the folders of several Days, among others. Rows come
// folder after folder, and each tells whether it is one of the Day's. An id counts once in its folder, as the seal keeps it
// once there, and then once in the Day: so it makes no difference whether a folder was sealed before it is read.

import type { Event } from "../event.ts";
import type { Settings, ZonePeriod } from "../merchant.ts";
import { shownDay, shownZones } from "../past-zone.ts";
import { IdSet } from "./duplicate.ts";

export class MovedDay {
  readonly day: number;
  readonly #filed: readonly ZonePeriod[];
  readonly #shown: readonly ZonePeriod[];
  #folder = Number.NaN;
  #inFolder = new IdSet();
  readonly #taken = new IdSet();

  constructor(settings: Pick<Settings, "zones" | "past">, day: number) {
    this.day = day;
    this.#filed = settings.zones;
    this.#shown = shownZones(settings);
  }

  /** Whether the next row is the Day's, and the first of its id. Rows that are erased are not shown to it. */
  takes({ id, timestamp }: Pick<Event, "id" | "timestamp">): boolean {
    const folder = shownDay(this.#filed, timestamp);
    if (folder !== this.#folder) {
      this.#folder = folder;
      this.#inFolder = new IdSet();
    }
    return this.#inFolder.add(id) && shownDay(this.#shown, timestamp) === this.day && this.#taken.add(id);
  }
}
