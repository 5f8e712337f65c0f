// The name of an agent without versions, such as "Googlebot" for "Mozilla/5.0 (compatible; Googlebot/2.1; …)" or "curl"
// for "curl/8.1". Merchants know a machine by this name, and can use it as a pattern in a rule. Browsers have the same
// names as in answers (device.ts).

import { LEFT_OUT_NAME_LENGTH_MAX } from "../limits.ts";
import { NO_AGENT } from "./bot.ts";
import { deviceOf } from "./device.ts";

/** Words of an agent, without links and addresses: "Go-http-client", "bingbot", "Chrome-Lighthouse". */
const WORD = /[a-z][\w.-]*/gi;
const LINK = /\S*(?:https?:\/\/|www\.|@)[^\s;)]*/gi;
/** What machines call themselves. */
const MACHINE = /bot|crawl|spider|slurp|scrap|headless|lighthouse|monitor|preview|external/i;
const BROWSER = "Mozilla";

/** The family of an agent; empty for none. */
export function agentFamily(userAgent: string, hints = ""): string {
  if (userAgent === "" || userAgent === NO_AGENT) return "";
  const words = userAgent.slice(0, READ_MAX).replace(LINK, " ").match(WORD) ?? [];
  const own = words.find((word) => MACHINE.test(word)) ?? afterCompatible(words);
  const [first = ""] = words;
  const name = own ?? (first === BROWSER ? deviceOf(userAgent, hints).browser || BROWSER : first);
  return name.slice(0, LEFT_OUT_NAME_LENGTH_MAX);
}

/** Characters of an agent that are read. Its name is near the beginning. */
const READ_MAX = 500;

/** "Mozilla/5.0 (compatible; Yandex …)"; Internet Explorer began so as well. */
function afterCompatible(words: readonly string[]): string | undefined {
  const at = words.findIndex((word) => word.toLowerCase() === "compatible");
  const next = at < 0 ? undefined : words[at + 1];
  return next === "MSIE" ? undefined : next;
}
