// A notice in the forms of each channel, and when it is tried again.

import { describe, expect, test } from "vitest";
import { fateOf, OUTBOX_ATTEMPTS_MAX, parseRetryAfter } from "../../../core/notice/attempt.ts";
import { type Message, toChatBody, toWebhookBody } from "../../../core/notice/message.ts";
import { HOUR_MS } from "../../../core/time.ts";

const AT = Date.parse("2026-11-29T12:00:00Z");
const HOSTILE = "<!channel> @everyone [click](https://evil.example) *bold* <https://evil.example|shop> & more";
const message: Message = { type: "alarm.on", subject: "A *spike*", text: HOSTILE, data: { kind: "spike" }, at: AT };

describe("[NTC-7] each channel has its form", () => {
  test("a webhook's is that of Standard Webhooks", () => {
    expect(JSON.parse(toWebhookBody(message))).toEqual({
      type: "alarm.on",
      timestamp: "2026-11-29T12:00:00.000Z",
      data: { kind: "spike" },
    });
  });

  test("Slack's mentions nobody and links nowhere", () => {
    const { text } = JSON.parse(toChatBody("slack", message)) as { text: string };
    expect(text).toContain("&lt;!channel&gt;");
    expect(text).not.toMatch(/<|https:\/\/|@everyone/);
  });

  test("Discord's mentions nobody and links nowhere", () => {
    const body = JSON.parse(toChatBody("discord", message)) as { content: string; allowed_mentions: object };
    expect(body.allowed_mentions).toEqual({ parse: [] });
    expect(body.content).not.toMatch(/https:\/\/|@everyone|[^\\]\[click|[^\\]<!/);
  });

  test("Teams' is an adaptive card, a block for each line", () => {
    const body = JSON.parse(toChatBody("teams", { ...message, text: "one\n\n# two" })) as {
      attachments: { contentType: string; content: { body: { text: string }[] } }[];
    };
    const [card] = body.attachments;
    expect(card?.contentType).toBe("application/vnd.microsoft.card.adaptive");
    expect(card?.content.body.map(({ text }) => text)).toEqual(["A \\*spike\\*", "one", "\\# two"]);
  });

  test("what is too long for a chat is cut", () => {
    for (const channel of ["slack", "discord", "teams"] as const)
      expect(toChatBody(channel, { ...message, text: "a".repeat(10_000) }).length).toBeLessThan(2_000);
  });
});

describe("[NTC-6] an attempt that failed", () => {
  const failed = { kind: "failed", error: "answered 500" } as const;
  test("is tried again for 75 hours, and then given up", () => {
    let [now, attempts] = [AT, 0];
    for (;;) {
      const fate = fateOf(failed, { attempts: ++attempts, now });
      if (fate.state !== "waiting") {
        expect(fate).toEqual({ state: "failed", error: "answered 500" });
        break;
      }
      now = fate.nextAt;
    }
    expect(attempts).toBe(OUTBOX_ATTEMPTS_MAX);
    expect((now - AT) / HOUR_MS).toBeCloseTo(75.6, 1);
  });

  test("waits as long as the receiver asks, a day at most", () => {
    const at = (retryAfterMs: number) => fateOf({ ...failed, retryAfterMs }, { attempts: 1, now: AT });
    expect(at(1)).toMatchObject({ nextAt: AT + 5 * 60_000 });
    expect(at(HOUR_MS)).toMatchObject({ nextAt: AT + HOUR_MS });
    expect(at(100 * HOUR_MS)).toMatchObject({ nextAt: AT + 24 * HOUR_MS });
  });

  test("is not tried again where the receiver wants none", () => {
    expect(fateOf({ kind: "refused", error: "answered 410" }, { attempts: 1, now: AT })).toMatchObject({
      state: "failed",
    });
  });

  test.each([
    [null, undefined],
    ["120", 120_000],
    ["Sun, 29 Nov 2026 13:00:00 GMT", HOUR_MS],
    ["Sun, 29 Nov 2026 11:00:00 GMT", 0],
    ["soon", undefined],
  ])("Retry-After: %s", (header, expected) => {
    expect(parseRetryAfter(header, AT)).toBe(expected);
  });
});
