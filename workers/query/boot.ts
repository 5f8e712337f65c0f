// What the server writes into a page's document (page.ts) and the page reads (dashboard/boot.ts). It has only types,
// which both sides share.

/** A shop as its people see it, and what they may do there. */
export interface Shop {
  readonly id: string;
  readonly name: string;
  readonly time_zone: string;
  readonly currency: string;
  readonly role: string;
}

/** What a page knows before its first request. It is in the document as JSON. */
export interface Boot {
  readonly language: string;
  /** The address of the signed-in member. Undefined where nobody is signed in. */
  readonly email?: string;
  /** The shop of the page's address first. Not all shops if there are many. */
  readonly shops: readonly Shop[];
  readonly shopsCount: number;
  /** Whether members sign in by Cloudflare Access, so that nothing asks for a password. */
  readonly access: boolean;
  /** True where an operator may sign in by Cloudflare Access. */
  readonly operatorAccess?: true;
  /** The collector's address, such as "https://collector.example". Undefined where no setting names it. */
  readonly collector?: string;
  /** The page that opens first for a shop. */
  readonly start: string;
  /** The region by whose habits numbers and dates are written, such as "AT". Undefined where nobody has chosen one. */
  readonly region?: string;
  /** The available languages, each by what those call it who speak it. */
  readonly languages: readonly (readonly [code: string, name: string])[];
}
