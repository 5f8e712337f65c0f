// What a visitor is called where visitors of several Days are told apart. One that can be known again is the same on
// each of them; one that lives a Day is somebody else on the next, whatever its id says: a zone of the past may show
// what it did, under one id, on two Days (VIS-8). Sets of names from events are then of the size that rollups come to.

/** Digits of an id. A longer name is of one Day. */
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

/** Whether who is called so may be there on another Day as well. */
export function isKnownName(name: string): boolean {
  return name.length <= ID_LENGTH;
}
