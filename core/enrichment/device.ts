// Browser, operating system and kind of device from the user agent. my-ua-parser (MIT) does the work; a short list of
// in-app browsers comes first, because the parser takes some of them for a plain web view. Parsed agents are kept: a
// few thousand distinct ones make up nearly all traffic, and parsing costs 18 µs.

import { UAParser } from "my-ua-parser";
import type { Step } from "./opinion.ts";

interface Device {
  readonly browser: string;
  readonly os: string;
  readonly device: string;
}

const DEVICES_KEPT_MAX = 2_000;
const devices = new Map<string, Device>();

const IN_APP_BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/musical_ly|BytedanceWebview|TikTok/i, "TikTok"],
  [/Instagram/i, "Instagram"],
  [/FBAN|FBAV|FB_IAB/, "Facebook"],
  [/Pinterest\//i, "Pinterest"],
  [/Snapchat/i, "Snapchat"],
];

/** Step: what the visitor uses. */
export const device: Step = (event, opinion) => {
  if (event.userAgent === "") return;
  const found = deviceOf(event.userAgent);
  opinion.browser = found.browser;
  opinion.os = found.os;
  opinion.device = found.device;
};

function deviceOf(userAgent: string): Device {
  const kept = devices.get(userAgent);
  if (kept !== undefined) return kept;
  const parsed = UAParser(userAgent);
  const inApp = IN_APP_BROWSERS.find(([pattern]) => pattern.test(userAgent));
  const found = {
    browser: inApp?.[1] ?? parsed.browser.name ?? "",
    os: parsed.os.name ?? "",
    device: kindOf(parsed.device.type, parsed.os.name),
  };
  if (devices.size >= DEVICES_KEPT_MAX) devices.clear();
  devices.set(userAgent, found);
  return found;
}

/** The parser names only what is not a desktop; a known system without a kind is one. */
function kindOf(type: string | undefined, os: string | undefined): string {
  if (type === "mobile") return "Mobile";
  if (type === "tablet") return "Tablet";
  if (type === "smarttv") return "TV";
  if (type === "console") return "Console";
  if (type === "wearable") return "Wearable";
  return os === undefined ? "" : "Desktop";
}
