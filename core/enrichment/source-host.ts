// The hosts and apps that visitors come from, with their names. A search engine is only a host that people search on,
// and a shop only one that people shop on. So "www.google.de" is "Google", while "docs.google.com" and
// "sellercentral.amazon.de" are sources of their own. It is a compact list of our own.

import { bare } from "./spelling.ts";

export type Medium = "search" | "social" | "video" | "shopping" | "email" | "ai";

/**
 * Sources with name and medium. The first text is one of these: a registrable host; its first label and a dot, for
 * names with hosts in many countries; a single host; an Android app's package; an iOS app's number in the App Store, or
 * its bundle.
 */
const SOURCES: readonly (readonly [string, string, Medium])[] = [
  ["google.", "Google", "search"],
  ["bing.com", "Bing", "search"],
  ["duckduckgo.com", "DuckDuckGo", "search"],
  ["yahoo.", "Yahoo!", "search"],
  ["yandex.", "Yandex", "search"],
  ["baidu.com", "Baidu", "search"],
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
  ["com.google.android.apps.searchlite", "Google", "search"],
  ["com.google.googlemobile", "Google", "search"],
  ["284815942", "Google", "search"],
  ["search.app", "Google", "search"],
  ["syndicatedsearch.goog", "Google", "search"],
  ["com.microsoft.bing", "Bing", "search"],
  ["345323231", "Bing", "search"],
  ["com.duckduckgo.mobile.android", "DuckDuckGo", "search"],
  ["663592361", "DuckDuckGo", "search"],
  ["ya.ru", "Yandex", "search"],
  ["ru.yandex.searchplugin", "Yandex", "search"],
  ["go.mail.ru", "Mail.ru", "search"],
  ["metager.de", "MetaGer", "search"],
  ["ecosia.org", "Ecosia", "search"],
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
  ["slack-redir.net", "Slack", "social"],
  ["618783545", "Slack", "social"],
  ["m.me", "Facebook", "social"],
  ["fb.com", "Facebook", "social"],
  ["fb.watch", "Facebook", "social"],
  ["com.facebook.lite", "Facebook", "social"],
  ["com.facebook.orca", "Facebook", "social"],
  ["com.facebook.facebook", "Facebook", "social"],
  ["com.facebook.messenger", "Facebook", "social"],
  ["284882215", "Facebook", "social"],
  ["454638411", "Facebook", "social"],
  ["ig.me", "Instagram", "social"],
  ["instagr.am", "Instagram", "social"],
  ["com.burbn.instagram", "Instagram", "social"],
  ["389801252", "Instagram", "social"],
  ["com.instagram.barcelona", "Threads", "social"],
  ["com.burbn.barcelona", "Threads", "social"],
  ["6446901002", "Threads", "social"],
  ["com.twitter.android.lite", "X", "social"],
  ["com.atebits.tweetie2", "X", "social"],
  ["333903271", "X", "social"],
  ["com.linkedin.linkedin", "LinkedIn", "social"],
  ["288429040", "LinkedIn", "social"],
  ["com.reddit.reddit", "Reddit", "social"],
  ["1064216828", "Reddit", "social"],
  ["429047995", "Pinterest", "social"],
  ["com.zhiliaoapp.musically", "TikTok", "social"],
  ["com.ss.android.ugc.trill", "TikTok", "social"],
  ["835599320", "TikTok", "social"],
  ["com.snapchat.android", "Snapchat", "social"],
  ["com.toyopagroup.picaboo", "Snapchat", "social"],
  ["447188370", "Snapchat", "social"],
  ["com.whatsapp", "WhatsApp", "social"],
  ["net.whatsapp.whatsapp", "WhatsApp", "social"],
  ["wl.co", "WhatsApp", "social"],
  ["310633997", "WhatsApp", "social"],
  ["telegram.me", "Telegram", "social"],
  ["ph.telegra.telegraph", "Telegram", "social"],
  ["686449807", "Telegram", "social"],
  ["com.vkontakte.android", "VK", "social"],
  ["discord.gg", "Discord", "social"],
  ["discordapp.com", "Discord", "social"],
  ["com.discord", "Discord", "social"],
  ["985746746", "Discord", "social"],
  ["com.tencent.mm", "WeChat", "social"],
  ["jp.naver.line.android", "LINE", "social"],
  ["line.me", "LINE", "social"],
  ["com.viber.voip", "Viber", "social"],
  ["t.umblr.com", "Tumblr", "social"],
  ["com.tumblr", "Tumblr", "social"],
  ["com.nextdoor", "Nextdoor", "social"],
  ["xyz.blueskyweb.app", "Bluesky", "social"],
  ["teams.microsoft.com", "Microsoft Teams", "social"],
  ["teams.cdn.office.net", "Microsoft Teams", "social"],
  ["com.microsoft.teams", "Microsoft Teams", "social"],
  ["news.ycombinator.com", "Hacker News", "social"],
  ["youtube.com", "YouTube", "video"],
  ["youtu.be", "YouTube", "video"],
  ["vimeo.com", "Vimeo", "video"],
  ["twitch.tv", "Twitch", "video"],
  ["dailymotion.com", "Dailymotion", "video"],
  ["bilibili.com", "Bilibili", "video"],
  ["com.google.android.youtube", "YouTube", "video"],
  ["com.google.ios.youtube", "YouTube", "video"],
  ["544007664", "YouTube", "video"],
  ["tv.twitch.android.app", "Twitch", "video"],
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
  ["market.yandex.ru", "Yandex Market", "shopping"],
  ["amzn.to", "Amazon", "shopping"],
  ["amzn.eu", "Amazon", "shopping"],
  ["a.co", "Amazon", "shopping"],
  ["com.amazon.mshop.android.shopping", "Amazon", "shopping"],
  ["297606951", "Amazon", "shopping"],
  ["com.ebay.mobile", "eBay", "shopping"],
  ["282614216", "eBay", "shopping"],
  ["com.etsy.android", "Etsy", "shopping"],
  ["com.alibaba.aliexpresshd", "AliExpress", "shopping"],
  ["mail.google.com", "Gmail", "email"],
  ["outlook.live.com", "Outlook", "email"],
  ["mail.yahoo.com", "Yahoo! Mail", "email"],
  ["mail.proton.me", "Proton Mail", "email"],
  ["outlook.office.com", "Outlook", "email"],
  ["outlook.office365.com", "Outlook", "email"],
  ["com.google.android.gm", "Gmail", "email"],
  ["com.google.gmail", "Gmail", "email"],
  ["422689480", "Gmail", "email"],
  ["com.microsoft.office.outlook", "Outlook", "email"],
  ["951937596", "Outlook", "email"],
  ["com.yahoo.mobile.client.android.mail", "Yahoo! Mail", "email"],
  ["ch.protonmail.android", "Proton Mail", "email"],
  ["deref-gmx.net", "GMX", "email"],
  ["deref-web.de", "WEB.DE", "email"],
  ["deref-mail.com", "mail.com", "email"],
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
  ["com.openai.chat", "ChatGPT", "ai"],
  ["6448311069", "ChatGPT", "ai"],
  ["com.anthropic.claude", "Claude", "ai"],
  ["com.google.android.apps.bard", "Gemini", "ai"],
  ["com.microsoft.copilot", "Copilot", "ai"],
  ["com.deepseek.chat", "DeepSeek", "ai"],
  ["ai.perplexity.app.android", "Perplexity", "ai"],
];

/** Other names that campaign tools use for a source, besides its host and name. */
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

export interface Known {
  readonly name: string;
  readonly medium: Medium;
}
const BY_HOST: ReadonlyMap<string, Known> = new Map(SOURCES.map(([host, name, medium]) => [host, { name, medium }]));
const NAMES: ReadonlyMap<string, string> = new Map(SOURCES.map(([, name]) => [name.toLowerCase(), name]));
const BY_NAME: ReadonlyMap<string, Medium> = new Map(SOURCES.map(([, name, medium]) => [name.toLowerCase(), medium]));

/** The medium of a source's host or name, such as "search" for "www.google.de" and for "Google". */
export function mediumOf(source: string): Medium | undefined {
  return BY_NAME.get(source.toLowerCase()) ?? knownHost(source)?.medium;
}

/** The name of a source that campaign parameters name. It is the same name that referrers of that source get. */
export function sourceName(text: string): string {
  const lower = text.toLowerCase();
  return ALIASES.get(lower) ?? NAMES.get(lower) ?? knownHost(lower)?.name ?? text;
}

/** An app by its package, number or bundle. */
export function knownApp(id: string): Known | undefined {
  return BY_HOST.get(id);
}

/**
 * No host of the map has more labels than this. A hostile host has a thousand, and comparing all its endings took 27
 * ms.
 */
const LABELS_MAX = 4;

/**
 * Looks up a host: first the whole host, then without its first label, and so on. A trailing dot in the map stands for
 * the ending of any country.
 */
export function knownHost(host: string): Known | undefined {
  const labels = bare(host.toLowerCase()).split(".");
  for (let index = Math.max(0, labels.length - LABELS_MAX); index < labels.length - 1; index++) {
    const known = BY_HOST.get(labels.slice(index).join(".")) ?? ofAnyCountry(labels.slice(index));
    if (known !== undefined) return isOpen(known, labels.slice(0, index)) ? known : undefined;
  }
  return undefined;
}

/**
 * Looks up a name with the ending of a country: "google.de", "google.com", "google.co.uk", but not "google.example" or
 * "amazon.jobs".
 */
function ofAnyCountry([name, second = "", third, ...rest]: readonly string[]): Known | undefined {
  const isEnding = third === undefined ? isCountry(second) || second === "com" || second === "cat" : isCountry(third);
  const isWhole = rest.length === 0 && (third === undefined || /^(?:co|com|org|net|ne|or)$/.test(second));
  return isEnding && isWhole ? BY_HOST.get(`${name}.`) : undefined;
}

function isCountry(label: string): boolean {
  return /^[a-z]{2}$/.test(label);
}

/** Whether the labels before a known host still lead to its search engine or shop. */
function isOpen({ medium }: Known, labels: readonly string[]): boolean {
  if (labels.length === 0) return true;
  if (medium === "search") return labels.every((label) => SEARCHES.has(label) || isCountry(label));
  if (medium === "shopping") return labels.every((label) => SHOPS.has(label) || isCountry(label));
  return !labels.some((label) => BACK_ROOMS.has(label));
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));

/** Labels of hosts that people search on, beside those of countries: "de.search.yahoo.com", "images.google.com". */
const SEARCHES = words(
  "www m mobile touch wap lite html safe start noai r search image images img lens video videos maps scholar shopping espanol",
);
/** Labels of hosts that people shop on. */
const SHOPS = words(
  "www m mobile search smile cgi stores shop item items product books event articulo produto listado lista best a",
);
/** Labels of hosts where people sign in, pay, write, administer or develop. They send nobody to a shop. */
const BACK_ROOMS = words(
  "account accounts login signin auth oauth sso passport admin console cloud api developer developers dev docs drive " +
    "platform pay payment payments checkout wallet billing status support help ads adsmanager analytics studio",
);
