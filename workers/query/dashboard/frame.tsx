// What stands around every page: the shop and its pages, who is there now, how fresh the numbers are, the menu; and the
// notices about what concerns all numbers at once.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { boot, shareToken } from "./boot.ts";
import { ofShop } from "./get.ts";
import { isHelpOpen, KeyHelp, useKeys } from "./keys.tsx";
import { chooseLanguage, chooseTheme, chosenTheme, THEMES, type Theme } from "./look.ts";
import { Navigation } from "./navigation.tsx";
import { type Failure, request } from "./numbers.ts";
import { SignIn } from "./people.tsx";
import { present, usePresent } from "./present.ts";
import { askAgain, forgetNumbers, isSignedOut, page, parts, shop, waitingUntil, zoneOfShop } from "./store.ts";
import { named, t, time, tn, zoneName } from "./text.ts";

/**
 * How often it is asked who is there: for the header, after the numbers of the page, and by the page that is about it.
 */
const HEADER_PACE = { everyMs: 60_000, afterMs: 1_500 };
const NOW_PACE = { everyMs: 10_000, afterMs: 0 };
/** The page whose heading had the focus last. */
let focused: string | undefined;

interface FrameProps {
  readonly title: string;
  /** The bar under the header. */
  readonly bar?: ComponentChildren;
  /** Shows the next number in the chart, where there is one. */
  readonly nextMetric?: () => void;
  /** Of a page about who is there now: it asks more often, and says when that could not be told. */
  readonly isOfNow?: boolean | undefined;
  /** Until its script has come; what comes then takes the focus. */
  readonly isLoading?: boolean;
  /** For a screen on the wall: nothing but what is in it. */
  readonly isBare?: boolean;
  readonly children: ComponentChildren;
}

/** A page: its header, the bar under it if any, and what is in it. */
export function Frame({ title, bar, nextMetric, isOfNow, isLoading, isBare, children }: FrameProps) {
  const own = shop.value;
  const heading = useRef<HTMLHeadingElement>(null);
  useKeys({ hasView: bar !== undefined, nextMetric });
  usePresent(own?.id, isOfNow ? NOW_PACE : HEADER_PACE);
  useEffect(() => {
    if (isLoading || focused === page.value) return;
    if (focused !== undefined) heading.current?.focus(); // after a load the browser begins at the top by itself
    focused = page.value;
  });
  useEffect(() => {
    document.title = own === undefined ? `${title} · ${t("title")}` : `${own.name} · ${title}`;
  });
  return (
    <>
      <a class="skip" href="#numbers">
        {t("skip")}
      </a>
      <header class="top">
        <h1 ref={heading} tabIndex={-1}>
          {own === undefined ? (
            title
          ) : (
            <>
              <bdi>{own.name}</bdi>
              <span class="hidden"> · {title}</span>
            </>
          )}
        </h1>
        {own !== undefined && !isBare && <Navigation />}
        {shareToken !== undefined && <p class="mute">{t("sharedBy")}</p>}
        {!isBare && (
          <div class="side">
            {own !== undefined && <Now />}
            {own !== undefined && <AsOf isOfNow={isOfNow} />}
            <Menu />
          </div>
        )}
      </header>
      {bar}
      <main id="numbers" tabIndex={-1} data-page={isLoading ? undefined : page.value}>
        <Notice isOfNow={isOfNow} />
        {children}
      </main>
      {isHelpOpen.value && <KeyHelp />}
      {isSignedOut.value && <SignIn />}
    </>
  );
}

/** When what the page shows was told, of the first part that was. */
function toldAt(isOfNow: FrameProps["isOfNow"]): { readonly asOf: string; readonly isStale: boolean } | undefined {
  const { answer: here, failure } = present.value;
  if (isOfNow) return here && { asOf: here.as_of, isStale: failure !== undefined };
  for (const { answer, asOf = answer?.meta.as_of, isStale } of Object.values(parts.value))
    if (asOf !== undefined) return { asOf, isStale };
  return undefined;
}

function Now() {
  const { answer } = present.value;
  return (
    <span class="now-here" title={t("nowHelp")}>
      <i aria-hidden="true" />
      {answer === undefined ? "–" : tn("now", answer.visitors.last_5_minutes)}
    </span>
  );
}

function AsOf({ isOfNow }: Pick<FrameProps, "isOfNow">) {
  const zone = zoneOfShop();
  const told = toldAt(isOfNow);
  return (
    <span class="as-of" title={t("asOfHelp")}>
      {told !== undefined && (
        <span class={told.isStale ? "dim" : undefined}>
          {t("asOf", { time: time(told.asOf, zone), zone: zoneName(zone) })}
        </span>
      )}
    </span>
  );
}

/** What concerns all numbers: that there is no network, that too much was asked. What is shown stays. */
function Notice({ isOfNow }: Pick<FrameProps, "isOfNow">) {
  const [, tick] = useState(0);
  const until = waitingUntil.value;
  useEffect(() => {
    if (until === undefined) return undefined;
    const timer = setInterval(() => tick((n) => n + 1), 1_000);
    return () => clearInterval(timer);
  }, [until]);
  const all = isOfNow ? [present.value] : Object.values(parts.value);
  const trouble = all.find(({ failure }) => failure?.why === "offline" || failure?.why === "too often")?.failure;
  if (trouble === undefined) return null;
  const asOf = toldAt(isOfNow)?.asOf;
  const seconds = Math.max(0, Math.round(((until ?? Date.now()) - Date.now()) / 1_000));
  const zone = zoneOfShop();
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
  const [failure, setFailure] = useState<Failure>();
  const signOut = async () => {
    forgetNumbers();
    await request("DELETE", "/api/v1/session", { headers: ofShop() });
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
          <select
            value={boot.language}
            onChange={async (event) => setFailure(await chooseLanguage(event.currentTarget.value))}
          >
            {boot.languages.map(([code, name]) => (
              <option key={code} value={code} lang={code}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("theme")}
          <select
            value={theme}
            onChange={async (event) => {
              const chosen = event.currentTarget.value as Theme;
              setTheme(chosen);
              setFailure(await chooseTheme(chosen));
            }}
          >
            {THEMES.map((one) => (
              <option key={one} value={one}>
                {named(`theme_${one}`)}
              </option>
            ))}
          </select>
        </label>
        {failure !== undefined && (
          <p class="problem" role="alert">
            {("message" in failure && failure.message) || t("failed")}
          </p>
        )}
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
