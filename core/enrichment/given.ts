// Browser, system and device in the words of a keyed sender that has no user agent. Another product has found them out,
// and an import brings its words. They are stored as they came. Here they get the names that agents get, so that
// "chrome", "Chrome Mobile" and "Mobile Chrome" are the same. An unknown word stays as it is.

import { isObject } from "../formats/field.ts";
import type { Device } from "./device.ts";

/** Words of other products, in lower case, and the names that an agent would have. */
const BROWSERS: ReadonlyMap<string, string> = new Map([
  ["chrome", "Chrome"],
  ["crios", "Chrome"],
  ["chrome mobile", "Mobile Chrome"],
  ["chrome mobile ios", "Mobile Chrome"],
  ["chrome for android", "Mobile Chrome"],
  ["mobile chrome", "Mobile Chrome"],
  ["chromium", "Chromium"],
  ["firefox", "Firefox"],
  ["fxios", "Mobile Firefox"],
  ["firefox mobile", "Mobile Firefox"],
  ["firefox mobile ios", "Mobile Firefox"],
  ["mobile firefox", "Mobile Firefox"],
  ["safari", "Safari"],
  ["ios", "Mobile Safari"],
  ["mobile safari", "Mobile Safari"],
  ["safari (in-app)", "WebKit"],
  ["ios-webview", "WebKit"],
  ["edge", "Edge"],
  ["edge-chromium", "Edge"],
  ["edge-ios", "Edge"],
  ["microsoft edge", "Edge"],
  ["opera", "Opera"],
  ["samsung", "Samsung Browser"],
  ["samsung internet", "Samsung Browser"],
  ["samsung browser", "Samsung Browser"],
  ["instagram", "Instagram"],
  ["facebook", "Facebook"],
]);

/** By their beginning: "Windows 10", "Mac OS X 10.15", "iOS 17". */
const SYSTEMS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^windows/i, "Windows"],
  [/^(mac ?os|os x|macintosh)/i, "Mac OS"],
  [/^(ios|iphone|ipad)/i, "iOS"],
  [/^android/i, "Android"],
  [/^(chrome ?os|chromium os|cros)/i, "Chromium OS"],
  [/^(linux|gnu\/linux)/i, "Linux"],
];

const DEVICES: ReadonlyMap<string, string> = new Map([
  ["desktop", "Desktop"],
  ["laptop", "Desktop"],
  ["mobile", "Mobile"],
  ["smartphone", "Mobile"],
  ["phone", "Mobile"],
  ["phablet", "Mobile"],
  ["tablet", "Tablet"],
  ["tv", "TV"],
  ["smart tv", "TV"],
  ["console", "Console"],
  ["wearable", "Wearable"],
]);

/** The fields that may be given, in the order of the API. */
export const GIVEN_FIELDS = ["browser", "os", "device"] as const;

/** Reads the `given` of an event. A text that cannot be read gives nothing. */
export function parseGiven(text: string): Device {
  const given = readObject(text);
  const word = (name: (typeof GIVEN_FIELDS)[number]) => (typeof given[name] === "string" ? given[name] : "");
  const os = word("os");
  return {
    browser: BROWSERS.get(word("browser").toLowerCase()) ?? word("browser"),
    os: SYSTEMS.find(([pattern]) => pattern.test(os))?.[1] ?? os,
    device: DEVICES.get(word("device").toLowerCase()) ?? word("device"),
  };
}

function readObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {}; // a SyntaxError: rows of another origin may hold any text
  }
}
