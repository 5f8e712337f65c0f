// The keys of the page. Each is a single key that does nothing while somebody types or a dialog is open, and all of
// them can be turned off (WCAG 2.1.4).

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { RANGES } from "./address.ts";
import { shareToken } from "./boot.ts";
import { dropText, keepText, recallText } from "./keep.ts";
import { pagesHere } from "./navigation.tsx";
import { step } from "./range.tsx";
import { go, goToPage, view } from "./store.ts";
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
  ["⇧ T", "key_table"],
  [".", "key_full"],
  ["Esc", "key_escape"],
  ["?", "key_help"],
];

/** After "g". */
const SHOPS_KEY = "h";
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
      const isTyping = target?.closest("input, select, textarea, dialog, [popover], [contenteditable]") != null;
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
        {LIST.map(([keys, what]) => [keys, named(what)])
          .concat(
            pagesHere().flatMap(({ key, title }) => (key === undefined ? [] : [[`g ${key}`, t(title)]])),
            shareToken === undefined ? [[`g ${SHOPS_KEY}`, t("shops")]] : [],
          )
          .map(([keys, what]) => (
            <div key={keys}>
              <dt>
                <kbd>{keys}</kbd>
              </dt>
              <dd>{what}</dd>
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
