// What askers and merchants may still spend on questions in this isolate (core/query/budget.ts). A single question is
// bounded. A hundred questions of one asker must be bounded too, since an isolate would count them one after the other
// while everybody waits. A purse holds a fixed amount when it is full, and fills every second. Each isolate has purses
// of its own, because its time is what askers share.

import {
  ASKER_READS_MAX,
  ASKER_READS_PER_SECOND,
  ASKER_STEPS_MAX,
  ASKER_STEPS_PER_SECOND,
  AUDIT_BYTES_MAX,
  AUDIT_BYTES_PER_SECOND,
  GUEST_AT_ONCE_SHARE,
  GUEST_PER_SECOND_SHARE,
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
  PROOF_LOOKS_MAX,
  PROOF_LOOKS_PER_SECOND,
  PURSES_KEPT_MAX,
} from "../../core/limits.ts";
import type { Purse } from "../../core/query/budget.ts";

export interface KeptPurse extends Purse {
  /** How much the purse holds when it is full. */
  readonly size: number;
  /** When it was last filled, UTC ms. */
  filledAt: number;
  /** How many events partitions read for the last question that was paid from it. */
  looked: number;
}

interface Size {
  readonly steps: number;
  readonly perSecond: number;
}

/** The size of an asker's purse, and of the purse of all askers of a merchant. */
interface Sizes {
  readonly asker: Size;
  readonly merchant: Size;
}

const OF_STEPS: Sizes = {
  asker: { steps: ASKER_STEPS_MAX, perSecond: ASKER_STEPS_PER_SECOND },
  merchant: { steps: MERCHANT_STEPS_MAX, perSecond: MERCHANT_STEPS_PER_SECOND },
};

/** The purses for events that are read. Steps for what is done with the events are paid separately. */
export const OF_READS: Sizes = {
  asker: { steps: ASKER_READS_MAX, perSecond: ASKER_READS_PER_SECOND },
  merchant: { steps: 2 * ASKER_READS_MAX, perSecond: 2 * ASKER_READS_PER_SECOND },
};

/** The purses for bytes in the audit log. They are the merchant's, whichever of its people acts. */
export const OF_AUDIT: Sizes = {
  asker: { steps: AUDIT_BYTES_MAX, perSecond: AUDIT_BYTES_PER_SECOND },
  merchant: { steps: AUDIT_BYTES_MAX, perSecond: AUDIT_BYTES_PER_SECOND },
};

/** The purses for judging passwords, in microseconds. The asker is a kind of browser, and the merchant is nobody. */
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

/** The purses for signing in. The asker is a member. */
export const OF_SIGN_INS: Sizes = {
  asker: { steps: MEMBER_SIGN_INS_MAX, perSecond: MEMBER_SIGN_INS_PER_SECOND },
  merchant: { steps: MERCHANT_SIGN_INS_MAX, perSecond: MERCHANT_SIGN_INS_PER_SECOND },
};

/** The purses for looking whether a hostname is proven. They are the merchant's, whichever of its people asks. */
export const OF_PROOFS: Sizes = {
  asker: { steps: PROOF_LOOKS_MAX, perSecond: PROOF_LOOKS_PER_SECOND },
  merchant: { steps: PROOF_LOOKS_MAX, perSecond: PROOF_LOOKS_PER_SECOND },
};

export interface PurseHolder {
  readonly asker: string;
  readonly merchant: number;
  /**
   * Whether the asker is a share link. A merchant's share links have smaller purses of their own, so that none of them
   * empties the merchant's.
   */
  readonly isShared?: boolean;
  /**
   * Which guest of a share link asks, by address. Each has a small purse beneath that of the link, so that none uses up
   * what others need. Undefined where it is not known.
   */
  readonly guest?: string | undefined;
}

export class PurseMemory {
  readonly #purses = new Map<string, KeptPurse>();
  /** Those of guests, apart from the others: whoever has many addresses makes an isolate forget other guests alone. */
  readonly #guests = new Map<string, KeptPurse>();
  readonly #sizes: Sizes;

  constructor(sizes: Sizes = OF_STEPS) {
    this.#sizes = sizes;
  }

  /** The purses that pay for a question now: the asker's, the merchant's and, through a share link, the guest's. */
  of({ asker, merchant, isShared = false, guest }: PurseHolder, now: number): readonly KeptPurse[] {
    const { asker: ofAsker, merchant: ofMerchant } = this.#sizes;
    const purses = this.#purses;
    if (!isShared) {
      const all = `merchant ${merchant}`;
      return [filledOf(purses, asker, ofAsker, now), filledOf(purses, all, ofMerchant, now)];
    }
    const ofLink = shareOf(ofAsker);
    const shared = [
      filledOf(purses, asker, ofLink, now),
      filledOf(purses, `links of merchant ${merchant}`, shareOf(ofMerchant), now),
    ];
    if (guest === undefined) return shared;
    return [...shared, filledOf(this.#guests, `${asker} ${guest}`, guestShareOf(ofLink), now)];
  }
}

/** A purse with what it has gained since it was filled last. */
function filledOf(purses: Map<string, KeptPurse>, key: string, { steps, perSecond }: Size, now: number): KeptPurse {
  const purse = purses.get(key) ?? { size: steps, left: steps, filledAt: now, looked: 0 };
  const gained = Math.floor(Math.max(0, ((now - purse.filledAt) * perSecond) / 1_000));
  // A purse may fill more slowly than it is looked at. So `filledAt` stays until it has gained something.
  if (gained > 0 || purse.left >= steps) purse.filledAt = now;
  purse.left = Math.min(steps, purse.left + gained);
  purses.delete(key); // a used purse moves to the end: the first entry is the one unused for longest
  purses.set(key, purse);
  const [oldest] = purses.keys();
  if (purses.size > PURSES_KEPT_MAX && oldest !== undefined) purses.delete(oldest);
  return purse;
}

/**
 * Takes the same amount from each of these purses. False if a purse does not hold it. Then nothing is taken from any.
 */
export function takeFrom(purses: readonly KeptPurse[], steps: number): boolean {
  if (purses.some(({ left }) => left < steps)) return false;
  for (const purse of purses) purse.left -= steps;
  return true;
}

function guestShareOf({ steps, perSecond }: Size): Size {
  return { steps: steps * GUEST_AT_ONCE_SHARE, perSecond: perSecond * GUEST_PER_SECOND_SHARE };
}

function shareOf({ steps, perSecond }: Size): Size {
  return { steps: steps / LINK_STEPS_SHARE, perSecond: perSecond / LINK_STEPS_SHARE };
}
