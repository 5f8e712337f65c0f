// The tracker as a script element: settings from its `data-*` attributes, `footfall(…)` as the page's way in, and what
// the page said before the script was there. While a browser only prepares a page (prerender) nothing is counted.

import { attempt, on } from "./guard.ts";
import { type Leave, pageview, startPages, track } from "./page.ts";
import type { Details, Settings } from "./settings.ts";
import { optOut } from "./visitor.ts";

/** `footfall("event", "signup", {props: {plan: "pro"}})`: a command and what it takes. */
type Command = readonly [name: string, ...rest: never[]];
/** `q` holds the commands that wait for the tracker. Once the tracker is there it is 1. */
type Footfall = ((...command: Command) => void) & { q?: Command[] | 1 };

const COMMANDS: Readonly<Record<string, (...rest: never[]) => unknown>> = {
  event: (name: string, details: Details) => name && track(name, details),
  pageview,
  optout: optOut,
};

/** Starts the tracker. `watch` starts what this build does beside page views. */
export function startScript(watch?: () => Leave): void {
  const { src, dataset } = document.currentScript as HTMLScriptElement;
  const host = window as { footfall?: Footfall };
  const start = () => {
    const waiting = host.footfall?.q || [];
    if (waiting === 1) return; // the page has the script twice
    const footfall: Footfall = (name, ...rest) => attempt(() => COMMANDS[name]?.(...rest));
    host.footfall = footfall;
    footfall.q = 1;
    startPages({ endpoint: new URL("v1/events", src), ...dataset } as unknown as Settings, watch);
    for (const command of waiting) footfall(...command);
  };
  whenShown(start);
}

/** Runs `start`: now, or when a page that the browser only prepares is shown. */
export function whenShown(start: () => void): void {
  if ((document as { prerendering?: boolean }).prerendering) on("prerenderingchange", start);
  else start();
}
