// Settings, Your page: whether hits come, asked for while somebody looks. What was left out is told by
// its reason, with what to do.

import { useEffect, useState } from "preact/hooks";
import { askTogether, type Told } from "../../numbers.ts";
import { noteSignedOut, shop } from "../../store.ts";
import { t as common, speak } from "../../text.ts";
import trustTexts from "../trust/text.ts";
import { arrived, type Heard } from "./heard.ts";
import texts from "./text.ts";

const { t, tn } = speak(texts);
/** The reasons are those of Trust, in its words. */
const { named: reason } = speak(trustTexts);

const EVERY_MS = 3_000;
/** Whoever has walked away asks for nothing. */
const ROUNDS_MAX = 200;

const QUESTIONS = {
  counted: { metrics: ["events"] },
  dropped: { metrics: ["drops"], dimensions: ["event:drop_reason"] },
};

/** How many hits have come since the section was opened, and how many were left out. */
export function Check() {
  const [first, setFirst] = useState<Heard>();
  const [last, setLast] = useState<Heard>();
  const [problem, setProblem] = useState("");
  const [turn, setTurn] = useState(0);
  const [isResting, setResting] = useState(false);
  const id = shop.value?.id ?? "";
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let rounds = 0;
    const wait = (ms: number) => {
      timer = setTimeout(() => {
        listen().catch((error: unknown) => {
          if (!signal.aborted) throw error;
        });
      }, ms);
    };
    const listen = async () => {
      if (document.hidden) return wait(EVERY_MS);
      rounds += 1;
      if (rounds > ROUNDS_MAX) return setResting(true);
      const asked = { site_id: id, date_range: "day", filters: [] };
      const { counted, dropped } = await askTogether(asked, QUESTIONS, signal);
      const heard = heardOf(counted, dropped);
      setProblem(heard === undefined ? troubleOf([counted, dropped]) : "");
      if (heard !== undefined) {
        setFirst((known) => known ?? heard);
        setLast(heard);
      }
      return wait(EVERY_MS);
    };
    setResting(false);
    wait(0);
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [id, turn]);
  const { counted, dropped } = arrived(first, last);
  const isQuiet = counted === 0 && dropped.length === 0;
  return (
    <section class="panel check-live" aria-labelledby="check-title">
      <h2 id="check-title">{t("checkTitle")}</h2>
      <div role="status">
        {isQuiet && <p>{isResting ? t("checkRests") : t("checkWaits")}</p>}
        {counted > 0 && (
          <p class="came">
            <span aria-hidden="true">✓</span> {tn("checkCame", counted)}
          </p>
        )}
        {dropped.map(([why, n]) => (
          <p key={why} class="left-out">
            <span aria-hidden="true">✗</span> {tn("checkLeftOut", n)} <b>{reason(`d_${why}`)}.</b> {reason(`do_${why}`)}
          </p>
        ))}
      </div>
      {problem !== "" && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {last !== undefined && <p class="mute">{tn("checkToday", last.counted)}</p>}
      <p class="mute">{t("checkRefused")}</p>
      {isResting && (
        <button type="button" onClick={() => setTurn((n) => n + 1)}>
          {t("checkAgain")}
        </button>
      )}
    </section>
  );
}

/** What was told of today; undefined where it could not be told. */
function heardOf(counted: Told, dropped: Told): Heard | undefined {
  if (!("answer" in counted) || !("answer" in dropped)) return undefined;
  const rows = dropped.answer.results.map(
    ({ dimensions, metrics }) => [dimensions[0] ?? "", Number(metrics[0])] as const,
  );
  return { counted: Number(counted.answer.results[0]?.metrics[0] ?? 0), dropped: Object.fromEntries(rows) };
}

function troubleOf(all: readonly Told[]): string {
  const [failure] = all.flatMap((one) => ("failure" in one ? [one.failure] : []));
  if (failure === undefined) return common("jobStart");
  noteSignedOut(failure);
  if (failure.why === "offline") return t("offlineAct");
  return "message" in failure && failure.message !== "" ? failure.message : common("failed");
}
