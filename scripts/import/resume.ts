// Where an import stands, so that it can go on after an interruption. Requests finish in any order, so the place is the
// last line before which everything is settled; what lies after it is sent again and, having the same ids, counts
// nothing twice. The file beside the import keeps one place per destination, and the salt for all of them.

/** A place in a file: how many lines, and the digest of them, by which a file that has changed is noticed. */
export interface Place {
  readonly line: number;
  readonly chain: string;
}

export interface ResumeState {
  /** Salts the visitors made from addresses. The same on every run, or one visitor would become two. */
  readonly salt: string;
  /** By destination: collector and tracking ID. */
  readonly places: Readonly<Record<string, Place>>;
}

/** Reads what an earlier run wrote; undefined when it is not that. */
export function decodeResume(text: string): ResumeState | undefined {
  try {
    const value = JSON.parse(text) as ResumeState;
    const places = Object.values(value.places);
    const sound = places.every(({ line, chain }) => Number.isInteger(line) && typeof chain === "string");
    return typeof value.salt === "string" && value.salt !== "" && sound ? value : undefined;
  } catch {
    return undefined; // damaged by a crash while it was written: starting over is harmless
  }
}

export function encodeResume(state: ResumeState): string {
  return `${JSON.stringify(state, null, 2)}\n`;
}

/** One destination of a file. */
export function destinationOf(collectorUrl: string, trackingId: string): string {
  return `${collectorUrl} ${trackingId}`;
}

/** Batches on their way, in the order of their lines. */
export class Settlement {
  #place: Place;
  readonly #open: { readonly end: Place; settled: boolean }[] = [];

  constructor(start: Place) {
    this.#place = start;
  }

  /** Notes a batch that ends at a place, and gives what to call when it is settled. */
  open(end: Place): () => void {
    const batch = { end, settled: false };
    this.#open.push(batch);
    return () => {
      batch.settled = true;
      while (this.#open[0]?.settled) this.#place = (this.#open.shift() as { end: Place }).end;
    };
  }

  /** The last place before which everything is settled. */
  get place(): Place {
    return this.#place;
  }
}
