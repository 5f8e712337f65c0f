// What the document says before anything is asked (workers/query/page.ts writes it): who is there, of which
// shops, in which language.

import type { Boot } from "../boot.ts";
import { keepText, recallText } from "./keep.ts";

export type { Shop } from "../boot.ts";

const written = document.querySelector<HTMLMetaElement>('meta[name="footfall"]')?.content;
export const boot = JSON.parse(written ?? "") as Boot;

const SHARE = "footfall-share";

/**
 * The token of a share link: from the address's fragment, which it leaves at once; a reload finds it in the tab's own
 * storage.
 */
export const shareToken: string | undefined = /^\/(share|embed)\b/.test(location.pathname) ? takeToken() : undefined;

/** The id of the share link that a page of somebody else shows in a frame; undefined anywhere else. */
export const embedded: string | undefined = /^\/embed\/(\w+)$/.exec(location.pathname)?.[1];

function takeToken(): string {
  const given = location.hash.slice(1);
  if (given !== "") {
    keepText(SHARE, given, "tab");
    history.replaceState(null, "", location.pathname + location.search);
  }
  return given || (recallText(SHARE, "tab") ?? "");
}
