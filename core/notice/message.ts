// A notice as it waits in the outbox, and the form in which each channel takes it. It may contain texts from outside,
// such as titles of pages or names of goals. So each form escapes them: no text mentions somebody in a chat or becomes
// a link.

import { NOTICE_CHAT_LENGTH_MAX } from "../limits.ts";

export interface Message {
  /** The type for webhooks, such as "report.weekly" or "alarm.on". */
  readonly type: string;
  readonly subject: string;
  /** Plain text; "\n" ends each row. */
  readonly text: string;
  /** Only for mail. Absent where the text says all. */
  readonly html?: string | undefined;
  /** What a webhook gets. */
  readonly data: Readonly<Record<string, unknown>>;
  /** UTC ms at which it was written. */
  readonly at: number;
  /** The address that ends the subscription with one request. Absent for mail without a subscription. */
  readonly unsubscribe?: string | undefined;
}

/** The type of the mail that asks somebody whether they want notices. */
export const CONFIRMATION = "subscription.confirm";

/** A chat, whose body is JSON. */
export type ChatChannel = "slack" | "discord" | "teams";

/** The body for a webhook, as Standard Webhooks has it. The same for each attempt. */
export function toWebhookBody({ type, at, data }: Message): string {
  return JSON.stringify({ type, timestamp: new Date(at).toISOString(), data });
}

export function toChatBody(channel: ChatChannel, { subject, text }: Message): string {
  const cut = cutTo(text, NOTICE_CHAT_LENGTH_MAX - subject.length);
  return JSON.stringify(FORMS[channel](subject, cut));
}

const FORMS: Readonly<Record<ChatChannel, (subject: string, text: string) => unknown>> = {
  slack: (subject, text) => ({
    text: `*${forSlack(subject)}*\n${forSlack(text)}`,
    unfurl_links: false,
    unfurl_media: false,
  }),
  discord: (subject, text) => ({
    content: `**${forMarkdown(subject)}**\n${forMarkdown(text)}`,
    allowed_mentions: { parse: [] },
    flags: 4, // SUPPRESS_EMBEDS
  }),
  teams: (subject, text) => ({
    type: "message",
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.4",
          body: [
            { type: "TextBlock", size: "Medium", weight: "Bolder", wrap: true, text: forMarkdown(subject) },
            ...text
              .split("\n")
              .filter((line) => line !== "")
              .map((line) => ({ type: "TextBlock", wrap: true, spacing: "Small", text: forMarkdown(line) })),
          ],
        },
      },
    ],
  }),
};

/** Escapes the three characters that have a meaning in Slack, and adds a character that breaks marks of emphasis. */
function forSlack(text: string): string {
  return broken(text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")).replace(
    /[*_~`]/g,
    (mark) => `${ZERO_WIDTH}${mark}${ZERO_WIDTH}`,
  );
}

function forMarkdown(text: string): string {
  return broken(text).replace(/[\\`*_~|<>[\]#]/g, "\\$&");
}

const ZERO_WIDTH = "\u200b";

/** A text in which no address becomes a link and no name a mention. */
function broken(text: string): string {
  return text.replace(/:\/\//g, `:${ZERO_WIDTH}//`).replaceAll("@", `@${ZERO_WIDTH}`);
}

/**
 * A name from outside, such as a source that a stranger sent, for a text. Mail programs make a link of anything that
 * looks like an address or a host.
 */
export function unlinked(name: string): string {
  return broken(name).replace(/\.(?=[\p{L}\d])/gu, `.${ZERO_WIDTH}`);
}

function cutTo(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
