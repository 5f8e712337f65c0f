// The tracker as an ES module (`footfall/tracker`), for sites that bundle their scripts. It does what /t.js does, with
// options instead of attributes and functions instead of commands. On a server there is no page, so it does nothing.

import { watchAll } from "./full.ts";
import { attempt } from "./guard.ts";
import { track as countEvent, pageview as countPageview, startPages } from "./page.ts";
import { whenShown } from "./script.ts";
import type { Details, Settings } from "./settings.ts";
import { optOut as stop } from "./visitor.ts";

export type { Details, Product } from "./settings.ts";

/** The settings, where a switch may also be false. */
export type Options = {
  readonly [Name in keyof Settings]: Settings[Name] | (true extends Settings[Name] ? boolean : never);
};

/** The calls that came before `init`, or while the browser only prepares the page. */
let waiting: (() => void)[] | undefined = [];
let isBegun = false;

/** Starts counting, with the page view of this page. A second call changes nothing. */
export function init(options: Options): void {
  if (isBegun || typeof window === "undefined") return;
  isBegun = true;
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value)) as unknown as Settings;
  attempt(() =>
    whenShown(() => {
      startPages(given, watchAll);
      const calls = waiting ?? [];
      waiting = undefined;
      for (const call of calls) attempt(call);
    }),
  );
}

/** Counts an event: `track("signup", { props: { plan: "pro" } })`. */
export function track(name: string, details?: Details): void {
  ask(() => countEvent(name, details));
}

/** Counts a page view. It is for pages that have no address of their own, or for the option `manual`. */
export function pageview(details?: Details): void {
  ask(() => countPageview(details));
}

/** Stops counting in this browser for good, and deletes what the tracker keeps in it. */
export function optOut(): void {
  ask(() => stop());
}

export function optIn(): void {
  ask(() => stop(true));
}

function ask(call: () => void): void {
  if (waiting === undefined) attempt(call);
  else if (typeof window !== "undefined") waiting.push(call);
}
