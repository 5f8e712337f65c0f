// How often enrichment is right, measured on what public npm packages ship: crawler-user-agents (agents of known
// crawlers), user-agents (10,000 agents of real browsers, each with the `navigator.platform` it was seen with) and
// woothee (agents with what somebody wrote beside them). user-agents was cleaned with isbot and names kinds of
// devices by a parser akin to ours: it says nothing of bots, and of devices only what the platform says. Nothing of
// them is part of the product.

import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { opine } from "../../core/enrichment/opinion.ts";
import { NO_RULES_IN_FORCE } from "../../core/rules.ts";
import { eventOf } from "./events.ts";

export interface Measured {
  readonly what: string;
  readonly of: number;
  readonly right: number;
  /** The first that are wrong, with what was made of them. */
  readonly wrong: readonly string[];
}

const require = createRequire(import.meta.url);
const WRONG_SHOWN_MAX = 8;

export function measureAccuracy(): readonly Measured[] {
  const crawlers = (require("crawler-user-agents") as readonly { readonly instances: readonly string[] }[]).flatMap(
    ({ instances }) => instances,
  );
  const seen = readSeen();
  const labelled = readLabelled();
  return [
    measure("crawlers are bots", crawlers, (agent) => (dropped(agent) === "bot" ? "" : agent)),
    measure("browsers are none", labelled, ({ target }) => (dropped(target) === "" ? "" : target)),
    measure(
      "kind of device, by navigator.platform",
      seen.filter(({ platform }) => kindsOf(platform) !== undefined),
      (one) => {
        const { device } = opinionOf(one.userAgent);
        return kindsOf(one.platform)?.includes(device) ? "" : `${device}, not ${one.platform}: ${one.userAgent}`;
      },
    ),
    measure(
      "system, by navigator.platform",
      seen.filter(({ platform }) => SYSTEMS.has(platform)),
      (one) => {
        const { os } = opinionOf(one.userAgent);
        return (SYSTEMS.get(one.platform) as RegExp).test(os) ? "" : `${os}, not ${one.platform}: ${one.userAgent}`;
      },
    ),
    measure(
      "browser, as labelled",
      labelled.filter(({ name }) => BROWSERS.has(name)),
      ({ target, name }) => {
        const { browser } = opinionOf(target);
        return (BROWSERS.get(name) as RegExp).test(browser) ? "" : `${browser}, not ${name}: ${target}`;
      },
    ),
  ];
}

function kindsOf(platform: string): readonly string[] | undefined {
  if (platform === "iPhone") return ["Mobile"];
  if (platform === "iPad") return ["Tablet"];
  if (platform === "MacIntel" || platform === "Win32") return ["Desktop"];
  return /^Linux a/.test(platform) ? ["Mobile", "Tablet"] : undefined;
}

/** What `navigator.platform` says, and the systems it stands for. */
const SYSTEMS: ReadonlyMap<string, RegExp> = new Map([
  ["iPhone", /^iOS$/],
  ["iPad", /^iOS$/],
  ["MacIntel", /^Mac OS$/],
  ["Win32", /^Windows$/],
]);

/** woothee's names of browsers that are still in use, and ours. */
const BROWSERS: ReadonlyMap<string, RegExp> = new Map([
  ["Chrome", /^(Mobile )?Chrome( WebView)?$/],
  ["Firefox", /^(Mobile )?Firefox$/],
  ["Safari", /^(Mobile )?Safari$|^Android Browser$/],
  ["Edge", /^Edge$/],
  ["Opera", /^Opera/],
  ["Vivaldi", /^Vivaldi$/],
  ["Internet Explorer", /^IE/],
  ["Yandex Browser", /^Yandex/],
  ["SamsungBrowser", /^Samsung/],
]);

interface SeenAgent {
  readonly userAgent: string;
  readonly platform: string;
}

/** The 10,000 agents of real browsers. */
export function readSeen(): readonly SeenAgent[] {
  const folder = dirname(require.resolve("user-agents"));
  return JSON.parse(readFileSync(join(folder, "user-agents.json"), "utf8")) as readonly SeenAgent[];
}

interface LabelledAgent {
  readonly target: string;
  readonly name: string;
}

/** woothee's test sets: blocks of `key: value` lines, the first of a block behind a dash. */
function readLabelled(): readonly LabelledAgent[] {
  const folder = join(dirname(require.resolve("woothee/package.json")), "woothee/testsets");
  const files = readdirSync(folder).filter((file) => /^(pc|smartphone)_/.test(file));
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8"));
  return texts.flatMap((text) =>
    [...text.matchAll(/^- target: '(.*)'\n {2}name: (.*)$/gm)].map(([, target = "", name = ""]) => ({
      target,
      name: name.replaceAll(/^['"]|['"]$/g, ""),
    })),
  );
}

function measure<T>(what: string, samples: readonly T[], wrongOf: (sample: T) => string): Measured {
  const wrong = samples.map(wrongOf).filter((text) => text !== "");
  return { what, of: samples.length, right: samples.length - wrong.length, wrong: wrong.slice(0, WRONG_SHOWN_MAX) };
}

function opinionOf(userAgent: string) {
  return opine(eventOf({ userAgent, format: "pixel" }), NO_RULES_IN_FORCE);
}

function dropped(userAgent: string): string {
  return opinionOf(userAgent).dropped;
}
