// Turns a draft into an arrival. It makes an id if the draft has none, hashes the visitor's id, and decides which of
// the sender's claims to believe. The fields are written out one by one, because copies of objects of thirty fields
// were a tenth of a hit's garbage.

import { type Arrival, type Event, FIELDS, NO_FACTS } from "../../core/event.ts";
import { isNetworkAddress } from "../../core/formats/network-address.ts";
import type { Draft, Format } from "../../core/hit.ts";
import { ENGAGEMENT_KEYLESS_MS_MAX, EVENT_BYTES_MAX } from "../../core/limits.ts";
import { spellAddress } from "../../core/network.ts";
import { accepted, type Outcome, rejected } from "../../core/outcome.ts";
import { type VisitorKeys, visitorOf } from "../../storage/visitor-key.ts";
import type { Client } from "./client.ts";
import { newEventId } from "./event-id.ts";
import type { Sender } from "./sender.ts";

export interface Resolved {
  readonly sender: Sender;
  readonly client: Client;
  readonly format: Format;
  /** The index of the event in the request. */
  readonly sequence: number;
  readonly visitors: VisitorKeys;
}

export function toArrival(draft: Draft, resolved: Resolved): Outcome<Arrival> {
  const event = toEvent(draft, resolved);
  const size = mayBeTooLarge(event) ? JSON.stringify(event).length : 0;
  if (size > EVENT_BYTES_MAX) {
    return rejected(
      "event_too_large",
      `the event takes ${size} bytes; at most ${EVENT_BYTES_MAX} are allowed, send fewer props`,
    );
  }
  const { sender, client } = resolved;
  const address = sender.keyed && isNetworkAddress(draft.claimedAddress) ? draft.claimedAddress : client.address;
  const floating = draft.id !== "" && draft.timestamp === undefined;
  return accepted({ event, address: spellAddress(address), floating });
}

function toEvent(draft: Draft, resolved: Resolved): Event {
  const event = ownEvent(draft, resolved);
  // An import from another Footfall brings what the other Footfall archived of the event.
  return resolved.sender.keyed && draft.exported !== undefined ? { ...event, ...draft.exported } : event;
}

function ownEvent(draft: Draft, { sender, client, format, sequence, visitors }: Resolved): Event {
  const { merchant, stream, keyed } = sender;
  const { visitorId } = draft;
  const timestamp = draft.timestamp ?? client.receivedAt;
  const { asn, verifiedBot, hints, purpose } = keyed ? UNSEEN : client.facts;
  const { country, region, city } = keyed ? draft : client.facts;
  return {
    merchant,
    stream,
    id: draft.id || newEventId(),
    name: draft.name,
    timestamp,
    receivedAt: client.receivedAt,
    visitor: visitorId === "" ? "" : visitorOf(visitors, { merchant, id: visitorId }, timestamp),
    format: format.name,
    url: draft.url,
    referrer: draft.referrer,
    title: draft.title,
    userAgent: (keyed && draft.claimedUserAgent) || draft.userAgent,
    language: draft.language,
    screen: draft.screen,
    country,
    region,
    city,
    props: draft.props,
    revenue: draft.revenue,
    currency: draft.currency,
    engagementMs: keyed ? draft.engagementMs : Math.min(draft.engagementMs, ENGAGEMENT_KEYLESS_MS_MAX),
    scroll: draft.scroll,
    dropped: "",
    asn,
    verifiedBot,
    hints,
    excluded: "",
    order: draft.order,
    products: draft.products,
    keyed: keyed ? 1 : 0,
    sequence,
    visitorKind: visitorId === "" ? "" : "known",
    passive: draft.passive,
    purpose,
    fragment: draft.fragment,
    importNumber: draft.importNumber,
    given: draft.given,
  };
}

/**
 * Whether an event may be too large. JSON takes at most six bytes for a character. So an event with few characters is
 * not written out to be measured.
 */
function mayBeTooLarge(event: Event): boolean {
  let length = EVENT_FRAME_LENGTH;
  for (const { name } of FIELDS) {
    const value = event[name];
    if (typeof value === "string") length += value.length;
  }
  return length * 6 > EVENT_BYTES_MAX;
}

/** More characters than the names, numbers and punctuation of an event take in JSON. */
const EVENT_FRAME_LENGTH = 700;

/**
 * The facts of a hit that a merchant's server sends. The platform sees the server's connection, not the visitor's, so
 * its facts are left out. Only the server knows where the visitor is.
 */
const UNSEEN: Omit<Client["facts"], "country" | "region" | "city"> = {
  asn: NO_FACTS.asn,
  verifiedBot: NO_FACTS.verifiedBot,
  hints: NO_FACTS.hints,
  purpose: NO_FACTS.purpose,
};
