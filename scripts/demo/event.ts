// An event of the demo as `POST /v1/events` takes it, and how it is sent. A visitor's place, a key and a header belong
// to a request and not to an event. So events that have these in common are gathered into parcels.

import type { Place } from "./shop.ts";

export interface DemoProduct {
  readonly id: string;
  readonly name: string;
  readonly category: string;
  readonly brand: string;
  readonly price: number;
  readonly quantity: number;
}

export interface DemoEvent {
  readonly id: string;
  readonly name: string;
  readonly url?: string;
  readonly title?: string;
  readonly timestamp: number;
  readonly visitor_id: string;
  readonly user_agent: string;
  readonly language: string;
  readonly screen: string;
  readonly referrer?: string;
  readonly props?: Readonly<Record<string, string>>;
  readonly order_id?: string;
  readonly revenue?: { readonly amount: number; readonly currency: string };
  readonly products?: readonly DemoProduct[];
  readonly engagement_ms?: number;
  readonly scroll?: number;
}

/**
 * Who sends it: the page, the page ahead of its reader (`Sec-Purpose: prefetch`), or the shop's server with its key.
 */
export type Sender = "page" | "prefetch" | "server";

/** Whether the event will be counted, or else the reason for which it will be dropped. */
export type Fate = "counted" | "bot" | "referrer" | "hostname" | "prefetch";

export interface SentEvent {
  readonly event: DemoEvent;
  readonly place: Place;
  readonly sender: Sender;
  readonly fate: Fate;
  /** Whether its sender was offline. If its Day is closed by now, the event is sent after that Day was counted. */
  readonly late: boolean;
}

export interface Parcel {
  readonly place: Place;
  readonly sender: Sender;
  readonly events: readonly DemoEvent[];
}

/** Events that go by one request each, in their order. */
export function toParcels(sent: readonly SentEvent[]): readonly Parcel[] {
  const parcels = new Map<string, { readonly place: Place; readonly sender: Sender; readonly events: DemoEvent[] }>();
  for (const { event, place, sender } of sent) {
    const key = `${sender}|${place.country}|${place.city}`;
    const parcel = parcels.get(key) ?? { place, sender, events: [] };
    parcels.set(key, parcel);
    parcel.events.push(event);
  }
  return [...parcels.values()];
}
