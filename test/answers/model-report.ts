// The model's reports: funnels, retention and paths, by going through each visitor's events.

import { dateAfter, localDate, mondayOf } from "./calendar.ts";
import { distinct, inOrder, isPageview, type ModelSettings, type Seen, type View, type Visit } from "./model.ts";
import { type Body, isIn, type Span, spanOf } from "./model-answer.ts";
import { fits } from "./model-filter.ts";

/** A funnel, retention, or paths, as the API is asked for them. */
export interface ReportBody {
  readonly date_range: Body["date_range"];
  readonly filters: readonly unknown[];
  readonly steps?: readonly { readonly filters: readonly unknown[] }[];
  readonly window_seconds?: number;
  readonly depth?: number;
  readonly limit?: number;
}

export type ReportKind = "funnel" | "retention" | "paths";

/** The numbers of a report, each row with its name in front. */
export function reportOf(
  view: View,
  { kind, body }: { readonly kind: ReportKind; readonly body: ReportBody },
  { settings, now }: { settings: ModelSettings; now: number },
): readonly (readonly unknown[])[] {
  const span = spanOf(body.date_range, settings.zone, now);
  const passes = (seen: Seen, filters: readonly unknown[]) => filters.every((filter) => fits(filter, seen, view));
  const visits = view.visits.filter((visit) =>
    view.seen.some((seen) => seen.visit === visit && passes(seen, body.filters)),
  );
  const own = view.seen.filter(({ visit, date, stored }) => visits.includes(visit) && isIn(span, date, stored.told.at));
  if (kind === "funnel") return funnelOf(own, body, passes);
  if (kind === "retention") return retentionOf(own, span, settings.zone);
  return pathsOf(
    visits.filter(({ date, start }) => isIn(span, date, start.told.at)),
    body,
  );
}

/**
 * How many visitors came how far: from any of their first steps, each later one by a later event, within the window.
 */
function funnelOf(
  events: readonly Seen[],
  { steps = [], window_seconds = 0 }: ReportBody,
  passes: (seen: Seen, filters: readonly unknown[]) => boolean,
): readonly (readonly unknown[])[] {
  const furthest = distinct(events.map(({ stored }) => stored.visitor)).map((visitor) => {
    const own = events.filter(({ stored }) => stored.visitor === visitor).sort((a, b) => inOrder(a.stored, b.stored));
    const from = own.map((first, at) => {
      let done = passes(first, steps[0]?.filters ?? []) ? 1 : 0;
      for (const later of own.slice(at + 1)) {
        const isInTime = later.stored.told.at - first.stored.told.at <= window_seconds * 1000;
        if (done > 0 && done < steps.length && isInTime && passes(later, steps[done]?.filters ?? [])) done += 1;
      }
      return done;
    });
    return Math.max(0, ...from);
  });
  return steps.map((_, step) => [`Step ${step + 1}`, furthest.filter((done) => done > step).length]);
}

/** By the week in which visitors first came, how many of them came in it and in each one after. */
function retentionOf(events: readonly Seen[], span: Span, zone: string): readonly (readonly unknown[])[] {
  const last = mondayOf(span.kind === "dates" ? span.last : localDate(zone, span.to - 1));
  const weeksOf = (visitor: string) =>
    distinct(events.filter(({ stored }) => stored.visitor === visitor).map(({ date }) => mondayOf(date))).toSorted();
  const all = distinct(events.map(({ stored }) => stored.visitor)).map(weeksOf);
  return distinct(all.map(([first]) => first as string)).map((cohort) => {
    const own = all.filter(([first]) => first === cohort);
    const weeks: string[] = [];
    for (let week = cohort; week <= last; week = dateAfter(week, 7)) weeks.push(week);
    return [cohort, own.length, weeks.map((week) => own.filter((came) => came.includes(week)).length)];
  });
}

/** The first pages of visits; one that is seen twice in a row counts once. */
function pathsOf(visits: readonly Visit[], { depth = 0 }: ReportBody): readonly (readonly unknown[])[] {
  const paths = visits.map(({ events }) => {
    const pages = events.filter(isPageview).map(({ told }) => told.path);
    return JSON.stringify(pages.filter((page, at) => page !== pages[at - 1]).slice(0, depth));
  });
  return distinct(paths.filter((path) => path !== "[]")).map((path) => [
    path,
    paths.filter((other) => other === path).length,
  ]);
}
