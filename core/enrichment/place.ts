// Where the visitor is, as the platform saw it, and the language that the visitor asks for. Both are facts. This step
// only gives them the form of dimensions.

import type { Step } from "./opinion.ts";

/** Step: country, region, city and language. */
export const place: Step = (event, opinion) => {
  opinion.country = event.country;
  opinion.region = event.region;
  opinion.city = event.city;
  const hyphen = event.language.indexOf("-");
  opinion.language = (hyphen < 0 ? event.language : event.language.slice(0, hyphen)).toLowerCase();
};
