// A report of a week or a month as a message: the API's answers for the period and for the one before, in words. Apart
// from comparisons no number is computed here, so each is the one that the API gives for the same range.

import { NOTICE_NAME_LENGTH_MAX, REPORT_CHANGES, REPORT_ROWS } from "../limits.ts";
import { dateOf, isoLocal } from "../time.ts";
import type { Language } from "./language.ts";
import { type Message, unlinked } from "./message.ts";
import type { Period } from "./period.ts";
import type { ReportTopic } from "./subscription.ts";
import { fill, WORDS, type Words, writerOf } from "./text.ts";

/** The metrics of a report, as questions name them. */
export const REPORT_METRICS = [
  ...["visitors", "visits", "pageviews", "bounce_rate", "visit_duration"],
  ...["orders", "total_revenue"],
] as const;
export type ReportMetric =
  | "visitors"
  | "visits"
  | "pageviews"
  | "bounce_rate"
  | "visit_duration"
  | "orders"
  | "total_revenue";

/** A metric in the period and in the one before; null where there is no value. */
export interface Compared {
  readonly now: number | null;
  readonly before: number | null;
}

/** A row of a list, by visitors. */
export interface ReportRow extends Compared {
  readonly name: string;
}

export interface ReportNumbers {
  readonly topic: ReportTopic;
  readonly period: Period;
  readonly shop: { readonly id: string; readonly name: string; readonly zone: string; readonly currency: string };
  readonly totals: Readonly<Record<ReportMetric, Compared>>;
  /** In the order of the API, the most visitors first. */
  readonly sources: readonly ReportRow[];
  readonly pages: readonly ReportRow[];
  /** UTC ms. Every hit acknowledged before it is counted. */
  readonly asOf: number;
}

/** Where the links of a message lead. Absent where the deployment has not said its own address. */
export interface Links {
  readonly dashboard?: string | undefined;
  readonly unsubscribe?: string | undefined;
}

export interface Writing {
  readonly language: Language;
  readonly links: Links;
  /** UTC ms. */
  readonly now: number;
}

/** Whether nothing was counted in the period or the one before: such a report is not sent. */
export function isEmptyReport({ totals }: ReportNumbers): boolean {
  return Object.values(totals).every(({ now, before }) => (now ?? 0) === 0 && (before ?? 0) === 0);
}

export function toReport(numbers: ReportNumbers, { language, links, now }: Writing): Message {
  const words = WORDS[language];
  const write = writerOf(language);
  const { topic, period, shop, totals, sources, pages, asOf } = numbers;
  const shown = { name: shop.name, from: write.day(period.from), to: write.day(period.to - 1) };
  const subject = fill(words[topic], { shop: shop.name, ...shown, month: write.month(period.from) });
  const value = (metric: ReportMetric, number: number | null) => {
    if (number === null) return "–";
    if (metric === "total_revenue") return write.money(number, shop.currency);
    if (metric === "bounce_rate") return `${write.count(number)} %`;
    if (metric === "visit_duration")
      return `${Math.floor(number / 60)}:${String(Math.round(number % 60)).padStart(2, "0")}`;
    return write.count(number);
  };
  const figures = (REPORT_METRICS as readonly ReportMetric[])
    .filter((metric) => isSaid(metric, totals))
    .map((metric) => {
      const { now: own, before } = totals[metric];
      const change = changeOf(totals[metric]);
      const compared = fill(words.before, { value: value(metric, before) });
      return [
        words[metric],
        value(metric, own),
        change === undefined ? compared : `${write.percent(change)}, ${compared}`,
      ];
    });
  const rows = (list: readonly ReportRow[]) =>
    list.slice(0, REPORT_ROWS).map((row) => [nameOf(row, words), write.count(row.now ?? 0)]);
  const changes = largestChanges([...sources, ...pages]).map((row) =>
    fill(words.change, {
      name: nameOf(row, words),
      now: write.count(row.now ?? 0),
      before: write.count(row.before ?? 0),
    }),
  );
  const sections: Section[] = [
    { rows: figures },
    { title: words.sources, rows: rows(sources) },
    { title: words.pages, rows: rows(pages) },
    { title: words.changes, rows: changes.map((change) => [change]) },
  ];
  const ends = [fill(words.asOf, { time: write.time(asOf, shop.zone) }), ...endings(words, links)];
  return {
    type: `report.${topic}`,
    subject,
    text: toText(sections, ends),
    html: toHtml({ title: subject, sections, ends, language }),
    data: toData(numbers),
    at: now,
    unsubscribe: links.unsubscribe,
  };
}

/** Money is mentioned where there is any. A report leaves out what the shop never has. */
function isSaid(metric: ReportMetric, totals: ReportNumbers["totals"]): boolean {
  if (metric !== "orders" && metric !== "total_revenue") return true;
  const { now, before } = totals[metric];
  return (now ?? 0) !== 0 || (before ?? 0) !== 0;
}

/** The change in per cent. Undefined where the period before had nothing. */
function changeOf({ now, before }: Compared): number | undefined {
  return now === null || before === null || before === 0
    ? undefined
    : Math.round(((now - before) / Math.abs(before)) * 100);
}

/** The rows whose number of visitors changed most from the period before. */
function largestChanges(rows: readonly ReportRow[]): readonly ReportRow[] {
  const distance = ({ now, before }: ReportRow) => Math.abs((now ?? 0) - (before ?? 0));
  return rows
    .filter((row) => distance(row) > 0)
    .toSorted((a, b) => distance(b) - distance(a))
    .slice(0, REPORT_CHANGES);
}

function nameOf({ name }: ReportRow, words: Words): string {
  if (name === "Direct / None" || name === "") return words.direct;
  return unlinked(name.length <= NOTICE_NAME_LENGTH_MAX ? name : `${name.slice(0, NOTICE_NAME_LENGTH_MAX - 1)}…`);
}

/** What a webhook gets: numbers as in the API, and dates of the merchant's calendar, both included. */
function toData({
  topic,
  period,
  shop,
  totals,
  sources,
  pages,
  asOf,
}: ReportNumbers): Readonly<Record<string, unknown>> {
  const days = ({ from, to }: Pick<Period, "from" | "to">) => [dateOf(from), dateOf(to - 1)];
  return {
    merchant: shop.id,
    name: shop.name,
    report: topic,
    period: period.key,
    date_range: days(period),
    compared_with: days(period.before),
    time_zone: shop.zone,
    currency: shop.currency,
    as_of: isoLocal(shop.zone, asOf),
    totals,
    sources: sources.slice(0, REPORT_ROWS),
    pages: pages.slice(0, REPORT_ROWS),
    changes: largestChanges([...sources, ...pages]),
  };
}

/** A section of a message: rows of one to three cells under a title. */
export interface Section {
  readonly title?: string;
  readonly rows: readonly (readonly string[])[];
}

/** The links at the end of a message. */
export function endings(words: Words, { dashboard, unsubscribe }: Links): readonly string[] {
  return [
    ...(dashboard === undefined ? [] : [fill(words.look, { link: dashboard })]),
    ...(unsubscribe === undefined ? [] : [fill(words.end, { link: unsubscribe })]),
  ];
}

export function toText(sections: readonly Section[], ends: readonly string[]): string {
  const parts = sections
    .filter(({ rows }) => rows.length > 0)
    .map(({ title, rows }) => {
      const lines = rows.map(([name = "", value, more]) => {
        const said = value === undefined ? name : `${name}: ${value}`;
        return more === undefined ? said : `${said} (${more})`;
      });
      return [...(title === undefined ? [] : [title]), ...lines].join("\n");
    });
  return [...parts, ends.join("\n")].filter((part) => part !== "").join("\n\n");
}

interface Page {
  readonly title: string;
  readonly sections: readonly Section[];
  readonly ends: readonly string[];
  readonly language: Language;
}

/** A mail of plain tables, without script or image. It loads nothing from elsewhere. */
export function toHtml({ title, sections, ends, language }: Page): string {
  const cell = (text: string, at: number) =>
    `<td style="padding:2px 16px 2px 0${at === 1 ? ";font-weight:bold" : at === 2 ? ";color:#666" : ""}">${escaped(text)}</td>`;
  const section = ({ title: head, rows }: Section) =>
    rows.length === 0
      ? ""
      : `${head === undefined ? "" : `<h2 style="font-size:16px">${escaped(head)}</h2>`}<table>${rows
          .map((row) => `<tr>${row.map(cell).join("")}</tr>`)
          .join("")}</table>`;
  const end = (line: string) =>
    `<p style="color:#666;font-size:13px">${escaped(line).replace(
      /https:\/\/[^\s<]+$/,
      (link) => `<a href="${link}">${link}</a>`,
    )}</p>`;
  const direction = language === "ar" ? "rtl" : "ltr";
  return [
    `<!doctype html><html lang="${language}" dir="${direction}"><head><meta charset="utf-8"><title>${escaped(title)}</title></head>`,
    `<body style="font-family:sans-serif;color:#111"><h1 style="font-size:20px">${escaped(title)}</h1>`,
    ...sections.map(section),
    ...ends.map(end),
    "</body></html>",
  ].join("");
}

function escaped(text: string): string {
  const named: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (letter) => named[letter] ?? letter);
}
