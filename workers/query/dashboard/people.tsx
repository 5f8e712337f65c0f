// Signing in, taking an invite, and the shops of a person. Signing in again over an open page leaves the page as it is.

import { useEffect, useRef, useState } from "preact/hooks";
import { DEFAULT_VIEW, toSearch } from "./address.ts";
import { boot, type Shop } from "./boot.ts";
import { Spark } from "./chart.tsx";
import { Frame } from "./frame.tsx";
import { numberOf } from "./metric.ts";
import { askTogether, request } from "./numbers.ts";
import { askAgain, forgetNumbers, isSignedOut } from "./store.ts";
import { count, duration, named, percent, t, time, tn, zoneName } from "./text.ts";

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

function problemOf(failure: Failed): string {
  if (failure.why === "signed out" || (failure.why === "refused" && failure.message === "")) return t("signInWrong");
  if (failure.why === "too often") return t("signInWait", { time: duration(failure.retryAfterSeconds) });
  return failure.why === "offline" ? t("offlineNone") : failure.message;
}

/** A page with one thing to do. */
function Sheet({ title, lead, children }: { title: string; lead: string; children: preact.ComponentChildren }) {
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

/** The token comes in the fragment, which no server sees, and leaves the bar at once. */
export function Invite() {
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

interface Week {
  readonly visitors: readonly (number | null)[];
  readonly all: number | null;
  readonly change: number | null;
}

/** All shops of a person, each with its last week. */
export function Shops() {
  const [all, setAll] = useState<readonly Shop[]>(boot.shops);
  const [wanted, setWanted] = useState("");
  useEffect(() => {
    if (boot.shopsCount <= boot.shops.length) return;
    request("GET", "/api/v1/shops").then((reply) => {
      if ("body" in reply) setAll((reply.body as { shops: readonly Shop[] }).shops);
    });
  }, []);
  const shown = all.filter(({ name }) => name.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <Frame title={t("shops")}>
      <p class="mute lead">
        {all.length === 0 ? t("shopsNone") : tn("shopsLead", boot.shopsCount, { email: boot.email ?? "" })}
      </p>
      {all.length > 5 && (
        <input
          type="search"
          aria-label={t("shopsSearch")}
          placeholder={t("shopsSearch")}
          value={wanted}
          onInput={(event) => setWanted(event.currentTarget.value)}
        />
      )}
      <ul class="shops">
        {shown.map((one) => (
          <ShopCard key={one.id} shop={one} />
        ))}
      </ul>
    </Frame>
  );
}

function ShopCard({ shop: { id, name, role, time_zone } }: { readonly shop: Shop }) {
  const [week, setWeek] = useState<Week>();
  const [problem, setProblem] = useState("");
  useEffect(() => {
    const shared = { site_id: id, date_range: "7d", filters: [] };
    const before = { comparisons: { mode: "previous_period", match_day_of_week: true } };
    askTogether(shared, {
      all: { metrics: ["visitors"], include: before },
      days: { metrics: ["visitors"], dimensions: ["time:day"], include: { time_labels: true } },
    }).then(({ all, days }) => {
      if (!("answer" in all) || !("answer" in days)) {
        setProblem(t("failed"));
        return;
      }
      const [row] = all.answer.results;
      const values = new Map(
        days.answer.results.map(({ dimensions, metrics }) => [dimensions[0], numberOf(metrics[0])]),
      );
      setWeek({
        visitors: (days.answer.meta.time_labels ?? []).map((label) => values.get(label) ?? 0),
        all: numberOf(row?.metrics[0]),
        change: row?.comparison?.change[0] ?? null,
      });
    });
  }, [id]);
  return (
    <li>
      <a href={`/s/${encodeURIComponent(id)}/overview${toSearch(DEFAULT_VIEW)}`}>
        <h2>
          <bdi>{name}</bdi>
        </h2>
        <span class="mute">
          {named(`role_${role}`)} · {zoneName(time_zone)} {time(new Date().toISOString(), time_zone)}
        </span>
        <span class="figure">
          <b>{week?.all === undefined || week.all === null ? "–" : count(week.all)}</b>
          <span class="mute">
            {t("visitors")}, {t("range_7d")}
          </span>
          <Change change={week?.change ?? null} good={1} />
        </span>
        {week !== undefined && <Spark values={week.visitors} />}
        {problem !== "" && <span class="problem">{problem}</span>}
      </a>
    </li>
  );
}

/** More or less than before, by sign, word and colour. */
export function Change({ change, good }: { readonly change: number | null; readonly good: 1 | 0 | -1 }) {
  if (change === null) return null;
  if (change === 0) return <span class="change mute">▬ {t("same")}</span>;
  const kind = good * change > 0 ? "gain" : good * change < 0 ? "loss" : "mute";
  const word = change > 0 ? t("more", { percent: percent(change) }) : t("less", { percent: percent(change) });
  return (
    <span class={`change ${kind}`}>
      <span aria-hidden="true">
        {change > 0 ? "▲" : "▼"} {percent(change)}
      </span>
      <span class="hidden">{word}</span>
    </span>
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
