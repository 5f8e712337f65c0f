// The page of an invite: whoever has its link chooses a password and is a member.

import { useEffect, useState } from "preact/hooks";
import { boot } from "../../boot.ts";
import { request } from "../../numbers.ts";
import { problemOf } from "../../parts/sign-in/part.tsx";
import { Sheet } from "../../people.tsx";
import { forgetNumbers } from "../../store.ts";
import { speak } from "../../text.ts";
import texts from "./text.ts";

const { t } = speak(texts);

/** The token comes in the fragment, which no server sees, and leaves the bar at once. */
export default function Invite() {
  const [token] = useState(location.hash.slice(1));
  const [problem, setProblem] = useState("");
  useEffect(() => history.replaceState(null, "", location.pathname), []);
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    const password = String(new FormData(event.currentTarget as HTMLFormElement).get("password") ?? "");
    const reply = await request("POST", "/api/v1/invites/accept", {
      body: boot.access ? { token } : { token, password },
    });
    if ("body" in reply) {
      forgetNumbers();
      location.assign("/");
      return;
    }
    const { failure } = reply;
    const isGone = failure.why === "refused" && failure.message.startsWith("This invite");
    setProblem(isGone ? t("inviteGone") : problemOf(failure));
  };
  if (token === "") {
    return (
      <Sheet title={t("inviteTitle")} lead={t("inviteMissing")}>
        {null}
      </Sheet>
    );
  }
  return (
    <Sheet title={t("inviteTitle")} lead={t("inviteLead")}>
      <form onSubmit={send} class="form">
        {!boot.access && (
          <label>
            {t("newPassword")}
            <input
              name="password"
              type="password"
              autocomplete="new-password"
              required
              minLength={10}
              maxLength={200}
              aria-describedby="password-help"
            />
          </label>
        )}
        <p id="password-help" class="mute">
          {t("newPasswordHelp")}. {t("inviteSame")}
        </p>
        <p class="problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="first">
          {t("inviteTake")}
        </button>
      </form>
    </Sheet>
  );
}
