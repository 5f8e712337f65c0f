// "As the API sees it": the question behind a panel, to be sent by a program, and its answer as a file for a
// spreadsheet.

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { shareToken } from "./boot.ts";
import { Copy } from "./copy.tsx";
import type { Asked } from "./numbers.ts";
import { shared } from "./store.ts";
import { t } from "./text.ts";

/** More than any panel has. */
const CSV_ROWS = 10_000;

const shown = signal<Asked | undefined>(undefined);

/** Opens the question of a panel. */
export function ApiButton({ question, name }: { readonly question: Asked; readonly name: string }) {
  return (
    <button
      type="button"
      class="link api"
      title={t("asApi")}
      aria-label={`${name}: ${t("asApi")}`}
      onClick={() => (shown.value = question)}
    >
      {"{ }"}
    </button>
  );
}

/** The dialog that a panel's button opens. */
export function ApiView() {
  const dialog = useRef<HTMLDialogElement>(null);
  const question = shown.value;
  useEffect(() => {
    if (question !== undefined && !dialog.current?.open) dialog.current?.showModal();
  }, [question]);
  if (question === undefined) return null;
  const { kind = "query", ...own } = { kind: undefined, ...question };
  const path = `/api/v2/${kind}`;
  const whole = { ...shared.value, ...own };
  const file = kind === "query" ? { ...whole, pagination: { limit: CSV_ROWS } } : whole;
  const text = JSON.stringify(whole, null, 1);
  return (
    <dialog ref={dialog} class="sheet" aria-labelledby="api-title" onClose={() => (shown.value = undefined)}>
      <h2 id="api-title">{t("asApi")}</h2>
      <p class="mute">{t("asApiLead", { path })}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keys have to reach it */}
      <pre tabIndex={0} dir="ltr">
        {text}
      </pre>
      <div class="pair">
        <Copy text={text} />
        <button type="button" onClick={() => download(path, file)}>
          {t("csv")}
        </button>
        <form method="dialog">
          <button type="submit">{t("close")}</button>
        </form>
      </div>
    </dialog>
  );
}

async function download(path: string, question: object): Promise<void> {
  const headers = {
    accept: "text/csv",
    "content-type": "application/json",
    ...(shareToken !== undefined && { authorization: `Bearer ${shareToken}` }),
  };
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(question) });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = response.ok ? "footfall.csv" : "footfall-error.json";
  link.click();
  URL.revokeObjectURL(link.href);
}
