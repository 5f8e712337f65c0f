// The collector's routes that are not the native format: the protocols of other clients, the pixel, the tracker's
// scripts, and the routes of operators. The routes are those that the collector registers (core/formats/path.ts). The
// clients' own documents say what they send; docs/clients.md says what Footfall makes of it. A test finds routes that
// are missing here.

import { WAYS, type Way } from "../../../core/formats/path.ts";
import { PIXEL_PARAMETERS } from "../../../core/formats/pixel.ts";
import type { DocumentedOperation, Parameter } from "./document.ts";
import { ANYTHING, COLLECTOR_SERVER, camel, JSON_TYPE, named, PROBLEM, pathParameters } from "./operation-text.ts";

type Operations = readonly (readonly [method: string, path: string, operation: DocumentedOperation])[];

const MEANINGS: Readonly<Record<keyof typeof WAYS, string>> = {
  plausible: "An event as Plausible's clients send it.",
  umami: "An event as Umami's clients send it.",
  umamiBatch: "Events as Umami's clients send them in a batch.",
  ga4: "Events as the GA4 tag sends them.",
  measurement: "Events of GA4's Measurement Protocol.",
  validation: "What is wrong with events of GA4's Measurement Protocol; nothing is counted.",
  segment: "Calls as the clients of Segment and RudderStack send them.",
  rudderstack: "Calls as RudderStack's browser client sends them when a page is left.",
  rudderstackConfig: "What RudderStack's browser client asks before it sends: nothing else is to be sent anywhere.",
  posthog: "Events as PostHog's clients send them.",
  posthogFlags: "No feature flags, for PostHog's clients that ask before they send.",
  posthogConfig: "What PostHog's browser client is to do: to send events, and nothing else.",
  posthogConfigScript: "The same as a script.",
  counterscaleCache: "What Counterscale's client asks before it sends.",
  counterscale: "A page view as Counterscale's client sends it.",
  snowplow: "Events as Snowplow's trackers send them.",
  snowplowPixel: "An event as Snowplow's trackers send it in an address.",
  goatcounter: "A page view as GoatCounter's client sends it.",
  goatcounterApi: "Page views as GoatCounter's API takes them.",
};

const COMMON = { tags: ["Protocols"], servers: COLLECTOR_SERVER };
const AS_THERE = {
  "2XX": { description: "As the protocol has it.", content: ANYTHING },
  default: { description: "Not taken, in the protocol's words.", content: ANYTHING },
};

/** An operation for each of its paths and methods. */
function protocolOperations({ methods, paths }: Way, summary: string): Operations {
  const description =
    "docs/clients.md says what becomes of it. A slash at the end changes nothing, and the body may be packed with gzip.";
  return paths.flatMap((path) =>
    methods.map((method) => {
      const operation = { operationId: camel(method, path), summary, description, ...COMMON, security: [] };
      const parameters = pathParameters(path);
      const body = { requestBody: { required: true, content: ANYTHING } };
      const takes = { ...(parameters.length > 0 && { parameters }), ...(method === "POST" && body) };
      return [method, path, { ...operation, ...takes, responses: AS_THERE }] as const;
    }),
  );
}

const PIXEL: DocumentedOperation = {
  operationId: "collectPixel",
  summary:
    "A page view by an image, for pages without script. The page is the one that asks, unless url says otherwise.",
  tags: ["Events"],
  servers: COLLECTOR_SERVER,
  security: [],
  parameters: PIXEL_PARAMETERS.map(
    (name): Parameter => ({ name, in: "query", required: name === "tracking_id", schema: { type: "string" } }),
  ),
  responses: {
    200: { description: "A transparent image: the view is durable.", content: { "image/gif": { schema: {} } } },
    default: { description: "Not taken.", content: { [JSON_TYPE]: { schema: named("CollectorProblem") } } },
  },
};

function script(operationId: string, summary: string, parameters: readonly Parameter[] = []): DocumentedOperation {
  return {
    operationId,
    summary,
    tags: ["Events"],
    servers: COLLECTOR_SERVER,
    security: [],
    ...(parameters.length > 0 && { parameters }),
    responses: {
      200: { description: "The script.", content: { "text/javascript": { schema: { type: "string" } } } },
      304: { description: "As it was.", content: {} },
      default: { description: "No such script.", content: { [JSON_TYPE]: { schema: named("CollectorProblem") } } },
    },
  };
}

export const COLLECTOR_OPERATIONS: Operations = [
  ["GET", "/v1/pixel.gif", PIXEL],
  ["GET", "/t.js", script("getTracker", "The script that pages load, as it is today.")],
  ["GET", "/p.js", script("getSmallTracker", "Page views alone, as it is today.")],
  [
    "GET",
    "/:script",
    script("getPinnedTracker", "Either of them under the name that carries its hash, such as t.8f3a52c07d1be946.js.", [
      { name: "script", in: "path", required: true, schema: { type: "string", pattern: "^[pt]\\.[0-9a-f]{16}\\.js$" } },
    ]),
  ],
  ...Object.entries(MEANINGS).flatMap(([name, summary]) =>
    protocolOperations(WAYS[name as keyof typeof WAYS], summary),
  ),
  [
    "GET",
    "/v1/meter",
    {
      operationId: "getCollectorMeter",
      summary: "Billable operations of the collector's isolate.",
      description: "Takes ADMIN_TOKEN.",
      tags: ["Administration"],
      servers: COLLECTOR_SERVER,
      security: [{ bearer: [] }],
      responses: {
        200: { description: "Done.", content: { [JSON_TYPE]: { schema: named("Meter") } } },
        default: PROBLEM,
      },
    },
  ],
];
