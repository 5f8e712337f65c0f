// What is shown where there is nothing to show: to whoever has to sign in, and of addresses that name nothing.

import { Frame } from "./frame.tsx";
import { late } from "./late.tsx";
import { addressOfPage } from "./store.ts";
import { t } from "./text.ts";

/** A page with one thing to do. */
export function Sheet({ title, lead, children }: { title: string; lead: string; children: preact.ComponentChildren }) {
  return (
    <Frame title={t("title")}>
      <section class="sheet alone" aria-labelledby="sheet-title">
        <h2 id="sheet-title">{title}</h2>
        <p class="mute">{lead}</p>
        {children}
      </section>
    </Frame>
  );
}

/** The page of whoever is not signed in. */
export const SignIn = late(() => import("./parts/sign-in/part.tsx"));

/** The address names a page that there is not, or that a share link does not open. */
export function UnknownPage() {
  return (
    <Sheet title={t("pageUnknownTitle")} lead={t("pageUnknownLead")}>
      <p>
        <a href={addressOfPage("overview")}>{t("overview")}</a>
      </p>
    </Sheet>
  );
}

/** Signed in, and the address names a shop of somebody else or of nobody. */
export function UnknownShop() {
  return (
    <Sheet title={t("shopUnknownTitle")} lead={t("shopUnknownLead")}>
      <p>
        <a href="/shops">{t("shopsYours")}</a>
      </p>
    </Sheet>
  );
}
