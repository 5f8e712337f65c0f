// The name of a visitor in numbers over several Days. A visitor who can be recognised has the same name on each Day. A
// visitor of one Day has another name on the next, whatever the id says: with a zone of the past, one id may show on
// two Days (VIS-8). So sets of names from events are as large as those from rollups.

import { hex32 } from "../hash.ts";
import { PairCodes } from "../pair-codes.ts";

/** Digits of an id. A longer name belongs to one Day. */
const ID_LENGTH = 16;

interface VisitorOfDay {
  /** As events have it. */
  readonly id: string;
  readonly day: number;
  readonly isKnown: boolean;
}

/** Such as "0123456789abcdef", or "0123456789abcdef 20500". */
export function visitorName({ id, day, isKnown }: VisitorOfDay): string {
  return isKnown ? id : `${id} ${day}`;
}

/** Whether a visitor with this name may be there on another Day as well. */
export function isKnownName(name: string): boolean {
  return name.length <= ID_LENGTH;
}

/** Two words of 32 bits, the first of which comes first in the name. */
type IdWords = readonly [high: number, low: number];

/** The words of an id of 16 hex digits; undefined for any other text. */
export function wordsOfId(id: string): IdWords | undefined {
  if (!/^[0-9a-f]{16}$/.test(id)) return undefined;
  return [Number.parseInt(id.slice(0, 8), 16) | 0, Number.parseInt(id.slice(8), 16) | 0];
}

export function idOfWords(high: number, low: number): string {
  return hex32(high) + hex32(low);
}

/** In the place of a Day for a visitor who can be recognised on each. */
const EVERY_DAY = -1;

/**
 * Names of visitors as numbers, from 0 on in the order in which they came. A name is kept as the words of its id and
 * its Day: as a text it would take three times the memory, and several times as long to be looked up.
 */
export class VisitorNames {
  readonly #seed: number;
  /** By Day: the codes of pairs of words, and the number of each. */
  readonly #known = new Map<number, { readonly pairs: PairCodes; readonly numbers: number[] }>();
  readonly #highs: number[] = [];
  readonly #lows: number[] = [];
  readonly #days: number[] = [];
  /** Names that are made of no such words. */
  readonly #others = new Map<string, number>();
  readonly #texts = new Map<number, string>();

  constructor(seed = 0) {
    this.#seed = seed;
  }

  /** The number of a name. */
  numberOf(name: string): number {
    const [, id = "", day] = /^([0-9a-f]{16})(?: (\d+))?$/.exec(name) ?? [];
    const words = wordsOfId(id);
    if (words !== undefined) return this.numberOfId(words[0], words[1], day === undefined ? undefined : Number(day));
    const known = this.#others.get(name);
    if (known !== undefined) return known;
    const number = this.#add(0, 0, EVERY_DAY);
    this.#others.set(name, number);
    this.#texts.set(number, name);
    return number;
  }

  /** The number of the name of a visitor on a Day, or of one who is the same on each. */
  numberOfId(high: number, low: number, day: number = EVERY_DAY): number {
    let known = this.#known.get(day);
    if (known === undefined) {
      known = { pairs: new PairCodes(this.#seed), numbers: [] };
      this.#known.set(day, known);
    }
    const code = known.pairs.codeOf(high, low);
    if (code === known.numbers.length) known.numbers.push(this.#add(high, low, day));
    return known.numbers[code] as number;
  }

  nameOf(number: number): string {
    const text = this.#texts.get(number);
    if (text !== undefined) return text;
    const id = idOfWords(this.#highs[number] as number, this.#lows[number] as number);
    const day = this.#days[number] as number;
    return day === EVERY_DAY ? id : visitorName({ id, day, isKnown: false });
  }

  #add(high: number, low: number, day: number): number {
    this.#highs.push(high);
    this.#lows.push(low);
    return this.#days.push(day) - 1;
  }
}
