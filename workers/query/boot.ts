// What the server says in a page's document (page.ts) and the page reads there (dashboard/boot.ts). Types
// alone, which both sides share.

/** A shop as its people see it, with what they may do there. */
export interface Shop {
  readonly id: string;
  readonly name: string;
  readonly time_zone: string;
  readonly currency: string;
  readonly role: string;
}

/** What a page knows before it asks anything; in the document as JSON. */
export interface Boot {
  readonly language: string;
  /** Undefined where nobody is signed in. */
  readonly email?: string;
  /** The one of the address first; not all of them, where they are many. */
  readonly shops: readonly Shop[];
  readonly shopsCount: number;
  /** Whether Cloudflare Access signs in, and nothing asks for a password. */
  readonly access: boolean;
  /** True where Cloudflare Access may say that an operator is there. */
  readonly operatorAccess?: true;
  /** Where the collector answers, "https://collector.example"; undefined where nobody has said. */
  readonly collector?: string;
  /** The page that a shop opens with. */
  readonly start: string;
  /** Of which numbers and dates are written as there, "AT"; undefined where nobody has chosen. */
  readonly region?: string;
  /** Codes of the languages there are. */
  readonly languages: readonly string[];
}
