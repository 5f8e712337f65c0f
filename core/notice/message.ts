// A notice as it waits in the outbox, and the forms in which each channel takes it. Texts from outside, such as titles
// of pages or names of goals, may stand in it. So each form escapes: no text mentions somebody in a chat, and none
// becomes a link.

import { NOTICE_CHAT_LENGTH_MAX } from "../limits.ts";

export interface Message {
  /** Such as "report.weekly" or "alarm.on": the type that a webhook has. */
  readonly type: string;
  readonly subject: string;
  /** Plain text, lines apart by "\n". */
  readonly text: string;
  /** For mail alone; absent where the text is all. */
  readonly html?: string | undefined;
  /** What a webhook gets. */
  readonly data: Readonly<Record<string, unknown>>;
  /** UTC ms at which it was written. */
  readonly at: number;
  /** The address that ends the subscription with one request; absent for a mail that is none of a subscription. */
  readonly unsubscribe?: string | undefined;
}

/** The type of the mail that asks somebody who is no member whether they want notices. */
export const CONFIRMATION = "subscription.confirm";

/** A form of chat: its body as JSON. */
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

/** The three characters that Slack's form gives a meaning; the marks of emphasis get a character that parts them. */
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

/** So that no address becomes a link, and no name a mention. */
function broken(text: string): string {
  return text.replace(/:\/\//g, `:${ZERO_WIDTH}//`).replaceAll("@", `@${ZERO_WIDTH}`);
}

/**
 * A name that comes from outside, such as a source that a stranger has sent, for a text: programs for mail make a link
 * of whatever looks like an address or a host.
 */
export function unlinked(name: string): string {
  return broken(name).replace(/\.(?=[\p{L}\d])/gu, `.${ZERO_WIDTH}`);
}

function cutTo(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
