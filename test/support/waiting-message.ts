// One message of each kind that may lie in a queue for up to 14 days, and so meet the release after the one that sent
// it: as bytes, made of the same events each time.

import { encodeBundle, encodeLogged } from "../../core/archive/bundle.ts";
import type { Event } from "../../core/event.ts";
import { encodeArrivals } from "../../core/overflow.ts";
import { packBundle } from "../../storage/archive/bundle-message.ts";
import { packOverflow } from "../../storage/overflow-message.ts";
import { eventOf, TUESDAY } from "./events.ts";

export interface WaitingMessages {
  /** base64 */
  readonly archive: string;
  /** base64, sealed under the tests' secret. */
  readonly overflow: string;
  /** The argument of a call of a partition, for as long as Workers of two releases run. */
  readonly append: string;
  readonly replay: unknown;
  readonly seal: unknown;
  readonly question: unknown;
}

/** What seals those that are sealed. */
export const WAITING_SECRET = "test tracking secret";

/** What they carry: a page view, and an order with everything that an event can have. */
export const WAITING_EVENTS: readonly Event[] = [
  eventOf({ id: "waiting 1", visitor: "00000000000000aa" }),
  eventOf({
    id: "waiting 2",
    name: "purchase",
    order: "R-7",
    revenue: 1_999,
    currency: "EUR",
    products: '[{"id":"mug","quantity":2,"price":999}]',
    keyed: 1,
    sequence: 3,
    visitorKind: "known",
    importNumber: 4,
    given: '{"browser":"Firefox"}',
  }),
];

export const WAITING_DAY = Math.floor(TUESDAY / 86_400_000);

export function waitingMessages(): WaitingMessages {
  const rows = WAITING_EVENTS.map((event) => encodeLogged({ day: WAITING_DAY, late: false, event }));
  const bundle = encodeBundle({ partition: "pool-0", first: 1, rows });
  const arrivals = WAITING_EVENTS.map((event) => ({ event, address: "192.0.2.7", floating: false }));
  const parts = [{ partition: "pool-0", arrivals }];
  const overflow = packOverflow({ id: "waiting", parts }, WAITING_SECRET);
  if (overflow === undefined) throw new Error("a message of two events can be packed");
  return {
    archive: Buffer.from(packBundle(bundle)).toString("base64"),
    overflow: Buffer.from(overflow).toString("base64"),
    append: encodeArrivals(arrivals),
    replay: { job: "rpl_1", day: WAITING_DAY, partition: "pool-0" },
    seal: { day: WAITING_DAY, partition: "pool-0" },
    question: { job: "qst_1", part: 0, merchant: 1 },
  };
}
