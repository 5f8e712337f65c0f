// What a page asks about numbers, as it stands.

import { useLayoutEffect, useRef } from "preact/hooks";
import type { Asked, Shared } from "./numbers.ts";
import { ask, round, shared, shop, view } from "./store.ts";

/**
 * Asks the page's questions, those that have changed, and all of them when everything is asked again: about the range
 * and filters of the view unless `common` says others. It asks before anything is painted, so that numbers are on their
 * way while the browser paints.
 */
export function useAsk(questions: Readonly<Record<string, Asked>>, common: Shared | undefined = shared.value): void {
  const again = round.value;
  const last = useRef(again);
  useLayoutEffect(() => {
    ask(questions, again !== last.current, common);
    last.current = again;
  }, [JSON.stringify([questions, common]), again, view.value, shop.value]);
}
