// The pages of the shop, to be gone among without loading the document again: address, title, focus and
// history are as after a load.

import { useEffect, useRef } from "preact/hooks";
import { boot, shareToken } from "./boot.ts";
import { PAGES, type PageRow } from "./pages.ts";
import { addressOfPage, goToPage, page } from "./store.ts";
import { t } from "./text.ts";

/** The pages that whoever is here may open. */
export function pagesHere(): readonly PageRow[] {
  return PAGES.filter(({ isShared }) => shareToken === undefined || isShared === true);
}

/** A link to a page. With a modifier key it opens a tab, as any link. */
function go(event: MouseEvent, name: string): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  goToPage(name);
}

/** The links, and one to the other shops; nothing where there is one page alone. */
export function Navigation() {
  const all = pagesHere().filter(({ under }) => under === undefined);
  const shown = PAGES.find(({ name }) => name === page.value);
  const bar = useRef<HTMLElement>(null);
  // A phone shows a part of the bar: the page that is shown is in it.
  useEffect(() => bar.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" }), [shown]);
  if (all.length < 2) return null;
  return (
    <nav ref={bar} aria-label={t("pages")}>
      {all.map(({ name, title }) => (
        <a
          key={name}
          href={addressOfPage(name)}
          aria-current={name === shown?.name ? "page" : name === shown?.under ? "true" : undefined}
          onClick={(event) => go(event, name)}
        >
          {t(title)}
        </a>
      ))}
      {shareToken === undefined && boot.shopsCount > 1 && <a href="/shops">{t("shops")}</a>}
    </nav>
  );
}
