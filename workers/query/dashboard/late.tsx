// A part of a page whose script is asked for when it is first shown: what few need is not in the way of the numbers.

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "./text.ts";

/** The component that `load` gives; nothing until it has come, and a sentence where it did not. */
export function late<Props extends object>(load: () => Promise<{ readonly default: ComponentType<Props> }>) {
  return function Late(props: Props) {
    const [Loaded, setLoaded] = useState<ComponentType<Props>>();
    const [isFailed, setFailed] = useState(false);
    useEffect(() => {
      load().then(
        (made) => setLoaded(() => made.default),
        () => setFailed(true), // no network, or a script of the release before
      );
    }, []);
    if (Loaded !== undefined) return <Loaded {...props} />;
    return isFailed ? (
      <p class="trouble" role="alert">
        {t("failed")}
      </p>
    ) : null;
  };
}
