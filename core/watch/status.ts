// What merchants are told about the deployment: four components, each with a state that follows from the raised alerts,
// the last 90 days, and incidents in an operator's words. It contains nothing of any merchant, and no number of the
// deployment.

import { INCIDENT_UPDATES_MAX, INCIDENTS_MAX, STATUS_OLD_MS } from "../limits.ts";
import type { Alert } from "./alert.ts";

export const COMPONENTS = ["collection", "numbers", "history", "api"] as const;
export type Component = (typeof COMPONENTS)[number];

/** The name of each component, for readers of the page. */
export const COMPONENT_NAMES: Readonly<Record<Component, string>> = {
  collection: "Taking hits",
  numbers: "Today's numbers",
  history: "Closed days, exports and recounts",
  api: "Dashboard and API",
};

/** From best to worst. "late": everything comes, later than usual. "disturbed": something is not answered. */
export const COMPONENT_STATES = ["working", "late", "disturbed"] as const;
export type ComponentState = (typeof COMPONENT_STATES)[number];

type States = Readonly<Record<Component, ComponentState>>;

/** Alerts that merchants notice, and what they notice. */
const NOTICED: Readonly<Record<string, readonly (readonly [Component, ComponentState])[]>> = {
  overflow_waiting: [["numbers", "late"]],
  overflow_stuck: [["numbers", "disturbed"]],
  publish_late: [["numbers", "late"]],
  days_unsealed: [["history", "late"]],
  late_days_waiting: [["history", "late"]],
  archive_stuck: [["history", "late"]],
  database_full: [["history", "late"]],
  ledger_silent: [
    ["numbers", "disturbed"],
    ["api", "disturbed"],
  ],
  directory_behind: [["api", "disturbed"]],
};

/** Days of history that are kept. */
const HISTORY_DAYS = 90;

export interface Status {
  /** UTC ms. */
  readonly at: number;
  readonly components: States;
  /** The worst of each UTC day, newest first. */
  readonly history: readonly { readonly date: string; readonly components: States }[];
}

/** The status after another look. `alerts` is undefined if the directory did not answer. */
export function statusOf(before: Status | undefined, alerts: readonly Alert[] | undefined, at: number): Status {
  const components = alerts === undefined ? silentStates(before) : statesOf(alerts);
  const date = new Date(at).toISOString().slice(0, 10);
  const [today, ...earlier] =
    before?.history[0]?.date === date ? before.history : [{ date, components }, ...(before?.history ?? [])];
  const worst = joined(components, today?.components ?? components);
  return { at, components, history: [{ date, components: worst }, ...earlier].slice(0, HISTORY_DAYS) };
}

function statesOf(alerts: readonly Alert[]): States {
  const noticed = alerts.filter(({ until }) => until === null).flatMap(({ name }) => NOTICED[name] ?? []);
  const states: Record<Component, ComponentState> = { ...ALL_WORKING };
  for (const [component, state] of noticed) states[component] = worse(states[component], state);
  return states;
}

const ALL_WORKING: States = { collection: "working", numbers: "working", history: "working", api: "working" };

/** Without the directory nothing can be answered. About the other components nothing new is known. */
function silentStates(before: Status | undefined): States {
  return { ...(before?.components ?? ALL_WORKING), api: "disturbed" };
}

function joined(a: States, b: States): States {
  const states: Record<Component, ComponentState> = { ...ALL_WORKING };
  for (const component of COMPONENTS) states[component] = worse(a[component], b[component]);
  return states;
}

function worse(a: ComponentState, b: ComponentState): ComponentState {
  return COMPONENT_STATES.indexOf(a) > COMPONENT_STATES.indexOf(b) ? a : b;
}

/** What happened, in an operator's words. */
export interface Incident {
  readonly id: string;
  readonly title: string;
  readonly state: "open" | "closed";
  /** UTC ms; `closedAt` is null while it is open. */
  readonly openedAt: number;
  readonly closedAt: number | null;
  /** Newest first. */
  readonly updates: readonly { readonly at: number; readonly text: string }[];
}

export function openIncident(
  incidents: readonly Incident[],
  { id, title, text, at }: { readonly id: string; readonly title: string; readonly text: string; readonly at: number },
): readonly Incident[] {
  const incident: Incident = { id, title, state: "open", openedAt: at, closedAt: null, updates: [{ at, text }] };
  return [incident, ...incidents].slice(0, INCIDENTS_MAX);
}

/** Undefined where there is no incident with this id. A closed incident can be opened again. */
export function updateIncident(
  incidents: readonly Incident[],
  {
    id,
    text,
    state,
    at,
  }: { readonly id: string; readonly text: string; readonly state: Incident["state"]; readonly at: number },
): readonly Incident[] | undefined {
  if (!incidents.some((one) => one.id === id)) return undefined;
  return incidents.map((one) =>
    one.id === id
      ? {
          ...one,
          state,
          closedAt: state === "closed" ? at : null,
          updates: [{ at, text }, ...one.updates].slice(0, INCIDENT_UPDATES_MAX),
        }
      : one,
  );
}

/** What is shown to merchants, as it lies in R2. */
export interface Told {
  readonly status: Status | undefined;
  readonly incidents: readonly Incident[];
}

/** What an answer says while numbers are late or an incident is open. */
export function noticeOf({ status, incidents }: Told, now: number): string | undefined {
  const open = incidents.find(({ state }) => state === "open");
  if (open !== undefined) return `${open.title} (incident ${open.id}; see /status)`;
  const isNew = status !== undefined && now - status.at < STATUS_OLD_MS;
  if (!isNew || status.components.numbers === "working") return undefined;
  return "Numbers are later than usual; as_of says up to when they are whole. See /status.";
}
