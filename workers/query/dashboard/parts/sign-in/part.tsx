// Signing in: a page, or a dialog over a page whose session has ended, which leaves the page as it is.

import { useEffect, useRef, useState } from "preact/hooks";
import { boot } from "../../boot.ts";
import { request } from "../../numbers.ts";
import { Sheet } from "../../people.tsx";
import { askAgain, forgetNumbers, isSignedOut } from "../../store.ts";
import { t as common, duration, speak } from "../../text.ts";
import texts from "./text.ts";

const { t } = speak(texts);

/** The dialog where the session has ended, else the page; afterwards somebody is where they wanted to be. */
export default function SignIn() {
  return isSignedOut.value ? <SignedOut /> : <SignInPage />;
}

function SignInPage() {
  const isHome = location.pathname === "/sign-in";
  const done = () => {
    forgetNumbers(); // of whoever was here before
    if (isHome) location.assign("/");
    else location.reload();
  };
  return (
    <Sheet title={t("signInTitle")} lead={t("signInLead")}>
      <SignInForm done={done} />
    </Sheet>
  );
}

/** The session has ended while the page was open. Somebody else may sign in here: then the page starts anew. */
function SignedOut() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  const done = (email: string) => {
    if (email.trim().toLowerCase() !== boot.email) {
      forgetNumbers();
      location.reload();
      return;
    }
    isSignedOut.value = false;
    askAgain();
  };
  return (
    <dialog ref={dialog} class="sheet" aria-labelledby="signed-out" onCancel={(event) => event.preventDefault()}>
      <h2 id="signed-out">{common("signedOutTitle")}</h2>
      <p class="mute">{t("signedOutLead")}</p>
      <SignInForm done={done} />
    </dialog>
  );
}

/** E-mail address and password; `done` when they were right. */
function SignInForm({ done }: { readonly done: (email: string) => void }) {
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy) return;
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const [email, password] = [String(given.get("email") ?? ""), String(given.get("password") ?? "")];
    setBusy(true);
    const reply = await request("POST", "/api/v1/session", { body: { email, password } });
    setBusy(false);
    if ("body" in reply) return done(email);
    return setProblem(problemOf(reply.failure));
  };
  if (boot.access) return <p>{t("signInAccess")}</p>;
  return (
    <form onSubmit={send} class="form">
      <label>
        {common("email")}
        <input name="email" type="email" autocomplete="username" required />
      </label>
      <label>
        {t("password")}
        <input name="password" type="password" autocomplete="current-password" required />
      </label>
      <p class="problem" role="alert">
        {problem}
      </p>
      <button type="submit" class="first" aria-disabled={isBusy}>
        {common("signIn")}
      </button>
    </form>
  );
}

type Failed = Extract<Awaited<ReturnType<typeof request>>, { failure: unknown }>["failure"];

/** Why it did not go, for whoever filled in the form. */
export function problemOf(failure: Failed): string {
  if (failure.why === "signed out" || (failure.why === "refused" && failure.message === "")) return t("signInWrong");
  if (failure.why === "too often") return common("signInWait", { time: duration(failure.retryAfterSeconds) });
  return failure.why === "offline" ? common("offlineNone") : failure.message;
}
