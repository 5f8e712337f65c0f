// What the page knows: the view of the address, and what was last told of each part of it. A part is shown at once from
// the last numbers of the same question, dimmed, while new ones are asked for; only the newest question of a part is
// listened to. Last numbers lie in the browser's storage for one person, a few views of them, and go when somebody else
// signs in or this one out.

import { batch, computed, signal } from "@preact/signals";
import { OPERATORS, parsePlace, parseView, toSearch, usualInterval, type View } from "./address.ts";
import { boot, type Shop, shareToken } from "./boot.ts";
import { DIMENSIONS } from "./dimension.ts";
import { dropText, keepText, parseKept, recallText } from "./keep.ts";
import {
  type Answer,
  type Asked,
  askTogether,
  type Failure,
  followJob,
  type Job,
  type Shared,
  type Told,
} from "./numbers.ts";

export const view = signal<View>(parseView(location.search));
/** The name of the page that the address says; there may be none of that name. */
export const page = signal(parsePlace(location.pathname).page);
export const shop = signal<Shop | undefined>(undefined);
/** Whether the session has ended while the page was open. */
export const isSignedOut = signal(false);

addEventListener("popstate", () => show(parsePlace(location.pathname).page, parseView(location.search)));

/** Shows a page. What was told to another one is no part of it; last numbers come back when it is opened again. */
function show(name: string, next: View): void {
  batch(() => {
    view.value = next;
    if (name === page.value) return;
    for (const controller of asking.values()) controller.abort();
    asking.clear();
    asked.clear();
    parts.value = {};
    page.value = name;
  });
}

/** Opens another page of this shop with the same range and filters, or with a view, as a load of it would. */
export function goToPage(name: string, next?: View): void {
  history.pushState(null, "", addressOfPage(name, next));
  show(name, parseView(location.search));
  scrollTo(0, 0);
}

/** The address of a page of this shop, with the range and filters of this one, or with a view. */
export function addressOfPage(name: string, next?: View): string {
  const { steps, all, at, ...kept } = view.value;
  const place = shareToken === undefined ? `/s/${encodeURIComponent(shop.value?.id ?? "")}` : "/share";
  return `${place}/${name}${toSearch(next ?? kept)}`;
}

type Change = { readonly [Name in keyof View]?: View[Name] | undefined };

/** Changes the view: a step in the browser's history unless `quietly`. */
export function go(change: Change, quietly = false): void {
  // What is undefined is left out of the address, as a view without it.
  const next = { ...view.value, ...change } as View;
  const address = location.pathname + toSearch(next);
  if (quietly) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  view.value = next;
}

/** The zone that the shop's days are of. */
export function zoneOfShop(): string {
  return shop.value?.time_zone ?? "UTC";
}

export const interval = computed(() => view.value.by ?? usualInterval(view.value.range));

/** The range and filters of the view, as the API has them. */
export const shared = computed<Shared | undefined>(() => {
  const { range, filters } = view.value;
  if (shop.value === undefined) return undefined;
  return {
    site_id: shop.value.id,
    date_range: range,
    filters: filters.map(({ operator, dimension, values }) => [OPERATORS[operator], DIMENSIONS[dimension], values]),
  };
});

/** What the view is compared with, as the API has it; of all time there is nothing before. */
export const comparisons = computed(() => COMPARED[view.value.range === "all" ? "none" : view.value.vs]);

const COMPARED: Readonly<Record<View["vs"], object | undefined>> = {
  prev: { mode: "previous_period", match_day_of_week: true },
  plain: { mode: "previous_period" },
  year: { mode: "year_over_year" },
  none: undefined,
};

/** One part of the page. */
export interface Part {
  readonly answer?: Answer;
  /** What an address answered that is no question (get.ts), and when. */
  readonly body?: unknown;
  readonly asOf?: string;
  /** Whether the answer is of an earlier time, and a new one is on its way or did not come. */
  readonly isStale: boolean;
  readonly failure?: Failure;
  readonly job?: Job;
}

export const parts = signal<Readonly<Record<string, Part>>>({});
/** UTC ms at which a question that was asked too often is asked again. */
export const waitingUntil = signal<number | undefined>(undefined);

/** Who asks for which part now. A request of several parts goes on while any of them still waits for it. */
const asking = new Map<string, AbortController>();
/** Questions by part, as text: what is shown of a part is of this one. */
const asked = new Map<string, string>();

/**
 * Asks for parts, those alone whose question is another one than before; all of them with `again`. They are about the
 * range and filters of the view unless said.
 */
export function ask(questions: Readonly<Record<string, Asked>>, again = false, common = shared.value): void {
  if (common === undefined) return;
  const keys = Object.fromEntries(
    Object.entries(questions).map(([name, question]) => [name, JSON.stringify([common, question])] as const),
  );
  const names = Object.keys(questions).filter((name) => again || asked.get(name) !== keys[name]);
  if (names.length === 0) return;
  const controller = new AbortController();
  const shown = { ...parts.value };
  for (const name of names) {
    const earlier = asking.get(name);
    asking.set(name, controller);
    if (earlier !== undefined && ![...asking.values()].includes(earlier)) earlier.abort();
    const isSame = asked.get(name) === keys[name];
    asked.set(name, keys[name] as string);
    const known = isSame ? shown[name]?.answer : recall(keys[name] as string);
    shown[name] = { isStale: true, ...(known !== undefined && { answer: known }) };
  }
  parts.value = shown;
  const chosen = Object.fromEntries(names.map((name) => [name, questions[name] as Asked]));
  run(common, chosen, keys, controller).catch((error: unknown) => {
    if (!controller.signal.aborted) throw error;
  });
}

async function run(
  common: Shared,
  questions: Readonly<Record<string, Asked>>,
  keys: Readonly<Record<string, string>>,
  controller: AbortController,
): Promise<void> {
  const told = await askTogether(common, questions, controller.signal);
  const isWanted = (name: string) => asking.get(name) === controller;
  const show = async (name: string, first: Told) => {
    let one = first;
    while (isWanted(name) && "job" in one) {
      put(name, { ...parts.value[name], isStale: true, job: one.job });
      await new Promise((settle) => setTimeout(settle, JOB_ASKED_EVERY_MS));
      one = await followJob(common.site_id, one.job, name);
    }
    if (!isWanted(name) || "job" in one) return;
    if ("failure" in one) return fail(name, one.failure);
    put(name, { answer: one.answer, isStale: false });
    remember(keys[name] as string, one.answer);
  };
  await Promise.all(Object.entries(told).map(([name, first]) => show(name, first)));
}

const JOB_ASKED_EVERY_MS = 700;

/** What is known of a part. */
export function put(name: string, part: Part): void {
  parts.value = { ...parts.value, [name]: part };
}

/** Nothing is shown of that part any more. */
export function drop(name: string): void {
  const { [name]: _, ...others } = parts.value;
  parts.value = others;
}

/** A part could not be told: what was known of it stays, and it is asked again where that may help. */
export function fail(name: string, failure: Failure): void {
  noteSignedOut(failure);
  const { job: _, ...known } = parts.value[name] ?? {};
  put(name, { ...known, isStale: true, failure });
  if (failure.why === "too often") askLater(failure.retryAfterSeconds * 1_000);
  if (failure.why === "offline") askLater(OFFLINE_ASKED_EVERY_MS);
}

/** Somebody whose session has ended signs in over the page. A share link has no session. */
export function noteSignedOut(failure: Failure): void {
  if (failure.why === "signed out" && shareToken === undefined) isSignedOut.value = true;
}

const OFFLINE_ASKED_EVERY_MS = 15_000;
let timer: ReturnType<typeof setTimeout> | undefined;
/** Grows when everything is to be asked again. */
export const round = signal(0);

function askLater(ms: number): void {
  clearTimeout(timer);
  waitingUntil.value = Date.now() + ms;
  timer = setTimeout(askAgain, ms);
}

/** Asks again for all that is shown. */
export function askAgain(): void {
  clearTimeout(timer);
  waitingUntil.value = undefined;
  round.value += 1;
}
addEventListener("online", askAgain);

const KEPT = "footfall-numbers";
const KEPT_COUNT_MAX = 40;
interface Kept {
  readonly who: string;
  readonly numbers: readonly (readonly [key: string, answer: Answer])[];
}

function readKept(): Kept {
  const nothing: Kept = { who: boot.email ?? "", numbers: [] };
  const kept = boot.email === undefined ? undefined : parseKept<Kept>(recallText(KEPT));
  return kept?.who === nothing.who ? kept : nothing;
}

function recall(key: string): Answer | undefined {
  return readKept().numbers.find(([one]) => one === key)?.[1];
}

function remember(key: string, answer: Answer): void {
  if (boot.email === undefined) return; // a share link's numbers stay with the page
  const { who, numbers } = readKept();
  const kept = [[key, answer] as const, ...numbers.filter(([one]) => one !== key)].slice(0, KEPT_COUNT_MAX);
  // Without room for them the next visit starts without last numbers.
  if (!keepText(KEPT, JSON.stringify({ who, numbers: kept }))) dropText(KEPT);
}

/** Forgets the last numbers, of whomever. */
export function forgetNumbers(): void {
  dropText(KEPT);
}
