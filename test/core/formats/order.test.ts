// The order of events in a request: their place in it is a fact (`sequence`, the index of the draft), so formats must
// give their drafts as they were told. The journey is told with a time for each event and without, by every protocol.

import { describe, expect, test } from "vitest";
import { withoutSlashes } from "../../../core/formats/path.ts";
import { ROUTES } from "../../../core/formats/route.ts";
import { BLANK_HIT } from "../../../core/hit.ts";
import { type JourneyRequest, journey, type Protocol, TELLINGS } from "../../support/journey.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const SHOP = { tracking_id: "00000001-0001-8c41-90a8-9a0634e82fb1", write_key: "key" };
const STEPS = journey(NOW);
/** What is told before it happened, so that only the order of telling keeps the order. */
const BACKWARDS = STEPS.toReversed();

describe.each(Object.keys(TELLINGS) as readonly Protocol[])("%s", (protocol) => {
  test.each([
    ["in its order", STEPS],
    ["backwards", BACKWARDS],
  ])("[FMT-10] drafts come in the order in which they were told: %s", (_, steps) => {
    const told = TELLINGS[protocol](steps, SHOP).map(draftsOf);
    const order = steps.map(({ kind }) => kind === "page");
    if (told.length === 1) expect(told[0]).toEqual(order);
    // One request for each visitor, or for each event.
    else if (protocol.startsWith("GA4")) expect(told).toEqual(byVisitor(steps));
    else for (const drafts of told) expect(drafts.length).toBe(1);
  });
});

/** Of each draft of a request, whether it is a page view. */
function draftsOf({ method, path, headers, body = "" }: JourneyRequest): readonly boolean[] {
  const [named = "", query = ""] = path.split("?");
  const route = ROUTES.find(
    ({ methods, paths }) =>
      (methods as readonly string[]).includes(method) &&
      paths.some((pattern) => new RegExp(`^${pattern.replace(/:\w+/, "[^/]+")}$`).test(withoutSlashes(named))),
  );
  if (route === undefined || !("format" in route)) throw new Error(`no format for ${path}`);
  const keyed = headers["authorization"] !== undefined;
  const drafts = route.format.parse({ ...BLANK_HIT, path: named, query, body, keyed, receivedAt: NOW });
  if (!drafts.ok) throw new Error(drafts.rejection.message);
  return drafts.value.map((draft) => draft.ok && draft.value.name === "pageview");
}

function byVisitor(steps: typeof STEPS): readonly (readonly boolean[])[] {
  return Object.values(Object.groupBy(steps, ({ visitor }) => visitor)).map((of) =>
    of.map(({ kind }) => kind === "page"),
  );
}
