// What stands around every page: the shop and its pages, who is there now, how fresh the numbers are, the menu; and the notices about
// what concerns all numbers at once.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { boot, shareToken } from "./boot.ts";
import { isHelpOpen, KeyHelp } from "./keys.tsx";
import { chooseLanguage, chooseTheme, chosenTheme, THEMES, type Theme } from "./look.ts";
import { request } from "./numbers.ts";
import { SignedOut } from "./people.tsx";
import { addressOf, askAgain, forgetNumbers, isSignedOut, parts, shop, waitingUntil } from "./store.ts";
import { named, t, time, tn, zoneName } from "./text.ts";

const NOW_ASKED_EVERY_MS = 60_000;
/** After the numbers of the page, which come first. */
const NOW_ASKED_AFTER_MS = 1_500;

interface FrameProps {
  readonly title: string;
  /** The bar under the header. */
  readonly bar?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A page: its header, the bar under it if any, and what is in it. */
export function Frame({ title, bar, children }: FrameProps) {
  const own = shop.value;
  useEffect(() => {
    document.title = own === undefined ? `${title} · ${t("title")}` : `${own.name} · ${title}`;
  });
  return (
    <>
      <a class="skip" href="#numbers">
        {t("skip")}
      </a>
      <header class="top">
        <h1>
          {own === undefined ? (
            title
          ) : (
            <>
              <bdi>{own.name}</bdi>
              <span class="hidden"> · {title}</span>
            </>
          )}
        </h1>
        {own !== undefined && shareToken === undefined && boot.shopsCount > 1 && (
          <nav aria-label={t("pages")}>
            <a href={addressOf(own.id, "overview")} aria-current="page">
              {t("overview")}
            </a>
            <a href="/shops">{t("shops")}</a>
          </nav>
        )}
        {shareToken !== undefined && <p class="mute">{t("sharedBy")}</p>}
        <div class="side">
          {own !== undefined && <Now />}
          {own !== undefined && <AsOf />}
          <Menu />
        </div>
      </header>
      {bar}
      <main id="numbers" tabIndex={-1}>
        <Notice />
        {children}
      </main>
      <KeyHelp />
      {isSignedOut.value && <SignedOut />}
    </>
  );
}

/** Of `GET /api/v2/now`, what is shown. */
interface Here {
  readonly last_30_minutes?: number;
}

/** Who is there now, from the partition's memory. A tab that nobody looks at does not ask. */
function Now() {
  const [visitors, setVisitors] = useState<number>();
  const id = shop.value?.id;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      if (!document.hidden) {
        const reply = await request("GET", `/api/v2/now?site_id=${encodeURIComponent(id ?? "")}`);
        if ("body" in reply) setVisitors((reply.body as { visitors?: Here }).visitors?.last_30_minutes);
      }
      timer = setTimeout(ask, NOW_ASKED_EVERY_MS);
    };
    timer = setTimeout(ask, NOW_ASKED_AFTER_MS);
    return () => clearTimeout(timer);
  }, [id]);
  return (
    <span class="now-here" title={t("nowHelp")}>
      <i aria-hidden="true" />
      {visitors === undefined ? "–" : tn("now", visitors)}
    </span>
  );
}

function AsOf() {
  const zone = shop.value?.time_zone ?? "UTC";
  const { answer, isStale = false } = parts.value["top"] ?? {};
  return (
    <span class="as-of" title={t("asOfHelp")}>
      {answer !== undefined && (
        <span class={isStale ? "dim" : undefined}>
          {t("asOf", { time: time(answer.meta.as_of, zone), zone: zoneName(zone) })}
        </span>
      )}
    </span>
  );
}

/** What concerns all numbers: that there is no network, that too much was asked. What is shown stays. */
function Notice() {
  const [, tick] = useState(0);
  const until = waitingUntil.value;
  useEffect(() => {
    if (until === undefined) return undefined;
    const timer = setInterval(() => tick((n) => n + 1), 1_000);
    return () => clearInterval(timer);
  }, [until]);
  const all = Object.values(parts.value);
  const trouble = all.find(({ failure }) => failure?.why === "offline" || failure?.why === "too often")?.failure;
  if (trouble === undefined) return null;
  const asOf = all.find(({ answer }) => answer !== undefined)?.answer?.meta.as_of;
  const seconds = Math.max(0, Math.round(((until ?? Date.now()) - Date.now()) / 1_000));
  const zone = shop.value?.time_zone ?? "UTC";
  const filling = { seconds, time: asOf === undefined ? "" : time(asOf, zone) };
  const key = trouble.why === "offline" ? "offline" : "tooOften";
  return (
    <div class="notice" role="status">
      <span>{asOf === undefined ? t(`${key}None`, filling) : t(key, filling)}</span>
      <button type="button" onClick={askAgain}>
        {t("tryAgain")}
      </button>
    </div>
  );
}

function Menu() {
  const [theme, setTheme] = useState<Theme>(chosenTheme());
  const signOut = async () => {
    forgetNumbers();
    const named = boot.shops[0]?.id;
    await request("DELETE", "/api/v1/session", named === undefined ? {} : { headers: { "footfall-merchant": named } });
    location.assign("/sign-in");
  };
  return (
    <span>
      <button type="button" popovertarget="menu" aria-haspopup="dialog" aria-label={t("menu")} class="icon">
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path d="M2 4h12M2 8h12M2 12h12" />
        </svg>
      </button>
      <div id="menu" popover="auto" role="dialog" aria-label={t("menu")} class="menu main-menu">
        {boot.email !== undefined && <p class="mute">{t("signedInAs", { email: boot.email })}</p>}
        {boot.email !== undefined && <a href="/shops">{t("shopsYours")}</a>}
        <label>
          {t("languageOfPage")}
          <select value={boot.language} onChange={(event) => chooseLanguage(event.currentTarget.value)}>
            {boot.languages.map((code) => (
              <option key={code} value={code} lang={code}>
                {new Intl.DisplayNames(code, { type: "language" }).of(code)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("theme")}
          <select
            value={theme}
            onChange={(event) => {
              chooseTheme(event.currentTarget.value as Theme);
              setTheme(event.currentTarget.value as Theme);
            }}
          >
            {THEMES.map((one) => (
              <option key={one} value={one}>
                {named(`theme_${one}`)}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          onClick={() => {
            document.getElementById("menu")?.hidePopover();
            isHelpOpen.value = true;
          }}
        >
          {t("keys")}{" "}
          <span class="kbd" aria-hidden="true">
            ?
          </span>
        </button>
        <a href="/api/reference">{t("reference")}</a>
        {boot.email !== undefined && !boot.access && (
          <button type="button" onClick={signOut}>
            {t("signOut")}
          </button>
        )}
      </div>
    </span>
  );
}
