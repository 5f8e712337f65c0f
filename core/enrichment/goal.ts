// Which of the merchant's goals an event reaches: by its name, its page, or both. One event may reach several.
// Engagement reports reach none: they lengthen what was there already.

import { isEngagement, isPageview } from "../event.ts";
import { matches } from "../pattern.ts";
import type { Step } from "./opinion.ts";

/** Step: the names of the goals reached, sorted. Without an event's name a goal is a page that is viewed. */
export const goal: Step = (event, opinion, { own }) => {
  if (own.goals.length === 0 || isEngagement(event.name)) return;
  const name = event.name.toLowerCase();
  const page = opinion.page.toLowerCase();
  const isNamed = (wanted: (typeof own.goals)[number]["event"]) =>
    wanted === undefined ? isPageview(event.name) : matches(wanted, name);
  const reached = own.goals.filter((one) => isNamed(one.event) && matches(one.page, page));
  opinion.goals = reached.map((one) => one.name).sort();
};
