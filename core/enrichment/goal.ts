// Which of the merchant's goals an event reaches: by its name, its page, or both. An event may reach several.
// Engagement reports reach none, because they only lengthen a visit.

import { isEngagement, isPageview } from "../event.ts";
import { matches } from "../pattern.ts";
import type { Step } from "./opinion.ts";

/** Step: the names of the reached goals, sorted. A goal without an event's name is reached by a page view. */
export const goal: Step = (event, opinion, { own }) => {
  if (own.goals.length === 0 || isEngagement(event.name)) return;
  const name = event.name.toLowerCase();
  const page = opinion.page.toLowerCase();
  const isNamed = (wanted: (typeof own.goals)[number]["event"]) =>
    wanted === undefined ? isPageview(event.name) : matches(wanted, name);
  const reached = own.goals.filter((one) => isNamed(one.event) && matches(one.page, page));
  opinion.goals = reached.map((one) => one.name).sort();
};
