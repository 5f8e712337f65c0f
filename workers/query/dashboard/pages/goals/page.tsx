// The page Goals: how many reached each of the shop's goals, what the goals are, and a funnel whose steps its address
// holds. Goals are rules that hold for all of the past, so a new one has its numbers at once.

import { useState } from "preact/hooks";
import { FUNNEL_STEPS_MAX, FUNNEL_STEPS_MIN, FUNNEL_WINDOW_SECONDS } from "../../../../../core/limits.ts";
import { type Filter, withFilter } from "../../address.ts";
import { ApiButton, ApiView } from "../../api-view.tsx";
import { DIMENSIONS, type DimensionName } from "../../dimension.ts";
import { Frame } from "../../frame.tsx";
import { useGet } from "../../get.ts";
import { numberOf } from "../../metric.ts";
import type { Answer, Question as Asked, Report } from "../../numbers.ts";
import { Proof } from "../../proof.tsx";
import { Nothing, Trouble } from "../../state.tsx";
import { askAgain, go, parts, view } from "../../store.ts";
import { t as common, count, finePercent, locale, speak, valueName, named as word } from "../../text.ts";
import { useAsk } from "../../use-ask.ts";
import { ViewBar } from "../../view-bar.tsx";
import { Choice, Confirm, Field, Maker, ofShop, type Question, useAct } from "../settings/act.tsx";
import { isAllowed } from "../settings/role.ts";
import texts from "./text.ts";

const { t, tn } = speak(texts);

const REACHED: Asked = {
  metrics: ["visitors", "events", "conversion_rate"],
  dimensions: ["event:goal"],
  pagination: { limit: 50 },
};
/** What a step can be; the values that were seen of each are suggested. */
const STEP_KINDS = ["page", "goal", "event", "product"] as const satisfies readonly DimensionName[];
const SUGGESTED = 50;
/** What shops call the steps of a sale, in their order: a funnel of those that came is proposed. */
const STEPS_OF_SALE = ["view_item", "add_to_cart", "begin_checkout", "add_payment_info", "purchase"];
const HOUR_SECONDS = 3_600;
/** How long after its first step the others of a funnel count, as the address says it in `at`. */
const WINDOWS = [
  { name: "1h", n: 1, unit: "hour", seconds: HOUR_SECONDS },
  { name: "24h", n: 24, unit: "hour", seconds: FUNNEL_WINDOW_SECONDS },
  { name: "7d", n: 7, unit: "day", seconds: 7 * FUNNEL_WINDOW_SECONDS },
  { name: "30d", n: 30, unit: "day", seconds: 30 * FUNNEL_WINDOW_SECONDS },
] as const;
const WINDOW_USUAL = WINDOWS[1];

/** Who reached a goal, and who came how far. */
export default function Goals() {
  const steps = view.value.steps ?? [];
  const within = WINDOWS.find(({ name }) => name === view.value.at) ?? WINDOW_USUAL;
  const funnel: Report = {
    kind: "funnel",
    window_seconds: within.seconds,
    steps: steps.map((step) => ({ name: nameOf(step), filters: [["is", DIMENSIONS[step.dimension], step.values]] })),
  };
  const seen = STEP_KINDS.map((kind): [string, Asked] => [
    `seen-${kind}`,
    { metrics: ["visitors"], dimensions: [DIMENSIONS[kind]], pagination: { limit: SUGGESTED } },
  ]);
  const isFunnel = steps.length >= FUNNEL_STEPS_MIN;
  useAsk({ goals: REACHED, ...Object.fromEntries(seen), ...(isFunnel && { funnel }) });
  return (
    <Frame title={common("pageGoals")} bar={<ViewBar without="comparison" />}>
      <div class="settings-parts">
        <Reached />
        <Funnel steps={steps} within={within} question={isFunnel ? funnel : undefined} />
        <Kept />
      </div>
      <ApiView />
    </Frame>
  );
}

/** Each goal with who reached it. A goal is a link that filters. */
function Reached() {
  const part = parts.value["goals"];
  const rows = part?.answer?.results;
  return (
    <section class="panel" aria-labelledby="reached-title" aria-busy={part?.isStale ?? true}>
      <h2 id="reached-title">{t("reached")}</h2>
      <Trouble part={part} />
      {rows === undefined ? (
        <p class="nothing">{part?.failure === undefined && <span class="wait" />}</p>
      ) : rows.length === 0 ? (
        <Nothing />
      ) : (
        <table class="facts goals">
          <thead>
            <tr>
              <th scope="col">{common("goal")}</th>
              <th scope="col">{common("visitors")}</th>
              <th scope="col">{t("times")}</th>
              <th scope="col">{t("rate")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ dimensions: [name = ""], metrics }) => (
              <tr key={name}>
                <th scope="row">
                  <button
                    type="button"
                    class="value"
                    onClick={() =>
                      go({
                        filters: withFilter(view.value.filters, { operator: "is", dimension: "goal", values: [name] }),
                      })
                    }
                  >
                    <bdi>{valueName("goal", name)}</bdi>
                  </button>
                </th>
                <td>{count(numberOf(metrics[0]) ?? 0)}</td>
                <td>{count(numberOf(metrics[1]) ?? 0)}</td>
                <td>{finePercent((numberOf(metrics[2]) ?? 0) / 100)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <footer>
        <ApiButton question={REACHED} name={t("reached")} />
        {part?.answer !== undefined && <Proof metric="visitors" meta={part.answer.meta} isOpen={false} />}
      </footer>
    </section>
  );
}

/** A step as a reader would say it. */
function nameOf(step: Filter): string {
  return `${word(step.dimension)}: ${valuesOf(step)}`;
}

function valuesOf({ dimension, values }: Filter): string {
  return values.map((one) => valueName(dimension, one)).join(` ${common("or")} `);
}

/** What `kind: "funnel"` answers, a row for each step. */
interface Reach {
  readonly visitors: number;
  readonly conversion_rate: number;
  readonly step_conversion_rate: number;
}

interface FunnelProps {
  readonly steps: readonly Filter[];
  readonly within: (typeof WINDOWS)[number];
  readonly question: Report | undefined;
}

/** The steps of the address and how many came to each; and a form for one more. */
function Funnel({ steps, within, question }: FunnelProps) {
  const part = question === undefined ? undefined : parts.value["funnel"];
  const reached = part?.answer?.results as unknown as readonly Reach[] | undefined;
  const move = (from: number, to: number) => {
    const next = [...steps];
    next.splice(to, 0, ...next.splice(from, 1));
    go({ steps: next });
  };
  return (
    <section
      class="panel maker"
      aria-labelledby="funnel-title"
      aria-busy={question !== undefined && (part?.isStale ?? true)}
    >
      <h2 id="funnel-title" tabIndex={-1}>
        {t("funnel")}
      </h2>
      <p class="mute">{t("funnelLead")}</p>
      <Trouble part={part} />
      <ol class="funnel-steps">
        {steps.map((step, index) => {
          // While another funnel is asked for, numbers of the one before belong to other steps.
          const reach = reached?.length === steps.length ? reached[index] : undefined;
          const name = nameOf(step);
          return (
            <li key={`${index} ${name}`}>
              <span>
                {word(step.dimension)}: <bdi>{valuesOf(step)}</bdi>
              </span>
              <span class="choices">
                {index > 0 && (
                  <button
                    type="button"
                    class="link"
                    aria-label={`${t("earlier")}: ${name}`}
                    onClick={() => move(index, index - 1)}
                  >
                    ↑
                  </button>
                )}
                <button
                  type="button"
                  class="link"
                  aria-label={`${t("remove")}: ${name}`}
                  onClick={() => {
                    go({ steps: steps.filter((_, at) => at !== index) });
                    document.getElementById("funnel-title")?.focus();
                  }}
                >
                  ×
                </button>
              </span>
              {reach !== undefined && (
                <>
                  <svg class="reach" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
                    <rect width={reach.conversion_rate} height="1" />
                  </svg>
                  <span class="reached">
                    <b>{tn("people", reach.visitors)}</b>
                    {/* Of the second step, the first is the one before. */}
                    {index > 1 && <> {t("ofFirst", { share: finePercent(reach.conversion_rate / 100) })} ·</>}
                    {index > 0 && (
                      <span class="mute">
                        {" "}
                        {t("ofBefore", { share: finePercent(reach.step_conversion_rate / 100) })}
                      </span>
                    )}
                  </span>
                </>
              )}
            </li>
          );
        })}
      </ol>
      {steps.length === 0 && <SaleSteps />}
      {steps.length < FUNNEL_STEPS_MIN && <p class="mute">{t("stepsFew")}</p>}
      {steps.length > 0 && (
        <div class="within">
          <Choice
            name="within"
            label={t("within")}
            value={within.name}
            options={WINDOWS.map(({ name, n, unit }) => [name, span(n, unit)])}
            onChange={(name) => go({ at: name === WINDOW_USUAL.name ? undefined : name }, true)}
          />
        </div>
      )}
      {steps.length < FUNNEL_STEPS_MAX && <StepForm steps={steps} />}
      {question !== undefined && (
        <footer>
          <ApiButton question={question} name={t("funnel")} />
        </footer>
      )}
    </section>
  );
}

/** Such as "24 hours". */
function span(n: number, unit: "hour" | "day"): string {
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(n);
}

/** Proposes the steps of a sale, as far as the shop sends them. */
function SaleSteps() {
  const seen = namesOf(parts.value["seen-event"]?.answer);
  const known = STEPS_OF_SALE.filter((name) => seen.includes(name));
  if (known.length < FUNNEL_STEPS_MIN) return null;
  const take = () => {
    go({ steps: known.map((name) => ({ operator: "is", dimension: "event", values: [name] })) });
    document.getElementById("funnel-title")?.focus();
  };
  return (
    <p class="choices">
      <button type="button" onClick={take}>
        {t("stepsOfSale")}
      </button>
      <bdi class="mute">{known.join(" → ")}</bdi>
    </p>
  );
}

function StepForm({ steps }: { readonly steps: readonly Filter[] }) {
  const [kind, setKind] = useState<DimensionName>("page");
  const values = namesOf(parts.value[`seen-${kind}`]?.answer);
  const add = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const value = String(new FormData(form).get("step") ?? "").trim();
    if (value === "") return;
    go({ steps: [...steps, { operator: "is", dimension: kind, values: [value] }] });
    form.reset();
  };
  return (
    <form class="choices step-form" aria-label={t("addStep")} onSubmit={add}>
      <Choice
        name="kind"
        label={t("kind")}
        value={kind}
        options={STEP_KINDS.map((one) => [one, word(one)])}
        onChange={(chosen) => setKind(STEP_KINDS.find((one) => one === chosen) ?? "page")}
      />
      <Field name="step" label={t("which")} list="steps-seen" required failure={undefined} />
      <datalist id="steps-seen">
        {values.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <button type="submit">{t("addStep")}</button>
    </form>
  );
}

function namesOf(answer: Answer | undefined): readonly string[] {
  return (answer?.results ?? []).map(({ dimensions: [name = ""] }) => name);
}

interface Goal {
  readonly name: string;
  readonly event?: string;
  readonly page?: string;
}
interface Rules {
  readonly version: number;
  readonly rules: { readonly goals: readonly Goal[] };
}

/** What the goals are; an admin makes and removes them. */
function Kept() {
  const got = useGet<Rules>(ofShop("/rules"));
  const [question, ask] = useState<Question>();
  const act = useAct();
  const [wanted, want] = useState({ event: "", page: "" });
  const { body } = got;
  const goals = body?.rules.goals ?? [];
  const changeTo = (next: readonly Goal[]) => ({
    rules: { ...body?.rules, goals: next },
    if_version: body?.version,
  });
  const mayChange = isAllowed("admin") && body !== undefined;
  const make = async (given: (name: string) => string) => {
    const { event, page } = wanted;
    const goal = {
      name: given("name"),
      ...(event.trim() !== "" && { event: event.trim() }),
      ...(page.trim() !== "" && { page: page.trim() }),
    };
    const made = await act.send("PUT", ofShop("/rules"), changeTo([...goals, goal]));
    if (made === undefined) return false;
    want({ event: "", page: "" });
    askAgain(); // every number of a goal may be another one now
    return true;
  };
  return (
    <>
      <section
        class="panel"
        aria-labelledby="section-title"
        aria-busy={body === undefined && got.failure === undefined}
      >
        <h2 id="section-title" tabIndex={-1}>
          {t("goals")}
        </h2>
        <p class="mute">{t("goalsLead")}</p>
        <Trouble part={got} />
        {body !== undefined && goals.length === 0 && <p>{t("goalsNone")}</p>}
        <ul class="goals-kept">
          {goals.map(({ name, event, page }, index) => (
            <li key={name}>
              <b>
                <bdi>{name}</bdi>
              </b>
              <span>
                {event !== undefined && (
                  <span class="mute">
                    {common("event")}: <bdi>{event}</bdi>
                  </span>
                )}
                {page !== undefined && (
                  <span class="mute">
                    {common("page")}: <bdi>{page}</bdi>
                  </span>
                )}
              </span>
              {mayChange && (
                <button
                  type="button"
                  aria-label={`${t("remove")}: ${name}`}
                  onClick={() =>
                    ask({
                      title: t("goalRemove", { name }),
                      lost: t("goalRemoveLost"),
                      does: t("remove"),
                      method: "PUT",
                      path: ofShop("/rules"),
                      body: changeTo(goals.filter((_, at) => at !== index)),
                      done: askAgain,
                    })
                  }
                >
                  {t("remove")}
                </button>
              )}
            </li>
          ))}
        </ul>
      </section>
      {mayChange && (
        <Maker title={t("goalNew")} does={t("goalMake")} act={act} submit={make} fields={[]}>
          <Field name="name" label={t("name")} required maxLength={60} failure={undefined} />
          {(["event", "page"] as const).map((match) => (
            <Field
              key={match}
              name={match}
              label={common(match)}
              help={t(`${match}Help`)}
              value={wanted[match]}
              required={wanted.event.trim() === "" && wanted.page.trim() === ""}
              failure={undefined}
              onInput={(event) => want({ ...wanted, [match]: event.currentTarget.value })}
            />
          ))}
        </Maker>
      )}
      {question !== undefined && <Confirm question={question} close={() => ask(undefined)} />}
    </>
  );
}
