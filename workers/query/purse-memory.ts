// What askers and merchants have left to spend on questions (core/query/budget.ts), in this isolate: what a question
// may take is bounded, and so is what a hundred of them may, which an isolate would else count one after the other
// while everybody waits. A purse holds so much at once, and fills by the second. It is of the isolate, because its time
// is what has to be shared.

import {
  ASKER_READS_MAX,
  ASKER_READS_PER_SECOND,
  ASKER_STEPS_MAX,
  ASKER_STEPS_PER_SECOND,
  AUDIT_BYTES_MAX,
  AUDIT_BYTES_PER_SECOND,
  LINK_STEPS_SHARE,
  MEMBER_SIGN_INS_MAX,
  MEMBER_SIGN_INS_PER_SECOND,
  MERCHANT_SIGN_INS_MAX,
  MERCHANT_SIGN_INS_PER_SECOND,
  MERCHANT_STEPS_MAX,
  MERCHANT_STEPS_PER_SECOND,
  PASSWORD_MICROSECONDS,
  PASSWORDS_AT_ONCE,
  PASSWORDS_PER_SECOND,
  PURSES_KEPT_MAX,
} from "../../core/limits.ts";
import type { Purse } from "../../core/query/budget.ts";

export interface KeptPurse extends Purse {
  /** What it holds when it is full. */
  readonly size: number;
  /** UTC ms. */
  filledAt: number;
  /** What partitions went through for the last question that was paid from it, in events. */
  looked: number;
}

interface Size {
  readonly steps: number;
  readonly perSecond: number;
}

/** What an asker has, and all askers of a merchant. */
interface Sizes {
  readonly asker: Size;
  readonly merchant: Size;
}

const OF_STEPS: Sizes = {
  asker: { steps: ASKER_STEPS_MAX, perSecond: ASKER_STEPS_PER_SECOND },
  merchant: { steps: MERCHANT_STEPS_MAX, perSecond: MERCHANT_STEPS_PER_SECOND },
};

/** Of events that are read, beside the steps of what is asked of them. */
export const OF_READS: Sizes = {
  asker: { steps: ASKER_READS_MAX, perSecond: ASKER_READS_PER_SECOND },
  merchant: { steps: 2 * ASKER_READS_MAX, perSecond: 2 * ASKER_READS_PER_SECOND },
};

/** Of bytes in the audit log: it is the merchant's, whoever of its people acts. */
export const OF_AUDIT: Sizes = {
  asker: { steps: AUDIT_BYTES_MAX, perSecond: AUDIT_BYTES_PER_SECOND },
  merchant: { steps: AUDIT_BYTES_MAX, perSecond: AUDIT_BYTES_PER_SECOND },
};

/** Of judging passwords, in microseconds: the asker is a kind of browser, and the merchant nobody. */
export const OF_PASSWORDS: Sizes = {
  asker: {
    steps: PASSWORDS_AT_ONCE * PASSWORD_MICROSECONDS,
    perSecond: PASSWORDS_PER_SECOND * PASSWORD_MICROSECONDS,
  },
  merchant: {
    steps: 1.5 * PASSWORDS_AT_ONCE * PASSWORD_MICROSECONDS,
    perSecond: 1.5 * PASSWORDS_PER_SECOND * PASSWORD_MICROSECONDS,
  },
};

/** Of signing in: the asker is a member. */
export const OF_SIGN_INS: Sizes = {
  asker: { steps: MEMBER_SIGN_INS_MAX, perSecond: MEMBER_SIGN_INS_PER_SECOND },
  merchant: { steps: MERCHANT_SIGN_INS_MAX, perSecond: MERCHANT_SIGN_INS_PER_SECOND },
};

export interface PurseHolder {
  readonly asker: string;
  readonly merchant: number;
  /**
   * Whether it is a share link: those of a merchant have smaller purses of their own, so that none of
   * them empties the merchant's.
   */
  readonly isShared?: boolean;
}

export class PurseMemory {
  readonly #purses = new Map<string, KeptPurse>();
  readonly #sizes: Sizes;

  constructor(sizes: Sizes = OF_STEPS) {
    this.#sizes = sizes;
  }

  /** What pays for a question that is asked now: the asker's purse, and the merchant's. */
  of({ asker, merchant, isShared = false }: PurseHolder, now: number): readonly KeptPurse[] {
    const all = isShared ? `links of merchant ${merchant}` : `merchant ${merchant}`;
    const sized = (size: Size) => (isShared ? shareOf(size) : size);
    return [this.#filled(asker, sized(this.#sizes.asker), now), this.#filled(all, sized(this.#sizes.merchant), now)];
  }

  #filled(key: string, { steps, perSecond }: Size, now: number): KeptPurse {
    const purse = this.#purses.get(key) ?? { size: steps, left: steps, filledAt: now, looked: 0 };
    const gained = Math.floor(Math.max(0, ((now - purse.filledAt) * perSecond) / 1_000));
    // What fills slower than it is looked at is filled all the same.
    if (gained > 0 || purse.left >= steps) purse.filledAt = now;
    purse.left = Math.min(steps, purse.left + gained);
    this.#purses.delete(key); // one that is used goes to the end: the first entry has not been used longest
    this.#purses.set(key, purse);
    const [oldest] = this.#purses.keys();
    if (this.#purses.size > PURSES_KEPT_MAX && oldest !== undefined) this.#purses.delete(oldest);
    return purse;
  }
}

/** Takes as much from each of these purses; false where one of them does not hold it, and nothing is taken. */
export function takeFrom(purses: readonly KeptPurse[], steps: number): boolean {
  if (purses.some(({ left }) => left < steps)) return false;
  for (const purse of purses) purse.left -= steps;
  return true;
}

function shareOf({ steps, perSecond }: Size): Size {
  return { steps: steps / LINK_STEPS_SHARE, perSecond: perSecond / LINK_STEPS_SHARE };
}
