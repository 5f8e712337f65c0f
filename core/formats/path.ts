// Where each protocol comes in: the paths and methods of every way into the collector, without what reads them (route.ts). The
// OpenAPI document lists them from here.

export interface Way {
  readonly methods: readonly ("GET" | "POST")[];
  readonly paths: readonly string[];
  /** Whether the protocol's clients send gzip. */
  readonly unpacks?: boolean;
}

const GET = ["GET"] as const;
const POST = ["POST"] as const;
const BOTH = ["GET", "POST"] as const;

/** "/v1/track" and the browser's "/v1/t". A single screen's short path is "/v1/s". */
const SEGMENT_PATHS = ["track", "page", "screen", "identify", "group", "alias", "batch"].flatMap((name) =>
  name === "batch" ? ["/v1/batch", "/v1/b"] : [`/v1/${name}`, `/v1/${name[0]}`],
);
const POSTHOG_PATHS = ["/batch", "/capture", "/e", "/i/v0/e"].flatMap((path) => [path, `${path}/`]);
const FLAG_PATHS = ["/flags", "/decide"].flatMap((path) => [path, `${path}/`]);

/** Footfall's own. */
export const OWN_WAYS = {
  native: { methods: POST, paths: ["/v1/events"] },
  pixel: { methods: GET, paths: ["/v1/pixel.gif"] },
} as const satisfies Readonly<Record<string, Way>>;

/** Those of other clients. */
export const WAYS = {
  plausible: { methods: POST, paths: ["/api/event"] },
  umami: { methods: POST, paths: ["/api/send"] },
  umamiBatch: { methods: POST, paths: ["/api/batch"] },
  ga4: { methods: BOTH, paths: ["/g/collect"] },
  measurement: { methods: POST, paths: ["/mp/collect"] },
  validation: { methods: POST, paths: ["/debug/mp/collect"] },
  segment: { methods: POST, paths: SEGMENT_PATHS, unpacks: true },
  posthog: { methods: POST, paths: POSTHOG_PATHS, unpacks: true },
  posthogFlags: { methods: BOTH, paths: FLAG_PATHS, unpacks: true },
  counterscaleCache: { methods: GET, paths: ["/cache"] },
  counterscale: { methods: GET, paths: ["/collect"] },
  snowplow: { methods: POST, paths: ["/com.snowplowanalytics.snowplow/tp2"] },
  snowplowPixel: { methods: GET, paths: ["/i"] },
  goatcounter: { methods: BOTH, paths: ["/count", "/:site/count"] },
  goatcounterApi: { methods: POST, paths: ["/api/v0/count"] },
} as const satisfies Readonly<Record<string, Way>>;
