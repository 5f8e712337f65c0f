// Signing in, and what is shown where there is nothing to show. Signing in again over an open page
// leaves the page as it is.

import { useEffect, useRef, useState } from "preact/hooks";
import { boot } from "./boot.ts";
import { Frame } from "./frame.tsx";
import { request } from "./numbers.ts";
import { addressOfPage, askAgain, forgetNumbers, isSignedOut } from "./store.ts";
import { duration, t } from "./text.ts";

/** E-mail address and password; `done` when they were right. */
function SignInForm({ done }: { readonly done: (email: string) => void }) {
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
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
        {t("email")}
        <input name="email" type="email" autocomplete="username" required />
      </label>
      <label>
        {t("password")}
        <input name="password" type="password" autocomplete="current-password" required />
      </label>
      <p class="problem" role="alert">
        {problem}
      </p>
      <button type="submit" class="first" disabled={isBusy}>
        {t("signIn")}
      </button>
    </form>
  );
}

type Failed = Extract<Awaited<ReturnType<typeof request>>, { failure: unknown }>["failure"];

/** Why it did not go, for whoever filled in the form. */
export function problemOf(failure: Failed): string {
  if (failure.why === "signed out" || (failure.why === "refused" && failure.message === "")) return t("signInWrong");
  if (failure.why === "too often") return t("signInWait", { time: duration(failure.retryAfterSeconds) });
  return failure.why === "offline" ? t("offlineNone") : failure.message;
}

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

/** The page of whoever is not signed in; afterwards they are where they wanted to be. */
export function SignIn() {
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
export function SignedOut() {
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
      <h2 id="signed-out">{t("signedOutTitle")}</h2>
      <p class="mute">{t("signedOutLead")}</p>
      <SignInForm done={done} />
    </dialog>
  );
}

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
