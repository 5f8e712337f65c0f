// The texts of one page, in every language. The build leaves in a page's script those of its own language alone
// (scripts/build-dashboard.ts). Pure: the build and the tests read them without a page.

/** Languages beside English, which is the list that they have to match. */
type Other = "ar" | "de" | "es" | "fr" | "pt";
/** Plurals that English has not. */
type OwnPlural = { readonly [key: `${string}_${"zero" | "two" | "few" | "many"}`]: string };
type Same<English> = { readonly [Key in keyof English]: string } & OwnPlural;

export type PageTexts<English> = Readonly<Record<"en", English>> & Readonly<Record<Other, Same<English>>>;

/** Texts by language. One that is missing in a language fails the type check. */
export function pageTexts<const English extends Readonly<Record<string, string>>>(
  en: English,
  others: Readonly<Record<Other, Same<English>>>,
): PageTexts<English> {
  return { en, ...others };
}
