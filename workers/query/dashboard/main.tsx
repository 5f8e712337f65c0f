// The dashboard's entry: which page the address names, and of which shop.

import { type ComponentType, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { parsePlace } from "./address.ts";
import { boot, embedded, type Shop, shareToken } from "./boot.ts";
import { Frame } from "./frame.tsx";
import { pagesHere } from "./navigation.tsx";
import { request } from "./numbers.ts";
import { Overview, overviewQuestions } from "./overview.tsx";
import { PAGES_OF_NO_SHOP, type PageRow } from "./pages.ts";
import { SignIn, UnknownPage, UnknownShop } from "./people.tsx";
import { ask, page, shop } from "./store.ts";
import { t } from "./text.ts";

function Page() {
  const { first, id } = parsePlace(location.pathname);
  if (first === "share" || first === "embed") return <SharedPage />;
  if (first === "invite") return <LoadedPage {...PAGES_OF_NO_SHOP.invite} />;
  if (first === "operator") return <LoadedPage {...PAGES_OF_NO_SHOP.operator} />;
  if (boot.email === undefined) return <SignIn />;
  if (first === "sign-in" || first === "shops") return <LoadedPage {...PAGES_OF_NO_SHOP.shops} />;
  return shop.value?.id === id ? <ShopPage /> : <UnknownShop />;
}

/** The page of the shop that the address names. */
function ShopPage() {
  const row = pagesHere().find(({ name }) => name === page.value);
  if (row === undefined) return <UnknownPage />;
  return row.load === undefined ? <Overview /> : <LoadedPage key={row.name} title={row.title} load={row.load} />;
}

/** A page whose script comes when it is opened. */
function LoadedPage({ title, load }: Required<Pick<PageRow, "title" | "load">>) {
  const [Loaded, setLoaded] = useState<ComponentType>();
  const [isFailed, setFailed] = useState(false);
  useEffect(() => {
    load().then(
      (made) => setLoaded(() => made.default),
      () => setFailed(true), // no network, or a script of the release before: the document knows today's
    );
  }, [load]);
  if (Loaded !== undefined) return <Loaded />;
  return (
    <Frame title={t(title)} isLoading={!isFailed}>
      {isFailed ? (
        <p class="trouble" role="alert">
          {t("failed")}{" "}
          <button type="button" onClick={() => location.reload()}>
            {t("tryAgain")}
          </button>
        </p>
      ) : (
        <p class="mute" aria-busy="true">
          {t("loading")}
        </p>
      )}
    </Frame>
  );
}

/** The numbers that a link admits, to whoever has it. */
function SharedPage() {
  const [isGone, setGone] = useState(shareToken === "");
  useEffect(() => {
    if (shareToken === "") return;
    request("GET", "/api/v1/shared").then((reply) => {
      if (!("body" in reply)) return setGone(true);
      const told = reply.body as { site_id: string; name: string } & Pick<Shop, "id" | "time_zone" | "currency">;
      // Another link's token opens nothing in the frame that is allowed for this one.
      if (embedded !== undefined && told.id !== embedded) return setGone(true);
      shop.value = { ...told, id: told.site_id, role: "" };
      return undefined;
    });
  }, []);
  if (shop.value !== undefined) return <ShopPage />;
  return (
    <Frame title={t("sharedBy")} isBare={embedded !== undefined}>
      <p role="status">{isGone ? t("shareGone") : t("loading")}</p>
    </Frame>
  );
}

// The numbers are on their way before anything is made of them.
const { first, id } = parsePlace(location.pathname);
if (first === "s" && boot.email !== undefined) shop.value = boot.shops.find((one) => one.id === id);
if (shop.value !== undefined && page.value === "overview") ask(overviewQuestions());
const root = document.getElementById("app");
if (root !== null) render(<Page />, root);
