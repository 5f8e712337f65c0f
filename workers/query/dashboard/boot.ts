// What the document says before anything is asked (workers/query/page.ts writes it): who is there, of which shops, in which language.

import { keepText, recallText } from "./keep.ts";

export interface Shop {
  readonly id: string;
  readonly name: string;
  readonly time_zone: string;
  readonly currency: string;
  readonly role: string;
}

interface Boot {
  readonly language: string;
  readonly email?: string;
  readonly shops: readonly Shop[];
  readonly shopsCount: number;
  readonly access: boolean;
  readonly batch: boolean;
  /** Codes of the languages there are. */
  readonly languages: readonly string[];
}

const written = document.querySelector<HTMLMetaElement>('meta[name="footfall"]')?.content;
export const boot = JSON.parse(written ?? "") as Boot;

const SHARE = "footfall-share";

/** The token of a share link: from the address's fragment, which it leaves at once; a reload finds it in the tab's own storage. */
export const shareToken: string | undefined = location.pathname.startsWith("/share") ? takeToken() : undefined;

function takeToken(): string {
  const given = location.hash.slice(1);
  if (given !== "") {
    keepText(SHARE, given, "tab");
    history.replaceState(null, "", location.pathname + location.search);
  }
  return given || (recallText(SHARE, "tab") ?? "");
}
