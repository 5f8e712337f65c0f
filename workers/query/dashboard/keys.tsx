// The keys of the page. Each is a single key that does nothing while somebody types or a dialog is open, and all of them can be
// turned off (WCAG 2.1.4).

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { RANGES } from "./address.ts";
import { dropText, keepText, recallText } from "./keep.ts";
import { step } from "./range.tsx";
import { addressOf, go, shop, view } from "./store.ts";
import { named, t } from "./text.ts";

const OFF = "footfall-keys";
export const isHelpOpen = signal(false);
export const isTable = signal(false);
const areKeysOn = signal(recallText(OFF) === null);

/** What the list of keys says. */
const LIST: readonly (readonly [keys: string, what: string])[] = [
  ["1 – 9", "key_ranges"],
  ["[ ]", "key_before"],
  ["c", "key_compare"],
  ["m", "key_metric"],
  ["f", "key_filter"],
  ["g o, g s", "key_pages"],
  ["⇧ T", "key_table"],
  [".", "key_full"],
  ["Esc", "key_escape"],
  ["?", "key_help"],
];

let isGoing = false;

/** Listens for keys; `nextMetric` shows the next number in the chart. */
export function useKeys(nextMetric: () => void): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const target = event.target as Element | null;
      const isTyping = target?.closest("input, select, textarea, dialog, [popover], [contenteditable]") != null;
      if (!areKeysOn.value || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
      if (act(event.key, nextMetric)) event.preventDefault();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [nextMetric]);
}

function act(key: string, nextMetric: () => void): boolean {
  const wasGoing = isGoing;
  isGoing = key === "g";
  if (wasGoing) return goTo(key);
  const range = /^[1-9]$/.test(key) ? RANGES[Number(key) - 1] : undefined;
  if (range !== undefined) go({ range, by: undefined });
  else if (key === "[") step(-1);
  else if (key === "]") step(1);
  else if (key === "c") go({ vs: view.value.vs === "none" ? "prev" : "none" });
  else if (key === "m") nextMetric();
  else if (key === "f") document.getElementById("filter")?.showPopover();
  else if (key === "T") isTable.value = !isTable.value;
  else if (key === "?") isHelpOpen.value = true;
  else if (key === ".") fullScreen();
  else if (key === "Escape" && view.value.filters.length > 0) go({ filters: [] });
  else return false;
  return true;
}

function goTo(key: string): boolean {
  if (key === "s") location.assign("/shops");
  else if (key === "o" && shop.value !== undefined) location.assign(addressOf(shop.value.id, "overview"));
  else return false;
  return true;
}

function fullScreen(): void {
  const done =
    document.fullscreenElement === null ? document.documentElement.requestFullscreen() : document.exitFullscreen();
  done.catch(() => undefined); // the browser may not let a page; then it stays as it is
}

/** The list of keys, with the switch that turns them off. */
export function KeyHelp() {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = isHelpOpen.value;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
  }, [isOpen]);
  const turn = (on: boolean) => {
    areKeysOn.value = on;
    if (on) dropText(OFF);
    else keepText(OFF, "off");
  };
  return (
    <dialog ref={dialog} class="sheet" aria-label={t("keys")} onClose={() => (isHelpOpen.value = false)}>
      <h2>{t("keys")}</h2>
      <dl class="keys">
        {LIST.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{named(what)}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input type="checkbox" checked={areKeysOn.value} onChange={(event) => turn(event.currentTarget.checked)} />{" "}
        {t("keysOn")}
      </label>
      <form method="dialog">
        <button type="submit">{t("close")}</button>
      </form>
    </dialog>
  );
}
