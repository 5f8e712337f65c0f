// Counts page views: of a page that is loaded, of a page that comes back from the browser's cache, and of what a
// single-page site shows under a new address. It also notices when a page is left, for the parts of the tracker that
// report then.

import { attempt, on } from "./guard.ts";
import { keep, openQueue, send } from "./queue.ts";
import { adopt, type Details, type Settings, settings } from "./settings.ts";
import { isSilent, visitorId } from "./visitor.ts";

/** How long a page view waits for the title after the address has changed (ms). */
const TITLE_WAIT_MS = 99;

/** Called when a page is left. `isHidden` is 1 if it was hidden, and 0 if the same document shows the next page. */
export type Leave = (isHidden: number) => void;

/** The address of the page that is shown, as in its last page view. */
export let page: string | undefined;
let whenLeft: Leave | undefined;
/** The timer of a page view that waits for its title. */
let timer = 0;

/**
 * Starts counting. `watch` starts what a build watches beside page views. It returns what to do when a page is left.
 */
export function startPages(given: Settings, watch?: () => Leave): void {
  adopt(given);
  openQueue();
  if (!("manual" in settings)) {
    pageview();
    on<PageTransitionEvent>("pageshow", ({ persisted }) => persisted && pageview());
    watchAddress();
  }
  on("pagehide visibilitychange", ({ type }) => {
    const isGone = type === "pagehide";
    if (!isGone && !document.hidden) return;
    if (timer) pageview();
    whenLeft?.(1);
    send(isGone);
  });
  whenLeft = watch?.();
}

export function pageview(details: Details = {}): void {
  clearTimeout(timer);
  timer = 0;
  if (page) whenLeft?.(0);
  const referrer = page || document.referrer;
  page = details.url || address();
  track(undefined, { referrer, title: document.title, screen: `${screen.width}x${screen.height}`, ...details });
}

/** Counts an event. It belongs to the page in the address bar, unless `details` names another. */
export function track(name: string | undefined, details: Details = {}): void {
  if (isSilent()) return;
  const url = details.url || address();
  keep({
    tracking_id: settings.trackingId,
    name,
    visitor_id: visitorId(),
    hash: "hash" in settings || undefined,
    ...details,
    url,
  });
}

function address(): string {
  return "hash" in settings ? location.href : (location.href.split("#")[0] as string);
}

/**
 * Watches for changes of the address. The Navigation API has one event for all of them. In browsers without it the
 * functions of History are wrapped.
 */
function watchAddress(): void {
  const { navigation } = window as { navigation?: EventTarget };
  if (navigation) {
    on<{ navigationType: string }>("currententrychange", (e) => moved(e.navigationType), navigation);
    return;
  }
  on("popstate", moved);
  for (const name of ["push", "replace"] as const) {
    const original = history[`${name}State`];
    history[`${name}State`] = function (...args) {
      original.apply(this, args);
      attempt(() => moved(name));
    };
  }
}

/** A replaced address is a new page only if its path is new, since many sites keep their filters in the query. */
function moved(how: unknown): void {
  const end = how === "replace" ? "?" : " ";
  if (address().split(end)[0] !== page?.split(end)[0]) timer ||= setTimeout(pageview, TITLE_WAIT_MS);
}
