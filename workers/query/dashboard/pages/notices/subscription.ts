// A subscription as the API tells it, as its form has it, and back.

export const TOPICS = ["weekly", "monthly", "traffic", "silence", "orders", "goal", "doubt"] as const;
export const CHANNELS = ["email", "webhook", "slack", "discord", "teams"] as const;
export const GOAL_METRICS = ["orders", "total_revenue", "visitors", "visits", "pageviews", "events"] as const;
export const GOAL_PERIODS = ["day", "week", "month"] as const;

interface Goal {
  readonly metric: string;
  readonly value: number;
  readonly period: string;
  /** The name of a goal; null for the whole shop. */
  readonly goal: string | null;
}

/** What can be changed of one. */
export interface Wishes {
  readonly topics: readonly string[];
  readonly language: string;
  readonly quiet: { readonly from: string; readonly to: string } | null;
  readonly goal: Goal | null;
}

export interface Subscription extends Wishes {
  readonly id: string;
  readonly channel: string;
  readonly target: string;
  readonly state: "on" | "unconfirmed" | "off";
  readonly reason: string;
  readonly paused_until: string | null;
  readonly next_report_at: string | null;
}

/** A message to it, and what became of it. */
export interface Delivery {
  readonly id: string;
  readonly state: string;
  readonly created_at: string;
  readonly next_at: string | null;
  readonly ended_at: string | null;
  readonly attempts: number;
  readonly error: string;
}

/** What stands in the fields of a form. */
export interface Draft {
  readonly topics: readonly string[];
  readonly language: string;
  readonly quietFrom: string;
  readonly quietTo: string;
  readonly metric: string;
  readonly least: string;
  readonly period: string;
  readonly of: string;
}

/** The fields of a form; of none, those of a new one. */
export function toDraft(language: string, known?: Wishes): Draft {
  const { quiet, goal } = known ?? { quiet: null, goal: null };
  return {
    topics: known?.topics ?? ["weekly"],
    language: known?.language ?? language,
    quietFrom: quiet?.from ?? "",
    quietTo: quiet?.to ?? "",
    metric: goal?.metric ?? "orders",
    least: goal === null ? "" : String(goal.value),
    period: goal?.period ?? "week",
    of: goal?.goal ?? "",
  };
}

/** What the fields say, or the name of the text that says what is wrong with them. */
export function fromDraft(draft: Draft): Wishes | "topicsNone" | "quietHalf" | "leastWrong" {
  const { topics, language, quietFrom: from, quietTo: to, metric, period, of } = draft;
  if (topics.length === 0) return "topicsNone";
  if ((from === "") !== (to === "")) return "quietHalf";
  const quiet = from === "" ? null : { from, to };
  if (!topics.includes("goal")) return { topics, language, quiet, goal: null };
  const value = Number(draft.least.replace(",", "."));
  if (!(value > 0) || !Number.isFinite(value)) return "leastWrong";
  return { topics, language, quiet, goal: { metric, value, period, goal: of === "" ? null : of } };
}

/** A target as it is shown: that of a chat has some hundred characters. Both ends tell it from another. */
export function shortly(target: string): string {
  return target.length <= SHOWN_MAX ? target : `${target.slice(0, SHOWN_MAX - 16)}…${target.slice(-15)}`;
}

/** The same within a sentence, which may run from right to left: an address never does. */
export function inSentence(target: string): string {
  return `\u2066${shortly(target)}\u2069`;
}

const SHOWN_MAX = 60;

/**
 * What a message was about, by its id: "sub_a:weekly:2026-W48", "sub_a:silence:2026-11-18T12:00:00.000Z:off". An alarm
 * may have gone off with it.
 */
export function aboutOf(id: string): { readonly kind: string; readonly isOver: boolean } {
  const [, kind = ""] = id.split(":");
  return { kind, isOver: id.endsWith(":off") };
}
