// Decides who is counted, and under which id. The first part checks whether the visitor may be counted at all: opt-out,
// and the browser's signals if the page honours them. The second part finds the id. Without the setting `visitor` the
// tracker makes no id. The collector then makes one for the day from what every request shows anyway.

import { attempt } from "./guard.ts";
import { kept, makeId, store } from "./queue.ts";
import { settings } from "./settings.ts";

interface Signals {
  readonly doNotTrack?: string;
  readonly globalPrivacyControl?: boolean;
}

/** Whether this visitor must not be counted. */
export function isSilent(): unknown {
  return (
    store["_ff_off"] ||
    ("dnt" in settings && (navigator as Signals).doNotTrack === "1") ||
    ("gpc" in settings && (navigator as Signals).globalPrivacyControl)
  );
}

/**
 * The visitor's id in first-party mode. It is made if there is none yet. Undefined if the browser would not keep it.
 */
export function visitorId(): string | undefined {
  const { visitor } = settings;
  return attempt(() => {
    if (visitor === "storage") {
      localStorage["_ff"] ||= makeId();
      return localStorage["_ff"];
    }
    if (visitor && !readCookie()) writeCookie(`${makeId()};max-age=34000000`);
    return visitor && readCookie();
  });
}

/** Stops counting in this browser and deletes what the tracker keeps in it. With `undo` counting starts again. */
export function optOut(undo?: boolean): void {
  for (const key of kept()) delete store[key];
  delete store["_ff"];
  writeCookie(";max-age=0");
  if (undo) delete store["_ff_off"];
  else store["_ff_off"] = "1";
}

function readCookie(): string | undefined {
  return /\b_ff=(\w+)/.exec(document.cookie)?.[1];
}

/** `visitor` is "cookie" or "cookie;domain=shop.example;secure". Browsers ignore the first word and obey the others. */
function writeCookie(value: string): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing in browsers that count
  document.cookie = `_ff=${value};path=/;samesite=lax;${settings.visitor}`;
}
