// The paths and methods of every way into the collector, protocol by protocol. route.ts says what reads them. The
// OpenAPI document lists them from here. A path may have a slash at its end, or two slashes for one, because clients
// add their path to whatever address a merchant wrote.

export interface Way {
  readonly methods: readonly ("GET" | "POST")[];
  readonly paths: readonly string[];
}

const GET = ["GET"] as const;
const POST = ["POST"] as const;
const BOTH = ["GET", "POST"] as const;

/**
 * "/v1/track" and the browser's "/v1/t". A single screen's short path is "/v1/s". Older libraries send batches to
 * "/v1/import".
 */
const SEGMENT_PATHS = [
  ...["track", "page", "screen", "identify", "group", "alias"].flatMap((name) => [`/v1/${name}`, `/v1/${name[0]}`]),
  ...["/v1/batch", "/v1/b", "/v1/import"],
];

/** Footfall's own paths. */
export const OWN_WAYS = {
  native: { methods: POST, paths: ["/v1/events"] },
  pixel: { methods: GET, paths: ["/v1/pixel.gif"] },
} as const satisfies Readonly<Record<string, Way>>;

/** Paths of other clients. */
export const WAYS = {
  plausible: { methods: POST, paths: ["/api/event"] },
  umami: { methods: POST, paths: ["/api/send"] },
  umamiBatch: { methods: POST, paths: ["/api/batch"] },
  ga4: { methods: BOTH, paths: ["/g/collect"] },
  measurement: { methods: POST, paths: ["/mp/collect"] },
  validation: { methods: POST, paths: ["/debug/mp/collect"] },
  segment: { methods: POST, paths: SEGMENT_PATHS },
  rudderstack: { methods: POST, paths: ["/beacon/v1/batch"] },
  rudderstackConfig: { methods: GET, paths: ["/sourceConfig"] },
  posthog: { methods: POST, paths: ["/batch", "/capture", "/e", "/i/v0/e"] },
  posthogFlags: { methods: BOTH, paths: ["/flags", "/decide"] },
  posthogConfig: { methods: GET, paths: ["/array/:token/config"] },
  posthogConfigScript: { methods: GET, paths: ["/array/:token/config.js"] },
  counterscaleCache: { methods: GET, paths: ["/cache"] },
  counterscale: { methods: GET, paths: ["/collect"] },
  snowplow: { methods: POST, paths: ["/com.snowplowanalytics.snowplow/tp2"] },
  snowplowPixel: { methods: GET, paths: ["/i"] },
  goatcounter: { methods: BOTH, paths: ["/count", "/:site/count"] },
  goatcounterApi: { methods: POST, paths: ["/api/v0/count"] },
} as const satisfies Readonly<Record<string, Way>>;

/** A path in the form of `WAYS`: "//batch/" becomes "/batch". */
export function withoutSlashes(path: string): string {
  if (!path.includes("//") && (!path.endsWith("/") || path === "/")) return path;
  const parts = path.split("/").filter((part) => part !== "");
  return `/${parts.join("/")}`;
}
