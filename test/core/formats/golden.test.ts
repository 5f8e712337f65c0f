// Every wire format by example: `test/golden/formats/<format>/NN-what.request.json` is a request as its client sends
// it, and `.events.json` beside it what becomes of it: the drafts, or why there are none, and the answer the client
// hears when all of them are taken. UPDATE=1 writes the second files anew, and `npx biome check --write test/golden`
// lays them out: read them before committing.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Answer } from "../../../core/formats/hit-reply.ts";
import { withoutSlashes } from "../../../core/formats/path.ts";
import { ROUTES, type Route } from "../../../core/formats/route.ts";
import { BLANK_DRAFT, BLANK_HIT, type Draft, type Format, type Hit } from "../../../core/hit.ts";
import { accepted, type Outcome } from "../../../core/outcome.ts";
import type { Report } from "../../../core/report.ts";

const FOLDER = join(import.meta.dirname, "../../golden/formats");
const NOW = Date.UTC(2026, 10, 21, 12);
const REQUEST_ID = "01990000-0000-7000-8000-000000000000";

const RULES: readonly (readonly [format: string, rules: string])[] = [
  ["native", "[SRV-2] [SRV-4] [FMT-7]"],
  ["plausible", "[PLA-1] [PLA-2] [PLA-3] [PLA-4] [FMT-7] [FMT-8] [FMT-9]"],
  ["umami", "[UMA-1] [UMA-2] [UMA-3] [FMT-8]"],
  ["ga4", "[GAF-1] [GAF-2] [GAF-3] [GAF-4] [GAF-5] [FMT-7] [FMT-8] [FMT-9]"],
  ["segment", "[SGM-1] [SGM-2] [SGM-3] [SGM-4] [SGM-5] [FMT-7] [FMT-8]"],
  ["posthog", "[POS-1] [POS-2] [POS-4] [POS-5] [POS-6] [POS-7] [FMT-7]"],
  ["counterscale", "[CSC-1] [CSC-2] [FMT-9]"],
  ["snowplow", "[SNO-1] [SNO-2] [SNO-3] [SNO-4] [FMT-7]"],
  ["goatcounter", "[GOA-1] [GOA-2] [FMT-9]"],
];

interface Request {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly query?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

describe.each(RULES)("%s", (format, rules) => {
  const names = readdirSync(join(FOLDER, format)).filter((name) => name.endsWith(".request.json"));
  test.each(names)(`${rules} %s`, (name) => {
    const request = JSON.parse(readFileSync(join(FOLDER, format, name), "utf8")) as Request;
    const found = outcomeOf(request);
    const path = join(FOLDER, format, name.replace(".request.", ".events."));
    if (process.env["UPDATE"] !== undefined) writeFileSync(path, JSON.stringify(found));
    expect(found).toEqual(JSON.parse(readFileSync(path, "utf8")));
  });
});

test("[PLA-1] every folder of examples is tried, and no file in them is left over", () => {
  expect(readdirSync(FOLDER).toSorted()).toEqual(RULES.map(([format]) => format).toSorted());
  for (const [format] of RULES) {
    const files = readdirSync(join(FOLDER, format));
    const requests = files.filter((name) => name.endsWith(".request.json"));
    expect(files.length).toBe(requests.length * 2);
  }
});

function outcomeOf(request: Request): object {
  const path = withoutSlashes(request.path);
  const route = routeOf({ ...request, path });
  const hit = toHit({ ...request, path });
  if ("reply" in route) return { answer: toShown(route.reply(hit)) };
  const drafts = route.format.parse(hit);
  const answer = answerOf(route.format, hit, drafts);
  if (!drafts.ok) return { rejected: drafts.rejection, answer };
  return {
    events: drafts.value.map((draft) => (draft.ok ? withoutBlanks(draft.value) : { rejected: draft.rejection })),
    answer,
  };
}

function routeOf({ method, path }: Request): Route {
  const route = ROUTES.find(
    ({ methods, paths }) =>
      (methods as readonly string[]).includes(method) &&
      paths.some((pattern) => new RegExp(`^${pattern.replaceAll(".", "\\.").replace(/:\w+/, "[^/]+")}$`).test(path)),
  );
  if (route === undefined) throw new Error(`no route for ${method} ${path}`);
  return route;
}

function toHit({ path, query = "", headers, body = "" }: Request): Hit {
  const authorization = headers["authorization"] ?? "";
  const [user = ""] = Buffer.from(/^Basic (.+)$/.exec(authorization)?.[1] ?? "", "base64")
    .toString()
    .split(":");
  return {
    ...BLANK_HIT,
    path,
    query,
    body: typeof body === "string" ? body : JSON.stringify(body),
    userAgent: headers["user-agent"] ?? "",
    referrer: headers["referer"] ?? "",
    acceptLanguage: headers["accept-language"] ?? "",
    origin: headers["origin"] ?? "",
    forwardedFor: headers["x-forwarded-for"] ?? "",
    ifModifiedSince: headers["if-modified-since"] ?? "",
    basicUser: user,
    keyed: authorization.startsWith("Bearer "),
    receivedAt: NOW,
  };
}

/** What the client hears when every draft is taken. */
function answerOf(format: Format, hit: Hit, drafts: Outcome<readonly Outcome<Draft>[]>): object {
  const outcome: Outcome<Report> = drafts.ok
    ? accepted({
        accepted: drafts.value.filter(({ ok }) => ok).length,
        duplicates: 0,
        dropped: [],
        rejected: drafts.value.flatMap((draft, index) => (draft.ok ? [] : [{ index, ...draft.rejection }])),
      })
    : drafts;
  return toShown(format.answer({ hit, outcome, requestId: REQUEST_ID }));
}

function toShown({ status, headers, body }: Answer): object {
  if (typeof body !== "string") return { status, headers, body: `${body.length} bytes` };
  return { status, headers, body: headers["Content-Type"] === "application/json" ? JSON.parse(body) : body };
}

function withoutBlanks(draft: Draft): object {
  return Object.fromEntries(
    Object.entries(draft).filter(([name, value]) => value !== BLANK_DRAFT[name as keyof Draft]),
  );
}
