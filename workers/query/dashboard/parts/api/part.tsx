// The dialog "As the API sees it": the question or the address, to be copied, and its answer as a file.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type Address, shown } from "../../api-view.tsx";
import { shareToken } from "../../boot.ts";
import { Copy } from "../../copy.tsx";
import type { Asked } from "../../numbers.ts";
import { shared } from "../../store.ts";
import { t as common, speak } from "../../text.ts";
import { chartShown, toPng, toSvg } from "./picture.ts";
import texts from "./text.ts";

const { t } = speak(texts);

const SVG_TYPE = "image/svg+xml";
/** More than any panel has. */
const CSV_ROWS = 10_000;

/** The dialog that a panel's button opens. */
export default function ApiDialog({ question }: { readonly question: Asked | Address }) {
  return "address" in question ? <OfAddress {...question} /> : <OfQuestion question={question} />;
}

interface SheetProps {
  readonly lead: string;
  /** What is copied. */
  readonly text: string;
  readonly children: ComponentChildren;
}

function Sheet({ lead, text, children }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="sheet" aria-labelledby="api-title" onClose={() => (shown.value = undefined)}>
      <h2 id="api-title">{common("asApi")}</h2>
      <p class="mute">{lead}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keys have to reach it */}
      <pre tabIndex={0} dir="ltr">
        {text}
      </pre>
      <div class="choices">
        <Copy text={text} />
        {children}
        <form method="dialog">
          <button type="submit">{common("close")}</button>
        </form>
      </div>
    </dialog>
  );
}

/** An address, and what it answers. */
function OfAddress({ address }: Address) {
  const download = async () => {
    const response = await fetch(address);
    save(await response.blob(), response.ok ? "json" : "refusal");
  };
  return (
    <Sheet lead={t("addressLead")} text={`${location.origin}${address}`}>
      <button type="button" onClick={download}>
        {t("json")}
      </button>
    </Sheet>
  );
}

/** A question, its answer as CSV, and the chart where it is about one. */
function OfQuestion({ question }: { readonly question: Asked }) {
  const { kind = "query", ...own } = { kind: undefined, ...question };
  const path = `/api/v2/${kind}`;
  const whole = { ...shared.value, ...own };
  const file = kind === "query" ? { ...whole, pagination: { limit: CSV_ROWS } } : whole;
  const text = JSON.stringify(whole, null, 1);
  const isOfTime = "dimensions" in question && question.dimensions?.[0]?.startsWith("time:") === true;
  const chart = isOfTime ? chartShown() : undefined;
  const name = document.title;
  return (
    <Sheet lead={t("asApiLead", { path })} text={text}>
      <button type="button" onClick={() => download(path, file)}>
        {t("csv")}
      </button>
      {chart !== undefined && (
        <>
          <button type="button" onClick={() => save(new Blob([toSvg(chart, name)], { type: SVG_TYPE }), "svg")}>
            {t("svg")}
          </button>
          <button type="button" onClick={async () => save(await toPng(toSvg(chart, name)), "png")}>
            {t("png")}
          </button>
        </>
      )}
    </Sheet>
  );
}

async function download(path: string, question: object): Promise<void> {
  const headers = {
    accept: "text/csv",
    "content-type": "application/json",
    ...(shareToken !== undefined && { authorization: `Bearer ${shareToken}` }),
  };
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(question) });
  save(await response.blob(), response.ok ? "csv" : "refusal");
}

/** Gives a file to the browser. A refusal says why there is none. */
function save(file: Blob, kind: "csv" | "json" | "svg" | "png" | "refusal"): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = kind === "refusal" ? "footfall-error.json" : `footfall.${kind}`;
  link.click();
  URL.revokeObjectURL(link.href);
}
