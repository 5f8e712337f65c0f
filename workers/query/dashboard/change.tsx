// How a number differs from the one before it.

import { percent, t } from "./text.ts";

/** More or less than before, by sign, word and colour. */
export function Change({ change, good }: { readonly change: number | null; readonly good: 1 | 0 | -1 }) {
  if (change === null) return null;
  if (change === 0) return <span class="change mute">▬ {t("same")}</span>;
  const kind = good * change > 0 ? "gain" : good * change < 0 ? "loss" : "mute";
  const word = change > 0 ? t("more", { percent: percent(change) }) : t("less", { percent: percent(change) });
  return (
    <span class={`change ${kind}`}>
      <span aria-hidden="true">
        {change > 0 ? "▲" : "▼"} {percent(change)}
      </span>
      <span class="hidden">{word}</span>
    </span>
  );
}
