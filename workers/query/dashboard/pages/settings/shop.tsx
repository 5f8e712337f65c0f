// Settings, Shop: its name, time zone and currency, with what a change of them means.

import { useState } from "preact/hooks";
import { Copy } from "../../copy.tsx";
import { useGet } from "../../get.ts";
import { Trouble } from "../../state.tsx";
import { shop } from "../../store.ts";
import { locale, speak, zoneName } from "../../text.ts";
import { Choice, Field, Maker, ofShop, useAct, when } from "./act.tsx";
import { isAllowed } from "./role.ts";
import texts from "./text.ts";

const { t } = speak(texts);

interface Merchant {
  readonly id: string;
  readonly name: string;
  readonly time_zone: string;
  readonly currency: string;
  readonly coming_time_zones?: readonly { readonly time_zone: string; readonly from: string }[];
}

const currencies = new Intl.DisplayNames(locale, { type: "currency" });

/** What the shop is called, and by whose days and money it counts. */
export function ShopFacts() {
  const merchant = useGet<Merchant>(ofShop());
  const { body } = merchant;
  return (
    <div aria-busy={body === undefined && merchant.failure === undefined}>
      <Trouble part={merchant} />
      {body !== undefined && <Facts merchant={body} />}
      {body !== undefined && isAllowed("admin") && (
        <Change key={JSON.stringify(body)} merchant={body} changed={merchant.reload} />
      )}
    </div>
  );
}

function Facts({
  merchant: { id, name, time_zone, currency, coming_time_zones = [] },
}: {
  readonly merchant: Merchant;
}) {
  return (
    <section class="panel" aria-label={t("s_shop")}>
      <dl class="shop-facts">
        <dt>{t("name")}</dt>
        <dd>
          <bdi>{name}</bdi>
        </dd>
        <dt>{t("zone")}</dt>
        <dd>
          <bdi>{time_zone}</bdi>
          {coming_time_zones.map((one) => (
            <p key={one.from} class="coming">
              {t("zoneComing", { zone: zoneName(one.time_zone), when: when(one.from) })}
            </p>
          ))}
        </dd>
        <dt>{t("currency")}</dt>
        <dd>{currencies.of(currency)}</dd>
        <dt>{t("shopId")}</dt>
        <dd>
          <code dir="ltr">{id}</code> <Copy text={id} name={t("shopId")} class="link" />
        </dd>
      </dl>
    </section>
  );
}

function Change({ merchant, changed }: { readonly merchant: Merchant; readonly changed: () => void }) {
  const { name, currency, coming_time_zones = [] } = merchant;
  const zone = coming_time_zones.at(-1)?.time_zone ?? merchant.time_zone;
  const [chosen, choose] = useState(zone);
  const [money, setMoney] = useState(currency);
  const [title, setTitle] = useState(name);
  const act = useAct();
  const isChanged = title.trim() !== name || chosen !== zone || money !== currency;
  const save = async () => {
    const body = {
      ...(title.trim() !== name && { name: title.trim() }),
      ...(chosen !== zone && { time_zone: chosen }),
      ...(money !== currency && { currency: money }),
    };
    const saved = await act.send<Merchant>("PATCH", ofShop(), body);
    if (saved === undefined || shop.value === undefined) return false;
    shop.value = { ...shop.value, name: saved.name, time_zone: saved.time_zone, currency: saved.currency };
    document.getElementById("section-title")?.focus();
    changed();
    return false; // the form is drawn anew from what was saved
  };
  const zones = [...new Set([zone, merchant.time_zone, "UTC", ...Intl.supportedValuesOf("timeZone")])].sort();
  const all = [...new Set([currency, ...Intl.supportedValuesOf("currency")])];
  const names = all.map((code) => [code, `${currencies.of(code)} (${code})`] as const);
  return (
    <Maker title={t("shopChange")} does={t("save")} act={act} submit={save} fields={["name"]} isIdle={!isChanged}>
      <Field
        name="name"
        label={t("name")}
        value={title}
        onInput={(event) => setTitle(event.currentTarget.value)}
        failure={act.failure}
        required
        maxLength={120}
      />
      <Choice
        name="time_zone"
        label={t("zone")}
        value={chosen}
        help={t("zoneHelp")}
        options={zones.map((one) => [one, one.replaceAll("_", " ")])}
        onChange={choose}
      />
      <Choice
        name="currency"
        label={t("currency")}
        value={money}
        help={t("currencyHelp")}
        options={names.sort(([, one], [, other]) => one.localeCompare(other, locale))}
        onChange={setMoney}
      />
    </Maker>
  );
}
