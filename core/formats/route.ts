// Every way into the collector, protocol by protocol: which paths and methods there are, which format reads them, and which
// of them are only answered. The collector registers exactly these (workers/collector/app.ts).

import type { Format, Hit } from "../hit.ts";
import type { Answer } from "./answer.ts";
import { counterscale, hitCount } from "./counterscale.ts";
import { ga4 } from "./ga4.ts";
import { goatcounter, goatcounterApi } from "./goatcounter.ts";
import { measurement } from "./measurement.ts";
import { native } from "./native.ts";
import { pixel } from "./pixel.ts";
import { plausible } from "./plausible.ts";
import { noFlags, posthog } from "./posthog.ts";
import { segment } from "./segment.ts";
import { snowplow, snowplowPixel } from "./snowplow.ts";
import { umami, umamiBatch } from "./umami.ts";
import { validationAnswer } from "./validation.ts";

export type Route = {
  readonly methods: readonly ("GET" | "POST")[];
  readonly paths: readonly string[];
  /** Whether the protocol's clients send gzip. */
  readonly unpacks?: boolean;
} & ({ readonly format: Format } | { readonly reply: (hit: Hit) => Answer });

const GET = ["GET"] as const;
const POST = ["POST"] as const;
const BOTH = ["GET", "POST"] as const;

/** "/v1/track" and the browser's "/v1/t". A single screen's short path is "/v1/s". */
const SEGMENT_PATHS = ["track", "page", "screen", "identify", "group", "alias", "batch"].flatMap((name) =>
  name === "batch" ? ["/v1/batch", "/v1/b"] : [`/v1/${name}`, `/v1/${name[0]}`],
);
const POSTHOG_PATHS = ["/batch", "/capture", "/e", "/i/v0/e"].flatMap((path) => [path, `${path}/`]);
const FLAG_PATHS = ["/flags", "/decide"].flatMap((path) => [path, `${path}/`]);

export const ROUTES: readonly Route[] = [
  // Footfall's own
  { methods: POST, paths: ["/v1/events"], format: native },
  { methods: GET, paths: ["/v1/pixel.gif"], format: pixel },
  // Plausible
  { methods: POST, paths: ["/api/event"], format: plausible },
  // Umami
  { methods: POST, paths: ["/api/send"], format: umami },
  { methods: POST, paths: ["/api/batch"], format: umamiBatch },
  // GA4: the tag, the Measurement Protocol, and its validation
  { methods: BOTH, paths: ["/g/collect"], format: ga4 },
  { methods: POST, paths: ["/mp/collect"], format: measurement },
  { methods: POST, paths: ["/debug/mp/collect"], reply: validationAnswer },
  // Segment
  { methods: POST, paths: SEGMENT_PATHS, format: segment, unpacks: true },
  // PostHog
  { methods: POST, paths: POSTHOG_PATHS, format: posthog, unpacks: true },
  { methods: BOTH, paths: FLAG_PATHS, reply: noFlags, unpacks: true },
  // Counterscale
  { methods: GET, paths: ["/cache"], reply: hitCount },
  { methods: GET, paths: ["/collect"], format: counterscale },
  // Snowplow
  { methods: POST, paths: ["/com.snowplowanalytics.snowplow/tp2"], format: snowplow },
  { methods: GET, paths: ["/i"], format: snowplowPixel },
  // GoatCounter
  { methods: BOTH, paths: ["/count", "/:site/count"], format: goatcounter },
  { methods: POST, paths: ["/api/v0/count"], format: goatcounterApi },
];
