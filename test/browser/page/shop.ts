// A shop's own script, as its developers write it with the tracker's ES module. It is type-checked with the rest,
// bundled by the test and run in its browser.

import { init, type Options, optOut, track } from "footfall/tracker";

export function early(): void {
  track("early");
}

export function open(trackingId: string): void {
  const options: Options = { trackingId, endpoint: "/v1/events", visitor: "cookie;secure", hash: false, dnt: true };
  init(options);
  init(options); // as frameworks do that mount twice
}

export function buy(): void {
  track("purchase", {
    order_id: "A-1002",
    revenue: { amount: 19.99, currency: "EUR" },
    products: [{ id: "mug", name: "Mug", price: 19.99, quantity: 1 }],
    props: { coupon: "spring" },
  });
}

export function leave(): void {
  optOut();
}
