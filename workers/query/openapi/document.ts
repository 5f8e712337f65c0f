// The OpenAPI 3.1 document, made of routes, their doors and the tables of their fields. GET /api/openapi.json serves
// it, reference.ts shows it to people, and a typed client is generated from it (scripts/build-client.ts).

import { JOB_WAIT_SECONDS_MAX } from "../../../core/limits.ts";
import type { Schema } from "../../../core/type-text.ts";
import { COMPONENT_STATES, COMPONENTS } from "../../../core/watch/status.ts";
import { type Example, ROUTES, type Route } from "../api.ts";
import type { FieldTable } from "../field.ts";
import { TAKES } from "../principal.ts";
import { COLLECTOR_SHAPES } from "./collector.ts";
import { COLLECTOR_SERVER, JSON_TYPE, named, PROBLEM, pathParameters, templated } from "./operation-text.ts";
import { COLLECTOR_OPERATIONS } from "./protocol.ts";
import { QUESTION_SHAPES } from "./question.ts";
import { object, SHAPES } from "./shape.ts";
import { UMAMI_OPERATIONS, UMAMI_SHAPES } from "./umami.ts";

const VERSION = "1";
const BEARER = [{ bearer: [] }];
const SESSION = [{ session: [] }];
const ANY_CREDENTIAL = [...BEARER, ...SESSION];
/** The credentials of a request to a route without a door. */
const SECURITY: Readonly<Record<string, readonly Schema[]>> = { anybody: [], link: BEARER, person: SESSION };

export interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface DocumentedOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly security: readonly Schema[];
  readonly servers?: readonly Schema[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: Content }>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Schema;
  readonly example?: unknown;
}

export type Content = Readonly<Record<string, { readonly schema: Schema; readonly example?: unknown }>>;

/** The whole document. */
export function documentOf(): Document {
  const paths: Record<string, Record<string, DocumentedOperation>> = {};
  const add = (method: string, path: string, operation: DocumentedOperation) => {
    const known = paths[templated(path)];
    paths[templated(path)] = { ...known, [method.toLowerCase()]: operation };
  };
  add("POST", "/v1/events", COLLECT);
  for (const [path, operation] of QUESTIONS) add("POST", path, operation);
  add("GET", "/api/v2/queries/:id", QUERY_JOB);
  add("GET", "/api/v2/now", NOW);
  for (const listed of [...UMAMI_OPERATIONS, ...COLLECTOR_OPERATIONS, ...OPEN]) add(...listed);
  for (const route of ROUTES) add(route.method, route.path, documented(route));
  return {
    openapi: "3.1.0",
    info: {
      title: "Footfall",
      version: VERSION,
      description: "Counts who walks through a merchant's door: events in, numbers out, and everything to run it.",
    },
    tags: [
      { name: "Events", description: "What the collector takes. Its address is another than that of the other parts." },
      {
        name: "Protocols",
        description: "What other clients send, to the collector's address. They need no more than that.",
      },
      { name: "Questions", description: "A merchant's numbers, by a key, a share link or a session." },
      { name: "Administration", description: "Merchants, keys, people, rules, exports and the deployment." },
      { name: "Documents", description: "What is open to everybody." },
    ],
    paths,
    components: {
      schemas: { ...SHAPES, ...QUESTION_SHAPES, ...UMAMI_SHAPES, ...COLLECTOR_SHAPES },
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "An API key, a share link's token, or ADMIN_TOKEN." },
        session: { type: "apiKey", in: "cookie", name: "footfall", description: "A member that is signed in." },
      },
    },
  };
}

function documented({ path, door, personal, id, summary, query, body, ...route }: Route): DocumentedOperation {
  const { status, answer, examples = [] } = route;
  const success = answer === undefined ? FILE : { [JSON_TYPE]: { schema: answer } };
  const parameters = [...pathParameters(path), ...queryParameters(query ?? {}, examples)];
  return {
    operationId: id,
    summary,
    ...(door !== "anybody" && { description: `Takes ${personal ? TAKES.person : TAKES[door]}.` }),
    tags: ["Administration"],
    security: SECURITY[personal ? "person" : door] ?? ANY_CREDENTIAL,
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: bodyOf(bodySchema(body), examples[0]) }),
    responses: { [status ?? 200]: { description: "Done.", content: success }, default: PROBLEM },
  };
}

const REFUSAL = {
  description: "Refused: as clients of the Plausible Stats API know it, with a code and the field beside.",
  content: { [JSON_TYPE]: { schema: named("Refusal") } },
};
const FILE: Content = Object.fromEntries(
  ["application/x-ndjson", "text/csv", "application/vnd.apache.parquet"].map((type) => [type, { schema: {} }]),
);

function bodyOf(schema: Schema, example?: Example) {
  return { required: true, content: { [JSON_TYPE]: { schema, ...(example !== undefined && { example }) } } };
}

function queryParameters(table: FieldTable, examples: readonly Example[]): readonly Parameter[] {
  return Object.entries(table).map(([name, { required, expected, schema }]) => {
    const example = examples.find((one) => one[name] !== undefined)?.[name];
    return { name, in: "query", required, description: sentence(expected), schema, example };
  });
}

function bodySchema(table: FieldTable): Schema {
  const fields = Object.entries(table);
  return {
    type: "object",
    properties: Object.fromEntries(
      fields.map(([name, { expected, schema }]) => [name, { ...schema, description: sentence(expected) }]),
    ),
    required: fields.filter(([, { required }]) => required).map(([name]) => name),
    additionalProperties: false,
  };
}

function sentence(expected: string): string {
  return `${expected.charAt(0).toUpperCase()}${expected.slice(1)}.`;
}

/** A question about the present moment. It is answered at once and never becomes a job. */
function question(id: string, summary: string, shape: string, answered: string): DocumentedOperation {
  const content = { [JSON_TYPE]: { schema: named(answered) }, "text/csv": { schema: {} } };
  const job = { description: "Too large for one request: a job, to be followed.", content: content202() };
  return {
    operationId: id,
    summary,
    tags: ["Questions"],
    security: ANY_CREDENTIAL,
    parameters: id === "realtime" ? [FORMAT] : [FORMAT, PREFER],
    requestBody: bodyOf(named(shape)),
    responses: {
      200: { description: "The answer.", content },
      ...(id !== "realtime" && { 202: job }),
      default: REFUSAL,
    },
  };
}

function content202(): Content {
  return { [JSON_TYPE]: { schema: named("QueryJob") } };
}

const FORMAT: Parameter = {
  name: "format",
  in: "query",
  required: false,
  description: "As text/csv instead of JSON; the header Accept does the same.",
  schema: { type: "string", enum: ["json", "csv"] },
};

const PREFER: Parameter = {
  name: "Prefer",
  in: "header",
  required: false,
  description: `Such as wait=20: so many seconds, ${JOB_WAIT_SECONDS_MAX} at most, are waited for a job's answer.`,
  schema: { type: "string" },
};

const QUESTIONS: readonly (readonly [path: string, operation: DocumentedOperation])[] = [
  ["/api/v2/query", question("query", "Metrics by dimensions, over a range.", "Question", "Answer")],
  ["/api/v2/funnel", question("funnel", "How many went how far.", "FunnelQuestion", "FunnelAnswer")],
  ["/api/v2/retention", question("retention", "Who came back in later weeks.", "RetentionQuestion", "RetentionAnswer")],
  ["/api/v2/paths", question("paths", "Which pages follow each other.", "PathsQuestion", "PathsAnswer")],
  [
    "/api/v2/orders",
    question("orders", "The last orders, each with what led to it.", "OrdersQuestion", "OrdersAnswer"),
  ],
  ["/api/v2/realtime", question("realtime", "Who is there now.", "RealtimeQuestion", "RealtimeAnswer")],
  [
    "/api/v2/batch",
    {
      operationId: "batch",
      summary: "Several questions over one range, each with its own answer, refusal or job.",
      tags: ["Questions"],
      security: ANY_CREDENTIAL,
      parameters: [PREFER],
      requestBody: bodyOf(named("Batch")),
      responses: {
        200: {
          description: "The answers; as application/x-ndjson a line for each as soon as it is there.",
          content: {
            [JSON_TYPE]: { schema: named("BatchAnswer") },
            "application/x-ndjson": { schema: named("BatchLine") },
          },
        },
        default: REFUSAL,
      },
    },
  ],
];

const NOW: DocumentedOperation = {
  operationId: "getNow",
  summary: "Who is there, what is looked at and what was bought last, from the memory of partitions.",
  tags: ["Questions"],
  security: ANY_CREDENTIAL,
  parameters: [{ name: "site_id", in: "query", required: true, schema: { type: "string" } }],
  responses: {
    200: { description: "As of now.", content: { [JSON_TYPE]: { schema: named("Now") } } },
    default: REFUSAL,
  },
};

/** The kinds of answers of jobs. */
const JOB_ANSWERS = ["Answer", "FunnelAnswer", "RetentionAnswer", "PathsAnswer", "BatchAnswers"];

const QUERY_JOB: DocumentedOperation = {
  operationId: "getQuery",
  summary: "The answer of a question or report that became a job, or how far it is.",
  tags: ["Questions"],
  security: ANY_CREDENTIAL,
  parameters: [
    ...pathParameters("/:id"),
    { name: "site_id", in: "query", required: true, schema: { type: "string" } },
    FORMAT,
    PREFER,
  ],
  responses: {
    200: { description: "The answer.", content: { [JSON_TYPE]: { schema: { anyOf: JOB_ANSWERS.map(named) } } } },
    202: { description: "It is still counted.", content: content202() },
    default: REFUSAL,
  },
};

const COLLECT: DocumentedOperation = {
  operationId: "collect",
  summary: "Takes one event or many; 202 is durable, and the same id again counts once.",
  tags: ["Events"],
  security: [{}, ...BEARER],
  servers: COLLECTOR_SERVER,
  requestBody: bodyOf(named("Events")),
  responses: {
    202: { description: "What became of each.", content: { [JSON_TYPE]: { schema: named("Report") } } },
    default: {
      description: "Nothing of it was taken.",
      content: { [JSON_TYPE]: { schema: { anyOf: [named("Report"), named("CollectorProblem")] } } },
    },
  },
};

function open(id: string, summary: string, content: Content): DocumentedOperation {
  const responses = { 200: { description: "Done.", content } };
  return { operationId: id, summary, tags: ["Documents"], security: [], responses };
}

const STATES = { type: ["string", "null"], enum: [...COMPONENT_STATES, null] } as const;

const STATUS: Schema = object({
  checked_at: { type: ["string", "null"], format: "date-time" },
  components: {
    type: "array",
    items: object({ name: { enum: COMPONENTS }, title: { type: "string" }, state: STATES }),
  },
  incidents: { type: "array", items: { $ref: "#/components/schemas/Incident" } },
  history: { type: "array", items: object({ date: { type: "string" }, components: { type: "object" } }) },
});

/** Routes of the query Worker for everybody, or for a program that watches it. The collector has its own /health. */
const OPEN: readonly (readonly [method: string, path: string, operation: DocumentedOperation])[] = [
  [
    "GET",
    "/health",
    open(
      "getHealth",
      "Whether the Worker answers; with ?deep and an operator's token, whether what it stands on does.",
      {
        [JSON_TYPE]: {
          schema: object({ ok: { type: "boolean" }, "version?": { type: "string" }, "checks?": { type: "object" } }),
        },
      },
    ),
  ],
  [
    "GET",
    "/metrics",
    {
      ...open("getMetrics", "Where the deployment stands, for a Prometheus. Takes an operator's token.", {
        "text/plain": { schema: { type: "string" } },
      }),
      security: ANY_CREDENTIAL,
    },
  ],
  [
    "GET",
    "/status",
    open("getStatusPage", "How the deployment is, for people; it stands when the databases do not.", {
      "text/html": { schema: { type: "string" } },
    }),
  ],
  [
    "GET",
    "/status.json",
    open("getStatus", "The same as JSON: parts with their state, 90 days, and incidents.", {
      [JSON_TYPE]: { schema: STATUS },
    }),
  ],
  [
    "GET",
    "/status.atom",
    open("getStatusFeed", "What was told of incidents, newest first, as an Atom feed.", {
      "application/atom+xml": { schema: { type: "string" } },
    }),
  ],
  ["GET", "/api/openapi.json", open("getDocument", "This document.", { [JSON_TYPE]: { schema: { type: "object" } } })],
  [
    "GET",
    "/api/reference",
    open("getReference", "This document for people.", { "text/html": { schema: { type: "string" } } }),
  ],
];
