// Somebody makes up hostnames. Each was a look-up in the database, a thousand in 10 s from one address, and filled what
// an isolate remembers of the sites that there are.

import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { plausible } from "../../core/formats/plausible.ts";
import { BLANK_HIT } from "../../core/hit.ts";
import { LIMIT_BYTES, LIMIT_REQUESTS, LIMIT_WRONG_KEY_BYTES, RATE_LIMIT_PERIOD_SECONDS } from "../../core/limits.ts";
import type { WriteKey } from "../../storage/directory/write-key.ts";
import { collect } from "../../workers/collector/collect.ts";
import type { CollectorEnv } from "../../workers/collector/env.ts";
import { incomingOf } from "../../workers/collector/incoming.ts";
import { isAddressWithinLimit } from "../../workers/collector/limit.ts";
import { migratedDatabase } from "../support/query-worker.ts";

const GUESSER = "198.51.100.1";
/** As wrangler.toml has it: requests of an address in 10 s. */
const REQUESTS_MAX = 1_000;
let env: CollectorEnv;
let lookUps: number;
/** How often the counter was asked, each time for ten requests. */
let tens: number;
let now = Date.UTC(2027, 0, 10);

beforeEach(() => {
  const db = migratedDatabase();
  lookUps = 0;
  tens = 0;
  const prepare = db.prepare.bind(db);
  db.prepare = (text) => {
    if (text.includes("hostname")) lookUps += 1; // and not what opens the database
    return prepare(text);
  };
  const limit = async () => ({ success: ++tens <= REQUESTS_MAX / LIMIT_REQUESTS });
  const limits = { LIMIT_ADDRESS: { limit }, LIMIT_TRACKING_ID: { limit: async () => ({ success: true }) } };
  // An isolate forgets with each period what it counted.
  now += RATE_LIMIT_PERIOD_SECONDS * 1_000;
  vi.useFakeTimers({ now, toFake: ["Date"] });
  env = {
    DIRECTORY: db,
    LEDGER_0: db,
    POOL_SIZE: "4",
    TRACKING_SECRET: "secret",
    ...limits,
  } as unknown as CollectorEnv;
});
afterAll(() => {
  vi.useRealTimers();
});

/** A page view of a site by its hostname; gives the code of the refusal, or of the event's. */
async function send(hostname: string, key?: WriteKey): Promise<string> {
  const headers = { "cf-connecting-ip": GUESSER };
  const request = new Request("https://collector.example/api/event", { headers });
  if (!(await isAddressWithinLimit(incomingOf(request, env, { waitUntil: () => undefined })))) return "rate_limited";
  const body = JSON.stringify({ name: "pageview", url: `https://${hostname}/`, domain: hostname });
  const looking = { env, now, later: () => {} };
  const facts = { country: "", region: "", city: "", asn: 0, verifiedBot: "", hints: "", purpose: "" };
  const client = { address: GUESSER, facts, continent: "", receivedAt: looking.now };
  const hit = { ...BLANK_HIT, path: "/api/event", body, receivedAt: looking.now };
  const outcome = await collect({ format: plausible, hit, client, key, looking });
  return outcome.ok ? (outcome.value.rejected[0]?.code ?? "") : outcome.rejection.code;
}

test("[LIM-9] a made-up hostname counts as much as a made-up key, and only when it was looked up", async () => {
  const guesses = (REQUESTS_MAX * LIMIT_BYTES) / LIMIT_WRONG_KEY_BYTES;
  const heard: string[] = [];
  for (let at = 0; at <= guesses; at++) heard.push(await send(`site-${at}.example`));
  expect(heard.slice(0, guesses)).toEqual(Array(guesses).fill("unknown_tracking_id"));
  expect(heard.at(-1)).toBe("rate_limited");
  expect(lookUps).toBe(guesses + 1);
});

test("[LIM-9] nor are they free for whoever has an API key of a merchant", async () => {
  const key = { id: "key_1", merchant: 7, streams: [1], mayWrite: true, endsAt: null, isUseNews: false };
  const guesses = (REQUESTS_MAX * LIMIT_BYTES) / LIMIT_WRONG_KEY_BYTES;
  let lastHeard = "";
  for (let at = 0; at <= guesses; at++) lastHeard = await send(`keyed-${at}.example`, key);
  expect(lastHeard).toBe("rate_limited");
});

test("[LIM-9] a site that is not set up here costs its visitors nothing but the first look-up", async () => {
  const first = await send("forgotten.example");
  const spent = tens;
  for (let at = 0; at < 100; at++) expect(await send("forgotten.example")).toBe(first);
  expect(tens - spent).toBe(100 / LIMIT_REQUESTS);
});
