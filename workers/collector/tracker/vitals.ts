// Measures the web vitals of the document. They are sent once, when it is first hidden. Times are ms since the page was
// asked for. For a page that was prepared in advance they are ms since it was shown. INP is the slowest interaction;
// Google's INP leaves out one in fifty.

import { report } from "./action.ts";
import { attempt } from "./guard.ts";
import { type Leave, page } from "./page.ts";

/** The fields of the kinds of entries that are read here. */
export interface Entry extends PerformanceEntry {
  readonly value: number;
  readonly hadRecentInput: boolean;
  readonly interactionId: number;
  /** Of the document: when it was shown, when its first byte came, and its HTTP status. */
  readonly activationStart?: number;
  readonly responseStart: number;
  readonly responseStatus: number;
}

/** Shifts that are closer than this are of one window, up to the window's longest length. */
const SHIFT_GAP_MS = 1e3;
const SHIFT_WINDOW_MS = 5e3;

export function watchVitals({ activationStart = 0, responseStart }: Entry): Leave {
  const url = page;
  const vitals: Record<string, number> = { ttfb: (responseStart - activationStart) | 0 };
  let windowStart = 0;
  let shiftedAt = 0;
  let shifted = 0;
  const observers: Record<string, (entry: Entry) => unknown> = {
    paint: ({ startTime }) => (vitals["fcp"] = (startTime - activationStart) | 0),
    "largest-contentful-paint": ({ startTime }) => (vitals["lcp"] = (startTime - activationStart) | 0),
    event: ({ interactionId, duration }) => {
      if (interactionId) vitals["inp"] = Math.max(duration, vitals["inp"] || 0);
    },
    "layout-shift": ({ startTime, value, hadRecentInput }) => {
      if (hadRecentInput) return;
      if (startTime - shiftedAt > SHIFT_GAP_MS || startTime - windowStart > SHIFT_WINDOW_MS) {
        windowStart = startTime;
        shifted = 0;
      }
      shiftedAt = startTime;
      shifted += value;
      vitals["cls"] = Math.max(shifted, vitals["cls"] || 0);
    },
  };
  for (const type in observers) {
    attempt(() =>
      new PerformanceObserver((list) => list.getEntries().forEach(observers[type] as () => void)).observe({
        type,
        buffered: true,
        durationThreshold: 16,
      } as PerformanceObserverInit),
    );
  }
  let isSent: unknown;
  return (isHidden) => {
    if (isHidden && !isSent) report("web_vitals", { url, props: vitals });
    isSent ||= isHidden;
  };
}
