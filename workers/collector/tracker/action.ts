// Events that the tracker counts by itself: a visitor follows a link to another site, downloads a file, sends a form,
// or loads a page that does not exist. Of a form only its name is taken, never what was typed.

import { on } from "./guard.ts";
import { track } from "./page.ts";
import { type Details, settings } from "./settings.ts";

const FILES = /\.(pdf|docx?|xlsx?|pptx?|csv|zip|gz|rar|7z|exe|dmg|apk|mp[34])$/i;

/** Counts an automatic event, unless the setting `off` names it. */
export function report(name: string, details: Details): void {
  if (!settings.off?.includes(name)) track(name, details);
}

export function watchActions(): void {
  on<MouseEvent>("click auxclick", click);
  on<SubmitEvent>("submit", ({ target }) => {
    const { id, name, action } = (target as Element).attributes as unknown as Record<string, Attr | undefined>;
    report("form", { props: { form: (id || name || action)?.value } });
  });
}

/** Counts this page as one that does not exist, if the page or the server's status says so. */
export function checkFound(status: unknown): void {
  if ("404" in settings || status === 404) report("404", { props: { path: location.pathname } });
}

/** Mouse buttons above 1 open no link. The collector refuses properties of more than 2,000 characters as a mistake. */
function click({ target, button }: MouseEvent): void {
  const link = (target as Element).closest("a[href]") as HTMLAnchorElement;
  if (!link.host || button > 1) return;
  const isFile = FILES.test(link.pathname) || link.matches("[download]");
  if (isFile || link.host !== location.host)
    report(isFile ? "download" : "outbound", { props: { url: link.href.slice(0, 2e3) } });
}
