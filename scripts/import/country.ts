// Countries as exports write them, "Austria" or "at", brought to the two capital letters that the collector takes.
// Names are English ones, as the runtime's own list of regions has them, with a few that other products use.

const OTHER_NAMES: Readonly<Record<string, string>> = {
  "united states of america": "US",
  usa: "US",
  uk: "GB",
  "great britain": "GB",
  "russian federation": "RU",
  "south korea": "KR",
  "republic of korea": "KR",
  czechia: "CZ",
  "czech republic": "CZ",
  "hong kong": "HK",
  "hong kong sar china": "HK",
  turkey: "TR",
  türkiye: "TR",
  "viet nam": "VN",
  "myanmar (burma)": "MM",
  "north macedonia": "MK",
  palestine: "PS",
  "côte d’ivoire": "CI",
  "bosnia & herzegovina": "BA",
  "trinidad & tobago": "TT",
};

let names: ReadonlyMap<string, string> | undefined;

/** "AT" of "AT", "at" or "Austria"; "" of what says that it is not known; undefined of what is no country. */
export function countryOf(text: string): string | undefined {
  if (/^(\(not set\)|unknown|n\/a|-|zz|xx|t1)?$/i.test(text)) return "";
  names ??= namesOfAll();
  if (/^[A-Za-z]{2}$/.test(text) && text.toLowerCase() !== "uk") return text.toUpperCase();
  const name = text.toLowerCase();
  return OTHER_NAMES[name] ?? names.get(name);
}

function namesOfAll(): ReadonlyMap<string, string> {
  const display = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const codes = letters.flatMap((first) => letters.map((second) => first + second));
  return new Map(
    codes.flatMap((code) => {
      const name = display.of(code);
      return name === undefined ? [] : [[name.toLowerCase(), code] as const];
    }),
  );
}
