// The keys of the page. Each is a single key that does nothing while somebody types or a dialog is open, and all of
// them can be turned off (WCAG 2.1.4).

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { RANGES } from "./address.ts";
import { shareToken } from "./boot.ts";
import { dropText, keepText, recallText } from "./keep.ts";
import { late } from "./late.tsx";
import { pagesHere } from "./navigation.tsx";
import { step } from "./range.tsx";
import { go, goToPage, view } from "./store.ts";

const OFF = "footfall-keys";
export const isHelpOpen = signal(false);
export const isTable = signal(false);
/** Whether single keys do anything. */
export const areKeysOn = signal(recallText(OFF) === null);

/** After "g". */
export const SHOPS_KEY = "h";
let isGoing = false;

export interface Keyed {
  /** Whether the page has a range and filters to change. */
  readonly hasView: boolean;
  /** Shows the next number in the chart, where there is one. */
  readonly nextMetric?: (() => void) | undefined;
}

/** Listens for keys. */
export function useKeys({ hasView, nextMetric }: Keyed): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const target = event.target as Element | null;
      // What is open over the page has all keys, also where it lost its focus with a row that went.
      const isOver = document.querySelector("dialog:modal, :popover-open") !== null;
      const isTyping =
        isOver || target?.closest("input, select, textarea, dialog, [popover], [contenteditable]") != null;
      if (!areKeysOn.value || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
      if (act(event.key, { hasView, nextMetric })) event.preventDefault();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [hasView, nextMetric]);
}

function act(key: string, { hasView, nextMetric }: Keyed): boolean {
  const wasGoing = isGoing;
  isGoing = key === "g";
  if (wasGoing) return goTo(key);
  if (key === "?") isHelpOpen.value = true;
  else if (key === ".") fullScreen();
  else return hasView && change(key, nextMetric);
  return true;
}

/** Changes what the page shows. */
function change(key: string, nextMetric: Keyed["nextMetric"]): boolean {
  const range = /^[1-9]$/.test(key) ? RANGES[Number(key) - 1] : undefined;
  // A page may have a range alone.
  const filter = document.getElementById("filter");
  if (range !== undefined) go({ range, by: undefined });
  else if (key === "[") step(-1);
  else if (key === "]") step(1);
  else if (key === "c" && filter !== null) go({ vs: view.value.vs === "none" ? "prev" : "none" });
  else if (key === "m") nextMetric?.();
  else if (key === "f") filter?.showPopover();
  else if (key === "T") isTable.value = !isTable.value;
  else if (key === "Escape" && filter !== null && view.value.filters.length > 0) go({ filters: [] });
  else return false;
  return true;
}

function goTo(key: string): boolean {
  const page = pagesHere().find((one) => one.key === key);
  if (page !== undefined) goToPage(page.name);
  else if (key === SHOPS_KEY && shareToken === undefined) location.assign("/shops");
  else return false;
  return true;
}

function fullScreen(): void {
  const done =
    document.fullscreenElement === null ? document.documentElement.requestFullscreen() : document.exitFullscreen();
  done.catch(() => undefined); // the browser may not let a page; then it stays as it is
}

/** Turns single keys on or off, for this browser. */
export function turnKeys(on: boolean): void {
  areKeysOn.value = on;
  if (on) dropText(OFF);
  else keepText(OFF, "off");
}

/** The list of keys, with the switch that turns them off. */
export const KeyHelp = late(() => import("./parts/keys/part.tsx"));
