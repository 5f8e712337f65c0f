// One line below the numbers, where Days of the range were imported as rollups: which ones, from what, and what that
// means for the numbers; or that they are left out.

import type { Meta } from "../../numbers.ts";
import { dates, speak } from "../../text.ts";
import texts from "./text.ts";

const { t } = speak(texts);

/** Runs of Days that are named; more would be no line. */
const RUNS_MAX = 3;

export default function Imported({ meta: { imports } }: { readonly meta: Meta }) {
  if (imports === undefined) return <p class="mute">{t("skipped")}</p>;
  const runs = imports.days.slice(0, RUNS_MAX).map(([first, last]) => dates(first, last));
  const days = [...runs, ...(imports.days.length > RUNS_MAX ? ["…"] : [])].join(", ");
  const sources = [...new Set(imports.of.map(({ source }) => source))].join(", ");
  return (
    <p class="mute">
      {t("shown", { sources, days })} {imports.estimated.length > 0 && t("sums")}{" "}
      {imports.without.length > 0 && t("without")} {t("rest")}
    </p>
  );
}
