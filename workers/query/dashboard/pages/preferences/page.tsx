// The page Preferences, one of the settings: how the person who looks wants the dashboard, kept with the account. Each
// choice takes effect at once; what the document is made by brings the page again.

import { useState } from "preact/hooks";
import { boot } from "../../boot.ts";
import { useGet } from "../../get.ts";
import {
  chooseLanguage,
  chooseTheme,
  chosenTheme,
  keepAndReload,
  keepPreference,
  THEMES,
  type Theme,
} from "../../look.ts";
import type { Failure } from "../../numbers.ts";
import { PAGES } from "../../pages.ts";
import { Trouble } from "../../state.tsx";
import { t as common, count, locale, regionName, speak, named as word } from "../../text.ts";
import { Choice, Problem } from "../settings/act.tsx";
import { Layout } from "../settings/layout.tsx";
import texts from "./text.ts";

const { t } = speak(texts);

/** Where a language is written in different ways, the largest first. */
const REGIONS: Readonly<Record<string, readonly string[]>> = {
  en: ["GB", "US", "IE", "CA", "AU", "IN", "ZA"],
  de: ["DE", "AT", "CH"],
  es: ["ES", "MX", "AR", "CO", "CL", "PE"],
  fr: ["FR", "BE", "CH", "CA"],
  pt: ["PT", "BR"],
  ar: ["EG", "SA", "AE", "MA"],
};

/** How whoever looks wants the dashboard. */
export default function Preferences() {
  const [theme, setTheme] = useState<Theme>(chosenTheme());
  const told = useGet<{ readonly start_page: string | null }>("/api/v1/preferences");
  const [failure, setFailure] = useState<Failure>();
  const [isKept, setKept] = useState(false);
  const tell = (refused: Failure | undefined) => {
    setFailure(refused);
    setKept(refused === undefined);
  };
  const regions = [
    ...new Set([...(REGIONS[boot.language] ?? []), ...(boot.region === undefined ? [] : [boot.region])]),
  ];
  return (
    <Layout name="preferences" title={common("pagePreferences")}>
      <section
        class="panel maker"
        aria-labelledby="section-title"
        aria-busy={told.body === undefined && told.failure === undefined}
      >
        <p class="mute lead">{t("lead")}</p>
        <Choice
          name="language"
          label={common("languageOfPage")}
          value={boot.language}
          options={boot.languages}
          onChange={async (code) => tell(await chooseLanguage(code))}
        />
        <Choice
          name="region"
          label={t("region")}
          help={t("regionHelp", { number: count(12_345.67), date: new Date().toLocaleDateString(locale) })}
          value={boot.region ?? ""}
          options={[["", t("asBrowser")], ...regions.map((code) => [code, regionName(code)] as const)]}
          onChange={async (code) => tell(await keepAndReload({ region: code || null }))}
        />
        <Choice
          name="theme"
          label={common("theme")}
          value={theme}
          options={THEMES.map((one) => [one, word(`theme_${one}`)])}
          onChange={async (chosen) => {
            setTheme(chosen as Theme);
            tell(await chooseTheme(chosen as Theme));
          }}
        />
        <Choice
          name="start_page"
          label={t("startPage")}
          help={t("startPageHelp")}
          value={told.body?.start_page ?? "overview"}
          options={PAGES.filter(({ under }) => under === undefined).map(({ name, title }) => [name, common(title)])}
          onChange={async (name) => {
            tell(await keepPreference({ start_page: name }));
            told.reload();
          }}
        />
        <Trouble part={told} />
        <Problem failure={failure} fields={[]} />
        <p role="status">{isKept && t("kept")}</p>
      </section>
    </Layout>
  );
}
