// Settings, Where you are signed in: the sessions of the person who looks, each of which can be ended here.

import { useState } from "preact/hooks";
import { boot } from "../../boot.ts";
import { ofShop as headersOfShop } from "../../get.ts";
import { request } from "../../numbers.ts";
import { forgetNumbers } from "../../store.ts";
import { t as common, speak } from "../../text.ts";
import { Cell, Confirm, List, type Question, useList, when } from "./act.tsx";
import texts from "./text.ts";

const { t } = speak(texts);

const SESSIONS = "/api/v1/sessions";

interface Session {
  readonly id: string;
  readonly current: boolean;
  readonly browser: string;
  readonly os: string;
  readonly created_at: string;
  readonly expires_at: string;
}

/** Where somebody is signed in. */
export function Sessions() {
  if (boot.access) return <p class="mute lead">{t("sessionsAccess")}</p>;
  return <OwnSessions />;
}

function OwnSessions() {
  const sessions = useList<Session>(SESSIONS, "sessions");
  const [question, ask] = useState<Question>();
  const leave = () => {
    forgetNumbers();
    location.assign("/sign-in");
  };
  const everywhere: Question = {
    title: t("signOutAll"),
    lost: t("signOutAllLost"),
    does: t("signOutAll"),
    method: "DELETE",
    path: SESSIONS,
    done: async () => {
      const own = sessions.rows?.find(({ current }) => current);
      if (own !== undefined) await request("DELETE", `${SESSIONS}/${own.id}`, { headers: headersOfShop() });
      leave();
    },
  };
  return (
    <>
      <p class="mute lead">{t("sessionsLead")}</p>
      <List
        title={t("sessions")}
        none={t("sessionsNone")}
        list={sessions}
        columns={[t("browserAndSystem"), t("since"), t("ends"), t("actions")]}
      >
        {sessions.rows?.map(({ id, current, browser, os, created_at, expires_at }) => {
          const name = [browser, os].filter((one) => one !== "").join(", ") || t("unknownBrowser");
          return (
            <tr key={id}>
              <th scope="row">
                <bdi>{name}</bdi> {current && <span class="mute">{t("thisOne")}</span>}
              </th>
              <Cell of={t("since")}>{when(created_at)}</Cell>
              <Cell of={t("ends")}>{when(expires_at)}</Cell>
              <td>
                <button
                  type="button"
                  aria-label={t("signOutOne", { name: `${name}, ${when(created_at)}` })}
                  onClick={async () => {
                    const reply = await request("DELETE", `${SESSIONS}/${id}`, { headers: headersOfShop() });
                    if (current && "body" in reply) leave();
                    else sessions.reload();
                  }}
                >
                  {common("signOut")}
                </button>
              </td>
            </tr>
          );
        })}
      </List>
      <p>
        <button type="button" class="danger" onClick={() => ask(everywhere)}>
          {t("signOutAll")}
        </button>
      </p>
      {question !== undefined && <Confirm question={question} close={() => ask(undefined)} />}
    </>
  );
}
