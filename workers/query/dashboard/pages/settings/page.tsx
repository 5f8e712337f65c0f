// The page Settings: what a shop is made of and who may what there, one section at a time. Sections that a role may not
// even read are not in the menu; what a role may not change has no buttons.

import type { ComponentType } from "preact";
import { shop, view } from "../../store.ts";
import { t as common } from "../../text.ts";
import { Install } from "./install.tsx";
import { Keys } from "./keys.tsx";
import { Layout, MENU, type MenuName } from "./layout.tsx";
import { People } from "./people.tsx";
import { isAllowed } from "./role.ts";
import { Sessions } from "./sessions.tsx";
import { Shares } from "./shares.tsx";
import { ShopFacts } from "./shop.tsx";

const SECTIONS: Readonly<Partial<Record<MenuName, ComponentType>>> = {
  install: Install,
  shop: ShopFacts,
  people: People,
  keys: Keys,
  shares: Shares,
  sessions: Sessions,
};

/** What a shop is made of, and who may what there; the section is `at` in the address. */
export default function Settings() {
  const asked = MENU.find(({ name, least }) => name === view.value.at && isAllowed(least))?.name ?? "install";
  const [name, Section] = asked in SECTIONS ? [asked, SECTIONS[asked] ?? Install] : (["install", Install] as const);
  return (
    <Layout name={name} title={common("pageSettings")}>
      <Section key={`${shop.value?.id} ${name}`} />
    </Layout>
  );
}
