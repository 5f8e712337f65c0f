// What a browser asks for before anybody looks: a page that may be visited next. Whether it was, later events tell
// (counting).

import type { Step } from "./opinion.ts";

/**
 * Step: drops what the browser has said to be a prefetch. The last of the reasons, so that it alone can be taken back.
 */
export const prefetch: Step = (event, opinion) => {
  if (opinion.dropped === "" && event.purpose === "prefetch") opinion.dropped = "prefetch";
};
