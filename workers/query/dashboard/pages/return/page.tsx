// The page Return: who came back in the weeks after, and the pages that visits go through. Whether somebody comes back
// can be told only of visitors with an id of their own, which is said where nobody did.

import { addDays, type View, withFilter } from "../../address.ts";
import { ApiButton, ApiView } from "../../api-view.tsx";
import { Frame } from "../../frame.tsx";
import type { Answer, Report } from "../../numbers.ts";
import { datesShown, today } from "../../range.tsx";
import { Nothing, Trouble } from "../../state.tsx";
import { go, type Part, parts, view } from "../../store.ts";
import { bucket, t as common, count, percent, speak, valueName } from "../../text.ts";
import { useAsk } from "../../use-ask.ts";
import { ViewBar } from "../../view-bar.tsx";
import texts from "./text.ts";

const { t } = speak(texts);

/** Visitors by the week they first came in, and how many of them came in that week and each after. */
interface Cohort {
  readonly cohort: string;
  readonly visitors: number;
  readonly retained: readonly number[];
}

/** The first pages of visits. */
interface Path {
  readonly pages: readonly string[];
  readonly visits: number;
}

const RETENTION: Report = { kind: "retention" };
const DEPTHS = [2, 3, 4, 5] as const;
const DEPTH_USUAL = 3;
const PATHS = 20;
const HEATS = 5;

/** Who came back, and where visits go. */
export default function Return() {
  const way = wayOf(view.value);
  const { depth, page, isBefore } = way;
  const paths: Report = { kind: "paths", depth, limit: PATHS, ...(page && { [isBefore ? "to" : "from"]: page }) };
  useAsk({ top: { metrics: ["visitors"] }, retention: RETENTION, paths });
  return (
    <Frame title={common("pageReturn")} bar={<ViewBar without="comparison" />}>
      <div class="return-page">
        <Retention part={parts.value["retention"]} />
        <Paths part={parts.value["paths"]} question={paths} way={way} />
      </div>
      <ApiView />
    </Frame>
  );
}

/** A report's rows are its own. */
function rowsOf<Row>(answer: Answer | undefined): readonly Row[] | undefined {
  return answer?.results as unknown as readonly Row[] | undefined;
}

interface Shown {
  readonly part: Part | undefined;
}

function Retention({ part }: Shown) {
  const cohorts = rowsOf<Cohort>(part?.answer);
  const weeks = Math.max(0, ...(cohorts ?? []).map(({ retained }) => retained.length));
  const hasReturned = cohorts?.some(({ retained }) => retained.slice(1).some((one) => one > 0));
  return (
    <section class="panel" aria-labelledby="retention-title" aria-busy={part?.isStale ?? true}>
      <h2 id="retention-title">{t("retention")}</h2>
      <p class="mute">{t("retentionLead")}</p>
      <Trouble part={part} />
      {cohorts === undefined ? (
        <p class="nothing">{part?.failure === undefined && <span class="wait" />}</p>
      ) : cohorts.length === 0 ? (
        <Nothing />
      ) : weeks < 2 ? (
        <div class="nothing">
          <p>{t("oneWeek")}</p>
          <button type="button" onClick={() => go({ range: "91d", by: undefined })}>
            {common("range_91d")}
          </button>
        </div>
      ) : (
        <>
          {!hasReturned && (
            <p class="notice" role="note">
              {t("nobodyReturned")}
            </p>
          )}
          <Cohorts cohorts={cohorts} weeks={weeks} />
        </>
      )}
      <footer>
        <ApiButton question={RETENTION} name={t("retention")} />
      </footer>
    </section>
  );
}

function Cohorts({ cohorts, weeks }: { readonly cohorts: readonly Cohort[]; readonly weeks: number }) {
  const after = Array.from({ length: weeks - 1 }, (_, index) => index + 1);
  // The last day that is over and within the range.
  const [, last = today()] = datesShown() ?? [];
  const over = last < today() ? last : addDays(today(), -1);
  const isPartly = (cohort: string, week: number) => addDays(cohort, 7 * week + 6) > over;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keys have to reach it
    <section class="cohorts" tabIndex={0} aria-label={t("firstWeek")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("firstWeek")}</th>
            <th scope="col">{common("visitors")}</th>
            {after.map((week) => (
              <th key={week} scope="col">
                {t("weekAfter", { n: count(week) })}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {cohorts.map(({ cohort, visitors, retained }) => (
            <tr key={cohort}>
              <th scope="row">{bucket(cohort, "week", "axis")}</th>
              <td>
                {count(visitors)}
                <Partly isSo={isPartly(cohort, 0)} />
              </td>
              {after.map((week) => (
                <Share key={week} visitors={visitors} returned={retained[week]} isPartly={isPartly(cohort, week)} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The mark of a number whose week is not over, or goes on behind the range. */
function Partly({ isSo }: { readonly isSo: boolean }) {
  if (!isSo) return null;
  return (
    <span class="mute" title={t("partly")}>
      <span aria-hidden="true"> …</span>
      <span class="hidden"> ({t("partly")})</span>
    </span>
  );
}

interface ShareProps {
  readonly visitors: number;
  readonly returned: number | undefined;
  readonly isPartly: boolean;
}

/** How many of a week's visitors came; empty where the week has not come. */
function Share({ visitors, returned, isPartly }: ShareProps) {
  if (returned === undefined) return <td />;
  const share = visitors === 0 ? 0 : returned / visitors;
  return (
    <td class={`heat-${Math.ceil(share * HEATS)}`} title={count(returned)}>
      {percent(share * 100)}
      <Partly isSo={isPartly} />
    </td>
  );
}

/** Which paths are shown: how deep, and of visits by way of a page what they saw from there on, or until then. */
interface Way {
  readonly depth: number;
  readonly page: string | undefined;
  readonly isBefore: boolean;
}

/** `at` is the depth where it is another than usual, and "b" for what came before the page. */
function wayOf({ at = "", steps = [] }: View): Way {
  const [, deep, before] = /^([2-5]?)(b?)$/.exec(at) ?? [];
  const page = steps.find(({ dimension }) => dimension === "page")?.values[0];
  return { depth: Number(deep || DEPTH_USUAL), page, isBefore: page !== undefined && before === "b" };
}

/** Shows paths otherwise; those by way of a page, or of another one, are a step in the history. */
function show({ depth, page, isBefore }: Way): void {
  const at = `${depth === DEPTH_USUAL ? "" : depth}${isBefore ? "b" : ""}`;
  const steps = page === undefined ? undefined : [{ operator: "is", dimension: "page", values: [page] } as const];
  go({ at: at || undefined, steps }, page === wayOf(view.value).page);
}

interface PathsProps extends Shown {
  readonly question: Report;
  readonly way: Way;
}

function Paths({ part, question, way }: PathsProps) {
  const { depth, page, isBefore } = way;
  const paths = rowsOf<Path>(part?.answer);
  const most = Math.max(1, ...(paths ?? []).map(({ visits }) => visits));
  const follow = (next: Way) => {
    show(next);
    document.getElementById("paths-title")?.focus(); // what was pressed may be gone with its path
  };
  const arrow = (
    <span class="arrow" aria-hidden="true">
      →
    </span>
  );
  return (
    <section class="panel" aria-labelledby="paths-title" aria-busy={part?.isStale ?? true}>
      <header>
        <h2 id="paths-title" tabIndex={-1}>
          {t("paths")}
        </h2>
        <fieldset class="switch">
          <legend class="hidden">{t("depth")}</legend>
          {DEPTHS.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === depth}
              aria-label={t("pagesDeep", { n: count(one) })}
              onClick={() => show({ ...way, depth: one })}
            >
              {count(one)}
            </button>
          ))}
        </fieldset>
      </header>
      {page === undefined ? (
        <p class="mute">{t("pathsLead", { n: count(depth) })}</p>
      ) : (
        <Followed page={page} way={way} follow={follow} />
      )}
      <Trouble part={part} />
      {paths === undefined ? (
        <p class="nothing">{part?.failure === undefined && <span class="wait" />}</p>
      ) : paths.length === 0 ? (
        <Nothing />
      ) : (
        <table class="rows paths">
          <thead>
            <tr>
              <th scope="col">{t("path")}</th>
              <th scope="col">{common("visits")}</th>
            </tr>
          </thead>
          <tbody>
            {paths.map(({ pages, visits }) => (
              <tr key={pages.join("\n")}>
                <th scope="row">
                  <svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
                    <rect width={(100 * visits) / most} height="1" />
                  </svg>
                  <span class="steps">
                    {isBefore && pages.length < depth && <span class="mute">{t("entered")}</span>}
                    {pages.map((one, index) => (
                      <span key={index}>
                        {(index > 0 || (isBefore && pages.length < depth)) && arrow}
                        <button type="button" class="value" onClick={() => follow({ ...way, page: one })}>
                          <bdi>{valueName("page", one)}</bdi>
                        </button>
                      </span>
                    ))}
                    {!isBefore && pages.length < depth && <span class="mute">{t("left")}</span>}
                  </span>
                </th>
                <td>{count(visits)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <footer>
        <ApiButton question={question} name={t("paths")} />
      </footer>
    </section>
  );
}

interface FollowedProps {
  readonly page: string;
  readonly way: Way;
  readonly follow: (way: Way) => void;
}

/** The page that paths are followed from: what came after it or before, its visits as a filter, and the way back. */
function Followed({ page, way, follow }: FollowedProps) {
  const filter = () => {
    go({ filters: withFilter(view.value.filters, { operator: "is", dimension: "page", values: [page] }) });
  };
  return (
    <div class="choices followed">
      <span class="mute">{t(way.isBefore ? "pathsBefore" : "pathsAfter")}</span>
      <b>
        <bdi>{valueName("page", page)}</bdi>
      </b>
      <fieldset class="switch">
        <legend class="hidden">{t("direction")}</legend>
        {[false, true].map((isBefore) => (
          <button
            key={String(isBefore)}
            type="button"
            aria-pressed={isBefore === way.isBefore}
            onClick={() => show({ ...way, isBefore })}
          >
            {t(isBefore ? "before" : "after")}
          </button>
        ))}
      </fieldset>
      <button type="button" onClick={filter}>
        {t("filterByIt")}
      </button>
      <button type="button" onClick={() => follow({ ...way, page: undefined, isBefore: false })}>
        {t("pathsAll")}
      </button>
    </div>
  );
}
