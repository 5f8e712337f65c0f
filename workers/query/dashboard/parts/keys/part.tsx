// The list of keys, with the switch that turns them off.

import { useEffect, useRef } from "preact/hooks";
import { shareToken } from "../../boot.ts";
import { areKeysOn, isHelpOpen, SHOPS_KEY, turnKeys } from "../../keys.tsx";
import { pagesHere } from "../../navigation.tsx";
import { t as common, speak } from "../../text.ts";
import texts from "./text.ts";

const { t, named } = speak(texts);

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

/** The list of keys, with the switch that turns them off. */
export default function KeyHelp() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="sheet" aria-label={common("keys")} onClose={() => (isHelpOpen.value = false)}>
      <h2>{common("keys")}</h2>
      <dl class="keys">
        {LIST.map(([keys, what]) => [keys, named(what)])
          .concat(
            pagesHere().flatMap(({ key, title }) => (key === undefined ? [] : [[`g ${key}`, common(title)]])),
            shareToken === undefined ? [[`g ${SHOPS_KEY}`, common("shops")]] : [],
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
        <input type="checkbox" checked={areKeysOn.value} onChange={(event) => turnKeys(event.currentTarget.checked)} />{" "}
        {t("keysOn")}
      </label>
      <form method="dialog">
        <button type="submit">{common("close")}</button>
      </form>
    </dialog>
  );
}
