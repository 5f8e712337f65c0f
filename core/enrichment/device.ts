// Browser, operating system and kind of device from the user agent and the client hints. my-ua-parser (MIT) parses the
// agent. A short list of in-app browsers is tried before it, because the parser takes some of them for a plain web
// view. Afterwards the hints add what the agent does not say. Parsed agents are remembered: a few thousand different
// ones make up nearly all traffic, and parsing takes 18 µs.

import { UAParser } from "my-ua-parser";
import { AGENT_PARSED_LENGTH_MAX } from "../limits.ts";
import { type Hints, parseHints } from "./client-hint.ts";
import { parseGiven } from "./given.ts";
import type { Step } from "./opinion.ts";

export interface Device {
  readonly browser: string;
  readonly os: string;
  readonly device: string;
}

/** Versions as the agent has them, major and minor, such as "140.0"; empty where the agent has none. */
export interface Versions {
  readonly browser: string;
  readonly os: string;
}

const DEVICES_KEPT_MAX = 2_000;
const devices = new Map<string, Device>();
const versions = new Map<string, Versions>();

const IN_APP_BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/musical_ly|BytedanceWebview|TikTok/i, "TikTok"],
  [/Instagram/i, "Instagram"],
  [/FBAN|FBAV|FB_IAB/, "Facebook"],
  [/Pinterest\//i, "Pinterest"],
  [/Snapchat/i, "Snapchat"],
  [/\bBarcelona \d/, "Threads"],
  [/\bReddit\/|RedditAndroid/, "Reddit"],
  [/\bChatGPT\//, "ChatGPT"],
];

/** Brands of client hints and the names of these browsers in answers. They are used where the agent says "Chrome". */
const BRANDS: ReadonlyMap<string, string> = new Map([
  ["Microsoft Edge", "Edge"],
  ["Brave", "Brave"],
  ["Opera", "Opera"],
  ["Opera GX", "Opera"],
  ["Vivaldi", "Vivaldi"],
  ["YaBrowser", "Yandex"],
  ["Yandex", "Yandex"],
  ["Samsung Internet", "Samsung Browser"],
  ["DuckDuckGo", "DuckDuckGo"],
  ["Whale", "Whale"],
  ["Arc", "Arc"],
]);

/**
 * Platforms of client hints, by the parser's names. "Linux" is missing here, because most agents say more than that.
 */
const PLATFORMS: ReadonlyMap<string, string> = new Map([
  ["Windows", "Windows"],
  ["macOS", "Mac OS"],
  ["Android", "Android"],
  ["iOS", "iOS"],
  ["Chrome OS", "Chromium OS"],
  ["Chromium OS", "Chromium OS"],
]);

/** Enrichment step: which browser, system and kind of device the visitor uses. */
export const device: Step = (event, opinion) => {
  if (event.userAgent === "" && event.given === "") return;
  const found = event.userAgent === "" ? parseGiven(event.given) : deviceOf(event.userAgent, event.hints);
  opinion.browser = found.browser;
  opinion.os = found.os;
  opinion.device = found.device;
};

/** The versions that an agent names. They are no part of an opinion, because few questions ask for them. */
export function versionsOf(userAgent: string): Versions {
  const kept = versions.get(userAgent);
  if (kept !== undefined) return kept;
  const parsed = UAParser(readPart(userAgent));
  const found = { browser: majorMinor(parsed.browser.version), os: majorMinor(parsed.os.version) };
  if (versions.size >= DEVICES_KEPT_MAX) versions.clear();
  versions.set(userAgent, found);
  return found;
}

function majorMinor(version = ""): string {
  return version.split(".").slice(0, 2).join(".");
}

/** What an agent and the client hints with it say. */
export function deviceOf(userAgent: string, hints = ""): Device {
  const key = `${hints} ${userAgent}`;
  const kept = devices.get(key);
  if (kept !== undefined) return kept;
  const found = withHints(fromAgent(userAgent), parseHints(hints));
  if (devices.size >= DEVICES_KEPT_MAX) devices.clear();
  devices.set(key, found);
  return found;
}

/** An agent is parsed by some hundred expressions, which take time by the square of its length. */
function readPart(userAgent: string): string {
  return userAgent.slice(0, AGENT_PARSED_LENGTH_MAX);
}

function fromAgent(userAgent: string): Device {
  const parsed = UAParser(readPart(userAgent));
  const inApp = IN_APP_BROWSERS.find(([pattern]) => pattern.test(userAgent));
  return {
    browser: inApp?.[1] ?? parsed.browser.name ?? "",
    os: parsed.os.name ?? "",
    device: kindOf(parsed.device.type, parsed.os.name),
  };
}

/** A device with what the hints say: they name the system and, where the agent only says "Chrome", the browser. */
function withHints(seen: Device, { brands, platform, mobile }: Hints): Device {
  const brand = brands.map((name) => BRANDS.get(name)).find((name) => name !== undefined);
  const browser = /^(Mobile )?Chrome$/.test(seen.browser) ? (brand ?? seen.browser) : seen.browser;
  const os = PLATFORMS.get(platform) ?? (seen.os || platform);
  return { browser, os, device: hintedKind(seen.device, os, mobile) };
}

/**
 * The kind of device, corrected by the hints. A phone or tablet that asks for a desktop's page has a desktop's agent.
 * But a device with Android is no desktop.
 */
function hintedKind(seen: string, os: string, mobile: boolean | undefined): string {
  if (seen !== "Desktop" && seen !== "") return seen;
  if (mobile === true) return "Mobile";
  if (mobile === false && os === "Android") return "Tablet";
  return seen === "" && mobile === false ? "Desktop" : seen;
}

/** The kind of device. The parser names every kind but desktops, so a known system without a kind is a desktop. */
function kindOf(type: string | undefined, os: string | undefined): string {
  if (type === "mobile") return "Mobile";
  if (type === "tablet") return "Tablet";
  if (type === "smarttv") return "TV";
  if (type === "console") return "Console";
  if (type === "wearable") return "Wearable";
  return os === undefined ? "" : "Desktop";
}
