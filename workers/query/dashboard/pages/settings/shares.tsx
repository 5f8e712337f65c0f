// Settings, Share links: addresses that show numbers to anybody who has them, under the filters of the view where it
// has some.

import { useState } from "preact/hooks";
import { isDimension } from "../../dimension.ts";
import { shared, shop, view } from "../../store.ts";
import { t as common, speak, valueName, named as word } from "../../text.ts";
import {
  Cell,
  Confirm,
  endOf,
  Field,
  List,
  Maker,
  Once,
  ofShop,
  type Question,
  type Told,
  useAct,
  useList,
  when,
} from "./act.tsx";
import { frameLine } from "./frame-line.ts";
import texts from "./text.ts";

const { t, tn } = speak(texts);

interface Share {
  readonly id: string;
  readonly name: string;
  readonly hint: string;
  readonly filters: readonly unknown[];
  readonly created_at: string;
  readonly expires_at: string | null;
  /** Whose pages may show it in a frame. */
  readonly embed_origins: readonly string[];
}

/** The filters of the view, as its chips say them. */
function filtersInWords(): string {
  return view.value.filters
    .map(({ dimension, operator, values }) => {
      const names = values.map((one) => (isDimension(dimension) ? valueName(dimension, one) : one));
      return `${word(dimension)} ${word(`op_${operator}`)} ${names.join(` ${common("or")} `)}`;
    })
    .join(", ");
}

/** The share links of the shop. */
export function Shares() {
  const shares = useList<Share>(ofShop("/shares"), "shares");
  const [question, ask] = useState<Question>();
  const [told, tell] = useState<Told>();
  const act = useAct();
  const isFiltered = view.value.filters.length > 0;
  const make = async (given: (name: string) => string) => {
    const until = given("expires_at");
    const body = {
      name: given("name"),
      ...(until !== "" && { expires_at: endOf(until) }),
      embed_origins: given("embed_origins")
        .split(/[\s,]+/)
        .filter((one) => one !== ""),
      ...(given("filtered") !== "" && { filters: shared.value?.filters }),
    };
    const made = await act.send<Share & { readonly token: string }>("POST", ofShop("/shares"), body);
    if (made === undefined) return false;
    const isFramed = made.embed_origins.length > 0;
    tell({
      title: t("shareMade", { name: made.name }),
      lead: isFramed ? t("embedMadeLead") : t("shareMadeLead"),
      text: isFramed
        ? frameLine(made, { origin: location.origin, name: shop.value?.name ?? "" })
        : `${location.origin}/share#${made.token}`,
    });
    shares.reload();
    return true;
  };
  return (
    <>
      <p class="mute lead">{t("sharesLead")}</p>
      {told !== undefined && <Once told={told} done={() => tell(undefined)} />}
      <List
        title={t("s_shares")}
        none={t("sharesNone")}
        list={shares}
        columns={[t("name"), t("shows"), t("since"), t("ends"), t("actions")]}
      >
        {shares.rows?.map(({ id, name, hint, filters, created_at, expires_at, embed_origins }) => (
          <tr key={id}>
            <th scope="row">
              <bdi>{name}</bdi> <code dir="ltr">{hint}</code>
              {embed_origins.length > 0 && <bdi class="mute">{t("embedIn", { origins: embed_origins.join(" ") })}</bdi>}
            </th>
            <Cell of={t("shows")}>{filters.length === 0 ? t("showsAll") : tn("showsFiltered", filters.length)}</Cell>
            <Cell of={t("since")}>{when(created_at)}</Cell>
            <Cell of={t("ends")}>{when(expires_at, t("never"))}</Cell>
            <td>
              <button
                type="button"
                aria-label={`${t("revoke")}: ${name}`}
                onClick={() =>
                  ask({
                    title: t("shareRevoke", { name }),
                    lost: t("shareRevokeLost"),
                    does: t("revoke"),
                    method: "DELETE",
                    path: ofShop(`/shares/${encodeURIComponent(id)}`),
                    done: shares.reload,
                  })
                }
              >
                {t("revoke")}
              </button>
            </td>
          </tr>
        ))}
      </List>
      <Maker
        title={t("shareNew")}
        does={t("make")}
        act={act}
        submit={make}
        fields={["name", "expires_at", "embed_origins"]}
      >
        <Field name="name" label={t("name")} failure={act.failure} required maxLength={120} />
        <Field name="expires_at" type="date" label={t("ends")} help={t("endsHelp")} failure={act.failure} />
        <Field name="embed_origins" label={t("embed")} help={t("embedHelp")} failure={act.failure} maxLength={3_000} />
        {isFiltered ? (
          <label class="check">
            <input type="checkbox" name="filtered" value="yes" defaultChecked />
            <bdi>{t("shareFiltered", { filters: filtersInWords() })}</bdi>
          </label>
        ) : (
          <p class="mute">{t("shareFilterHow")}</p>
        )}
      </Maker>
      {question !== undefined && <Confirm question={question} close={() => ask(undefined)} />}
    </>
  );
}
