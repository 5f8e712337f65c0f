// The tracker as a script element. Its settings come from `data-*` attributes. The page gives commands by
// `footfall(…)`, also before the script is loaded. While a browser only prepares a page (prerender) nothing is counted.

import { attempt, on } from "./guard.ts";
import { type Leave, pageview, startPages, track } from "./page.ts";
import type { Details, Settings } from "./settings.ts";
import { optOut } from "./visitor.ts";

/** A command and its arguments, such as `footfall("event", "signup", {props: {plan: "pro"}})`. */
type Command = readonly [name: string, ...rest: never[]];
/** `q` has the commands that wait for the tracker. It is 1 once the tracker has started. */
type Footfall = ((...command: Command) => void) & { q?: Command[] | 1 };

const COMMANDS: Readonly<Record<string, (...rest: never[]) => unknown>> = {
  event: (name: string, details: Details) => name && track(name, details),
  pageview,
  optout: optOut,
};

/** Starts the tracker. `watch` starts what this build watches beside page views. */
export function startScript(watch?: () => Leave): void {
  const { src, dataset } = document.currentScript as HTMLScriptElement;
  const host = window as { footfall?: Footfall };
  const start = () => {
    const waiting = host.footfall?.q || [];
    if (waiting === 1) return; // the script is on the page twice
    const footfall: Footfall = (name, ...rest) => attempt(() => COMMANDS[name]?.(...rest));
    host.footfall = footfall;
    footfall.q = 1;
    startPages({ endpoint: new URL("v1/events", src), ...dataset } as unknown as Settings, watch);
    for (const command of waiting) footfall(...command);
  };
  whenShown(start);
}

/** Runs `start` now, or when a page that is only being prepared is shown. */
export function whenShown(start: () => void): void {
  if ((document as { prerendering?: boolean }).prerendering) on("prerenderingchange", start);
  else start();
}
