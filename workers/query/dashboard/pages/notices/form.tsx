// The fields of a form that says what somebody is told: topics, language, quiet hours, and a goal where one is asked
// for. A new subscription and a change of one have the same.

import { boot } from "../../boot.ts";
import { named as common, speak } from "../../text.ts";
import type { Act } from "../settings/act.tsx";
import { Choice, Field } from "../settings/act.tsx";
import { type Draft, GOAL_METRICS, GOAL_PERIODS, TOPICS } from "./subscription.ts";
import texts from "./text.ts";

const { t, named } = speak(texts);

interface WishFieldsProps {
  readonly draft: Draft;
  readonly change: (changes: Partial<Draft>) => void;
  /** The names of the shop's goals. */
  readonly goals: readonly string[];
  readonly act: Act;
}

export function WishFields({ draft, change, goals, act }: WishFieldsProps) {
  const { topics, language, quietFrom, quietTo } = draft;
  return (
    <>
      <fieldset class="topics">
        <legend>{t("topics")}</legend>
        {TOPICS.map((topic) => (
          <label key={topic} class="check">
            <input
              type="checkbox"
              checked={topics.includes(topic)}
              onChange={(event) => {
                const isChosen = event.currentTarget.checked;
                change({ topics: TOPICS.filter((one) => (one === topic ? isChosen : topics.includes(one))) });
              }}
            />
            {named(`topic_${topic}`)}
          </label>
        ))}
      </fieldset>
      {topics.includes("goal") && <GoalFields draft={draft} change={change} goals={goals} act={act} />}
      <Choice
        name="language"
        label={t("language")}
        value={language}
        options={boot.languages}
        onChange={(chosen) => change({ language: chosen })}
      />
      <div class="pair">
        <Field
          name="quiet_from"
          type="time"
          label={t("quietFrom")}
          value={quietFrom}
          onInput={(event) => change({ quietFrom: event.currentTarget.value })}
          failure={act.failure}
        />
        <Field
          name="quiet_to"
          type="time"
          label={t("quietTo")}
          value={quietTo}
          onInput={(event) => change({ quietTo: event.currentTarget.value })}
          failure={act.failure}
        />
      </div>
      <p class="mute">{t("quietHelp")}</p>
    </>
  );
}

function GoalFields({ draft, change, goals, act }: WishFieldsProps) {
  const { metric, least, period, of } = draft;
  // A goal that is no longer there is still what the subscription is about.
  const names = of === "" || goals.includes(of) ? goals : [...goals, of];
  return (
    <fieldset class="topics">
      <legend>{t("topic_goal")}</legend>
      <Choice
        name="metric"
        label={t("goalMetric")}
        value={metric}
        options={GOAL_METRICS.map((one) => [one, one === "events" ? t("events") : common(one)])}
        onChange={(chosen) => change({ metric: chosen })}
      />
      <Choice
        name="of"
        label={t("goalOf")}
        value={of}
        options={[["", t("goalShop")], ...names.map((name) => [name, name] as const)]}
        onChange={(chosen) => change({ of: chosen })}
      />
      <Field
        name="least"
        label={t("goalLeast")}
        value={least}
        onInput={(event) => change({ least: event.currentTarget.value })}
        failure={act.failure}
        required
        maxLength={20}
      />
      <Choice
        name="period"
        label={t("goalPeriod")}
        value={period}
        options={GOAL_PERIODS.map((one) => [one, named(`period_${one}`)])}
        onChange={(chosen) => change({ period: chosen })}
      />
    </fieldset>
  );
}
