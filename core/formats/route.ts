// Every route of the collector, protocol by protocol. It names the path (path.ts) and the format that parses the hit;
// some routes are only answered. The collector registers exactly these (workers/collector/app.ts).

import type { Format, Hit } from "../hit.ts";
import { counterscale, hitCount } from "./counterscale.ts";
import { ga4 } from "./ga4.ts";
import { goatcounter, goatcounterApi } from "./goatcounter.ts";
import type { Answer } from "./hit-reply.ts";
import { measurement } from "./measurement.ts";
import { native } from "./native.ts";
import { OWN_WAYS, WAYS, type Way } from "./path.ts";
import { pixel } from "./pixel.ts";
import { plausible } from "./plausible.ts";
import { browserConfig, browserConfigScript, noFlags, posthog } from "./posthog.ts";
import { segment, sourceConfig } from "./segment.ts";
import { snowplow, snowplowPixel } from "./snowplow.ts";
import { umami, umamiBatch } from "./umami.ts";
import { validationAnswer } from "./validation.ts";

export type Route = Way & ({ readonly format: Format } | { readonly reply: (hit: Hit) => Answer });

export const ROUTES: readonly Route[] = [
  { ...OWN_WAYS.native, format: native },
  { ...OWN_WAYS.pixel, format: pixel },
  { ...WAYS.plausible, format: plausible },
  { ...WAYS.umami, format: umami },
  { ...WAYS.umamiBatch, format: umamiBatch },
  // GA4: the tag, the Measurement Protocol, and its validation
  { ...WAYS.ga4, format: ga4 },
  { ...WAYS.measurement, format: measurement },
  { ...WAYS.validation, reply: validationAnswer },
  { ...WAYS.segment, format: segment },
  { ...WAYS.rudderstack, format: segment },
  { ...WAYS.rudderstackConfig, reply: sourceConfig },
  { ...WAYS.posthog, format: posthog },
  { ...WAYS.posthogFlags, reply: noFlags },
  { ...WAYS.posthogConfig, reply: browserConfig },
  { ...WAYS.posthogConfigScript, reply: browserConfigScript },
  { ...WAYS.counterscaleCache, reply: hitCount },
  { ...WAYS.counterscale, format: counterscale },
  { ...WAYS.snowplow, format: snowplow },
  { ...WAYS.snowplowPixel, format: snowplowPixel },
  { ...WAYS.goatcounter, format: goatcounter },
  { ...WAYS.goatcounterApi, format: goatcounterApi },
];
