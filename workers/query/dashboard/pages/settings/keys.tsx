// Settings, API keys: each is shown once, when it is made or gets a new secret.

import { useState } from "preact/hooks";
import { speak } from "../../text.ts";
import {
  Cell,
  Choice,
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
import texts from "./text.ts";

const { t, named } = speak(texts);

interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scope: string;
  readonly hint: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
  readonly previous_secret_until: string | null;
}
type WithSecret = ApiKey & { readonly api_key: string };

const SCOPES = ["read", "write", "admin"].map((scope) => [scope, named(`scope_${scope}`)] as const);

/** The keys of the shop. */
export function Keys() {
  const keys = useList<ApiKey>(ofShop("/keys"), "keys");
  const [question, ask] = useState<Question>();
  const [told, tell] = useState<Told>();
  const act = useAct();
  const show = ({ name, api_key }: WithSecret) => {
    tell({ title: t("keyMade", { name }), lead: t("keyMadeLead"), text: api_key });
    keys.reload();
  };
  const make = async (given: (name: string) => string) => {
    const until = given("expires_at");
    const body = { name: given("name"), scope: given("scope"), ...(until !== "" && { expires_at: endOf(until) }) };
    const made = await act.send<WithSecret>("POST", ofShop("/keys"), body);
    if (made !== undefined) show(made);
    return made !== undefined;
  };
  return (
    <>
      <p class="mute lead">{t("keysLead")}</p>
      {told !== undefined && <Once told={told} done={() => tell(undefined)} />}
      <List
        title={t("s_keys")}
        none={t("keysNone")}
        list={keys}
        columns={[t("name"), t("scope"), t("lastUsed"), t("ends"), t("actions")]}
      >
        {keys.rows?.map((key) => {
          const { id, name, scope, hint, expires_at, last_used_at, previous_secret_until } = key;
          const path = ofShop(`/keys/${encodeURIComponent(id)}`);
          const isOldGood = previous_secret_until !== null && Date.parse(previous_secret_until) > Date.now();
          return (
            <tr key={id}>
              <th scope="row">
                <bdi>{name}</bdi> <code dir="ltr">{hint}</code>
                {isOldGood && <span class="mute">{t("oldUntil", { when: when(previous_secret_until) })}</span>}
              </th>
              <Cell of={t("scope")}>{named(`scope_${scope}`)}</Cell>
              <Cell of={t("lastUsed")}>{when(last_used_at, t("never"))}</Cell>
              <Cell of={t("ends")}>{when(expires_at, t("never"))}</Cell>
              <td>
                <span class="choices">
                  <button
                    type="button"
                    aria-label={`${t("rotate")}: ${name}`}
                    onClick={() =>
                      ask({
                        title: t("keyRotate", { name }),
                        lost: t("keyRotateLost"),
                        does: t("rotate"),
                        method: "POST",
                        path: `${path}/rotate`,
                        body: {},
                        done: (answer) => show(answer as WithSecret),
                      })
                    }
                  >
                    {t("rotate")}
                  </button>
                  <button
                    type="button"
                    aria-label={`${t("revoke")}: ${name}`}
                    onClick={() =>
                      ask({
                        title: t("keyRevoke", { name }),
                        lost: t("keyRevokeLost"),
                        does: t("revoke"),
                        method: "DELETE",
                        path,
                        done: keys.reload,
                      })
                    }
                  >
                    {t("revoke")}
                  </button>
                </span>
              </td>
            </tr>
          );
        })}
      </List>
      <Maker title={t("keyNew")} does={t("make")} act={act} submit={make} fields={["name", "expires_at"]}>
        <Field name="name" label={t("name")} failure={act.failure} required maxLength={120} />
        <Choice name="scope" label={t("scope")} options={SCOPES} />
        <Field name="expires_at" type="date" label={t("ends")} help={t("endsHelp")} failure={act.failure} />
      </Maker>
      {question !== undefined && <Confirm question={question} close={() => ask(undefined)} />}
    </>
  );
}
