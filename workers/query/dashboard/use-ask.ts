// What a page asks about numbers, as it stands.

import { useEffect, useRef } from "preact/hooks";
import type { Asked } from "./numbers.ts";
import { ask, round, shop, view } from "./store.ts";

/** Asks the page's questions, those that have changed, and all of them when everything is asked again. */
export function useAsk(questions: Readonly<Record<string, Asked>>): void {
  const again = round.value;
  const last = useRef(again);
  useEffect(() => {
    ask(questions, again !== last.current);
    last.current = again;
  }, [JSON.stringify(questions), again, view.value, shop.value]);
}
