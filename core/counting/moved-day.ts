// A Day whose merchant got another zone for the past. Its events lie in the folders of several Days, among other
// events. Rows come folder after folder, and each row is asked whether it belongs to the Day. An id counts once in its
// folder, as a seal would keep it, and then once in the Day. So it makes no difference whether a folder was sealed
// before it is read.

import type { Event } from "../event.ts";
import type { HashKey } from "../keyed-hash.ts";
import type { Settings, ZonePeriod } from "../merchant.ts";
import { shownDay, shownZones } from "../past-zone.ts";
import { duplicateKey, IdSet } from "./duplicate.ts";

export class MovedDay {
  readonly day: number;
  readonly #filed: readonly ZonePeriod[];
  readonly #shown: readonly ZonePeriod[];
  #folder = Number.NaN;
  readonly #idKey: HashKey;
  #inFolder: IdSet;
  readonly #taken: IdSet;

  constructor(settings: Pick<Settings, "zones" | "past">, day: number, idKey: HashKey) {
    this.day = day;
    this.#idKey = idKey;
    this.#inFolder = new IdSet(idKey);
    this.#taken = new IdSet(idKey);
    this.#filed = settings.zones;
    this.#shown = shownZones(settings);
  }

  /** Whether the next row belongs to the Day and is the first of its id. Erased rows must not be passed. */
  takes(event: Pick<Event, "id" | "keyed" | "timestamp" | "dropped">): boolean {
    const { timestamp } = event;
    const folder = shownDay(this.#filed, timestamp);
    if (folder !== this.#folder) {
      this.#folder = folder;
      this.#inFolder = new IdSet(this.#idKey);
    }
    const isShown = shownDay(this.#shown, timestamp) === this.day;
    if (event.dropped === "duplicate") return isShown; // another story under an id: it is kept as what it is
    const key = duplicateKey(event);
    return this.#inFolder.add(key) && isShown && this.#taken.add(key);
  }
}
