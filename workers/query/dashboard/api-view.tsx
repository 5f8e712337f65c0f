// "As the API sees it": the question behind a panel, to be sent by a program, and its answer as a file for a
// spreadsheet; or the address that a page reads. The dialog comes when it is first opened (parts/api/).

import { signal } from "@preact/signals";
import { late } from "./late.tsx";
import type { Asked } from "./numbers.ts";
import { t } from "./text.ts";

/** What a page reads that is no question. */
export interface Address {
  readonly address: string;
}

/** The question whose dialog is open, or the address. */
export const shown = signal<Asked | Address | undefined>(undefined);

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

const Dialog = late(() => import("./parts/api/part.tsx"));

/** The dialog that a panel's button opens. */
export function ApiView() {
  return shown.value === undefined ? null : <Dialog question={shown.value} />;
}
