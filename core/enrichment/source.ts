// Where a visit came from: campaign parameters first, else the referrer, which well-known hosts turn into a name. A
// referrer on the same host is the merchant's own page and no source. The map is a compact list of our own.

import { URL_LENGTH_MAX } from "../limits.ts";
import { parseAddress, parseQuery } from "./address.ts";
import type { Opinion, Step } from "./opinion.ts";

export type Medium = "search" | "social" | "video" | "shopping" | "email" | "ai";

/** Registrable host (or its first label with a dot, for names with many country hosts), or an Android app → name and medium. */
const SOURCES: readonly (readonly [string, string, Medium])[] = [
  ["google.", "Google", "search"],
  ["bing.com", "Bing", "search"],
  ["duckduckgo.com", "DuckDuckGo", "search"],
  ["yahoo.", "Yahoo!", "search"],
  ["yandex.", "Yandex", "search"],
  ["baidu.com", "Baidu", "search"],
  ["ecosia.org", "Ecosia", "search"],
  ["qwant.com", "Qwant", "search"],
  ["kagi.com", "Kagi", "search"],
  ["startpage.com", "Startpage", "search"],
  ["search.brave.com", "Brave", "search"],
  ["naver.com", "Naver", "search"],
  ["seznam.cz", "Seznam", "search"],
  ["swisscows.com", "Swisscows", "search"],
  ["mojeek.com", "Mojeek", "search"],
  ["sogou.com", "Sogou", "search"],
  ["so.com", "360 Search", "search"],
  ["daum.net", "Daum", "search"],
  ["coccoc.com", "Coc Coc", "search"],
  ["search.aol.com", "AOL", "search"],
  ["ask.com", "Ask", "search"],
  ["lite.duckduckgo.com", "DuckDuckGo", "search"],
  ["com.google.android.googlequicksearchbox", "Google", "search"],
  ["facebook.com", "Facebook", "social"],
  ["instagram.com", "Instagram", "social"],
  ["threads.net", "Threads", "social"],
  ["threads.com", "Threads", "social"],
  ["twitter.com", "X", "social"],
  ["x.com", "X", "social"],
  ["t.co", "X", "social"],
  ["linkedin.com", "LinkedIn", "social"],
  ["lnkd.in", "LinkedIn", "social"],
  ["reddit.com", "Reddit", "social"],
  ["pinterest.", "Pinterest", "social"],
  ["tiktok.com", "TikTok", "social"],
  ["snapchat.com", "Snapchat", "social"],
  ["whatsapp.com", "WhatsApp", "social"],
  ["t.me", "Telegram", "social"],
  ["telegram.org", "Telegram", "social"],
  ["vk.com", "VK", "social"],
  ["weibo.com", "Weibo", "social"],
  ["bsky.app", "Bluesky", "social"],
  ["mastodon.social", "Mastodon", "social"],
  ["discord.com", "Discord", "social"],
  ["quora.com", "Quora", "social"],
  ["tumblr.com", "Tumblr", "social"],
  ["xing.com", "XING", "social"],
  ["ok.ru", "OK", "social"],
  ["nextdoor.com", "Nextdoor", "social"],
  ["slack.com", "Slack", "social"],
  ["wa.me", "WhatsApp", "social"],
  ["fb.me", "Facebook", "social"],
  ["messenger.com", "Facebook", "social"],
  ["redd.it", "Reddit", "social"],
  ["pin.it", "Pinterest", "social"],
  ["com.facebook.katana", "Facebook", "social"],
  ["com.instagram.android", "Instagram", "social"],
  ["com.twitter.android", "X", "social"],
  ["com.linkedin.android", "LinkedIn", "social"],
  ["com.reddit.frontpage", "Reddit", "social"],
  ["com.pinterest", "Pinterest", "social"],
  ["org.telegram.messenger", "Telegram", "social"],
  ["com.slack", "Slack", "social"],
  ["news.ycombinator.com", "Hacker News", "social"],
  ["youtube.com", "YouTube", "video"],
  ["youtu.be", "YouTube", "video"],
  ["vimeo.com", "Vimeo", "video"],
  ["twitch.tv", "Twitch", "video"],
  ["dailymotion.com", "Dailymotion", "video"],
  ["bilibili.com", "Bilibili", "video"],
  ["com.google.android.youtube", "YouTube", "video"],
  ["amazon.", "Amazon", "shopping"],
  ["ebay.", "eBay", "shopping"],
  ["etsy.com", "Etsy", "shopping"],
  ["walmart.com", "Walmart", "shopping"],
  ["aliexpress.com", "AliExpress", "shopping"],
  ["idealo.", "idealo", "shopping"],
  ["shopping.google.com", "Google Shopping", "shopping"],
  ["rakuten.", "Rakuten", "shopping"],
  ["mercadolibre.", "Mercado Libre", "shopping"],
  ["geizhals.", "Geizhals", "shopping"],
  ["mail.google.com", "Gmail", "email"],
  ["outlook.live.com", "Outlook", "email"],
  ["mail.yahoo.com", "Yahoo! Mail", "email"],
  ["mail.proton.me", "Proton Mail", "email"],
  ["outlook.office.com", "Outlook", "email"],
  ["outlook.office365.com", "Outlook", "email"],
  ["com.google.android.gm", "Gmail", "email"],
  ["chatgpt.com", "ChatGPT", "ai"],
  ["chat.openai.com", "ChatGPT", "ai"],
  ["claude.ai", "Claude", "ai"],
  ["gemini.google.com", "Gemini", "ai"],
  ["perplexity.ai", "Perplexity", "ai"],
  ["copilot.microsoft.com", "Copilot", "ai"],
  ["chat.deepseek.com", "DeepSeek", "ai"],
  ["chat.mistral.ai", "Mistral", "ai"],
  ["meta.ai", "Meta AI", "ai"],
  ["grok.com", "Grok", "ai"],
  ["you.com", "You.com", "ai"],
  ["openai.com", "ChatGPT", "ai"],
  ["bard.google.com", "Gemini", "ai"],
  ["notebooklm.google.com", "NotebookLM", "ai"],
  ["m365.cloud.microsoft", "Copilot", "ai"],
  ["copilot.cloud.microsoft", "Copilot", "ai"],
  ["deepseek.com", "DeepSeek", "ai"],
  ["mistral.ai", "Mistral", "ai"],
  ["x.ai", "Grok", "ai"],
  ["poe.com", "Poe", "ai"],
  ["phind.com", "Phind", "ai"],
  ["kimi.com", "Kimi", "ai"],
  ["chat.qwen.ai", "Qwen", "ai"],
  ["doubao.com", "Doubao", "ai"],
  ["com.openai.chatgpt", "ChatGPT", "ai"],
  ["ai.perplexity.app.android", "Perplexity", "ai"],
];

interface Known {
  readonly name: string;
  readonly medium: Medium;
}
const BY_HOST: ReadonlyMap<string, Known> = new Map(SOURCES.map(([host, name, medium]) => [host, { name, medium }]));
const NAMES: ReadonlyMap<string, string> = new Map(SOURCES.map(([, name]) => [name.toLowerCase(), name]));
const BY_NAME: ReadonlyMap<string, Medium> = new Map(SOURCES.map(([, name, medium]) => [name.toLowerCase(), medium]));

/** Click ids: their presence names the advertiser when no campaign parameter does. */
const CLICK_IDS: readonly (readonly [parameter: string, source: string])[] = [
  ["gclid", "Google"],
  ["gbraid", "Google"],
  ["wbraid", "Google"],
  ["msclkid", "Bing"],
  ["fbclid", "Facebook"],
  ["ttclid", "TikTok"],
  ["twclid", "X"],
  ["dclid", "Google"],
  ["yclid", "Yandex"],
  ["li_fat_id", "LinkedIn"],
  ["sccid", "Snapchat"],
  ["rdt_cid", "Reddit"],
  ["epik", "Pinterest"],
];

/** What campaign tools write for a source, beside its host and name. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["adwords", "Google"],
  ["googleads", "Google"],
  ["fb", "Facebook"],
  ["meta", "Facebook"],
  ["ig", "Instagram"],
  ["yt", "YouTube"],
  ["twitter", "X"],
  ["copilot.com", "Copilot"],
]);

/** Step: campaign parameters, referrer and source. */
export const source: Step = (event, opinion) => {
  readReferrer(event.referrer, opinion);
  if (!event.url.includes("?")) return; // as most: what follows is of the query
  const parameters = parseQuery(parseAddress(event.url)?.query ?? "");
  const campaign = (name: string) => (parameters.get(name) ?? "").slice(0, URL_LENGTH_MAX / 4);
  opinion.utm_source = campaign("utm_source") || campaign("source") || campaign("ref");
  opinion.utm_medium = campaign("utm_medium");
  opinion.utm_campaign = campaign("utm_campaign");
  opinion.utm_content = campaign("utm_content");
  opinion.utm_term = campaign("utm_term");
  const clicked = CLICK_IDS.find(([parameter]) => parameters.has(parameter));
  if (opinion.utm_source !== "") opinion.source = sourceName(opinion.utm_source);
  else if (opinion.source === "" && clicked !== undefined) opinion.source = clicked[1];
  if (opinion.utm_medium === "" && clicked !== undefined && PAID_CLICK_IDS.has(clicked[0])) {
    opinion.utm_medium = `(${clicked[0]})`;
  }
};

/** Click ids that only paid clicks carry; fbclid is on every link that leaves Facebook. */
const PAID_CLICK_IDS: ReadonlySet<string> = new Set([
  "gclid",
  "gbraid",
  "wbraid",
  "dclid",
  "msclkid",
  "ttclid",
  "twclid",
  "yclid",
  "li_fat_id",
  "sccid",
  "rdt_cid",
]);

/** The medium of a source's host or name, such as "search" for "www.google.de" and for "Google". */
export function mediumOf(source: string): Medium | undefined {
  return BY_NAME.get(source.toLowerCase()) ?? knownHost(source)?.medium;
}

function readReferrer(referrer: string, opinion: Opinion): void {
  const address = parseAddress(referrer);
  if (address === undefined || address.hostname === "") return;
  if (bare(address.hostname) === bare(opinion.hostname)) return;
  const web = address.scheme === "http" || address.scheme === "https";
  opinion.referrer = (web ? "" : `${address.scheme}://`) + bare(address.hostname) + address.path.replace(/\/$/, "");
  const isApp = address.scheme === "android-app";
  const known = web ? knownHost(address.hostname) : isApp ? BY_HOST.get(address.hostname) : undefined;
  opinion.source = known?.name ?? (web ? bare(address.hostname) : opinion.referrer);
}

function sourceName(text: string): string {
  const lower = text.toLowerCase();
  return ALIASES.get(lower) ?? NAMES.get(lower) ?? knownHost(lower)?.name ?? text;
}

/** No host of the map has more labels; hostile ones have a thousand, and comparing all their endings took 27 ms. */
const LABELS_MAX = 4;

/** Walks from the whole host to its last labels; a trailing dot in the map stands for any country's ending. */
function knownHost(host: string): Known | undefined {
  const labels = bare(host.toLowerCase()).split(".").slice(-LABELS_MAX);
  if (labels.length < 2) return undefined;
  for (let index = 0; index < labels.length - 1; index++) {
    const whole = BY_HOST.get(labels.slice(index).join("."));
    if (whole !== undefined) return whole;
    const endsLikeCountry = labels.length - index <= 3 && (labels.length - index === 2 || isShort(labels[index + 1]));
    const anyCountry = endsLikeCountry ? BY_HOST.get(`${labels[index]}.`) : undefined;
    if (anyCountry !== undefined) return anyCountry;
  }
  return undefined;
}

/** "co", "com", "org": the second level of "google.co.uk". */
function isShort(label: string | undefined): boolean {
  return label !== undefined && label.length <= 3;
}

function bare(hostname: string): string {
  return hostname.replace(/^(www|m|l|lm)\./, "");
}
