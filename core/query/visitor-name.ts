// The name of a visitor in numbers over several Days. A visitor who can be recognised has the same name on each Day. A
// visitor of one Day has another name on the next, whatever the id says: with a zone of the past, one id may show on
// two Days (VIS-8). So sets of names from events are as large as those from rollups.

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
