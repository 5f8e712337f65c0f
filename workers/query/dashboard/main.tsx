// The dashboard's entry: which page the address names, and of which shop.

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { boot, type Shop, shareToken } from "./boot.ts";
import { Frame } from "./frame.tsx";
import { request } from "./numbers.ts";
import { Overview } from "./overview.tsx";
import { Invite, Shops, SignIn, UnknownShop } from "./people.tsx";
import { shop } from "./store.ts";
import { t } from "./text.ts";

function Page() {
  const [, first, id] = location.pathname.split("/");
  if (first === "share") return <SharedPage />;
  if (first === "invite") return <Invite />;
  if (boot.email === undefined) return <SignIn />;
  if (first === "sign-in" || first === "shops") return <Shops />;
  const named = boot.shops.find((one) => one.id === id);
  if (named === undefined) return <UnknownShop />;
  shop.value = named;
  return <Overview />;
}

/** The numbers that a link admits, to whoever has it. */
function SharedPage() {
  const [isGone, setGone] = useState(shareToken === "");
  useEffect(() => {
    if (shareToken === "") return;
    request("GET", "/api/v1/shared").then((reply) => {
      if (!("body" in reply)) return setGone(true);
      const told = reply.body as { site_id: string; name: string } & Pick<Shop, "time_zone" | "currency">;
      shop.value = { ...told, id: told.site_id, role: "" };
      return undefined;
    });
  }, []);
  if (shop.value !== undefined) return <Overview />;
  return (
    <Frame title={t("sharedBy")}>
      <p role="status">{isGone ? t("shareGone") : t("loading")}</p>
    </Frame>
  );
}

const root = document.getElementById("app");
if (root !== null) render(<Page />, root);
