// What a keyed sender says of browser, system and device, where there is no agent.

import { expect, test } from "vitest";
import { opine } from "../../../core/enrichment/opinion.ts";
import { decodeEvent, encodeEvent, FIELDS } from "../../../core/event.ts";
import {
  NO_RULES,
  NO_RULES_IN_FORCE,
  type RuleTimeline,
  redoneOnDays,
  rulesInForce,
  undoneOnDays,
} from "../../../core/rules.ts";
import { CHROME, eventOf } from "../../support/events.ts";

test.each([
  ["chrome", "Windows 10", "laptop", "Chrome", "Windows", "Desktop"],
  ["ios", "iOS 17.2", "smartphone", "Mobile Safari", "iOS", "Mobile"],
  ["edge-chromium", "Mac OS X", "desktop", "Edge", "Mac OS", "Desktop"],
  ["NetSurf", "RISC OS", "toaster", "NetSurf", "RISC OS", "toaster"],
  ["", "", "", "", "", ""],
])("[SRV-5] %s on %s (%s) is %s on %s (%s)", (browser, os, device, ...expected) => {
  const event = eventOf({ userAgent: "", given: JSON.stringify({ browser, os, device }) });
  const opinion = opine(event, NO_RULES_IN_FORCE);
  expect([opinion.browser, opinion.os, opinion.device]).toEqual(expected);
});

test("[SRV-5] an agent comes before what is given, and what is no JSON says nothing", () => {
  const given = JSON.stringify({ browser: "firefox" });
  expect(opine(eventOf({ userAgent: CHROME, given }), NO_RULES_IN_FORCE).browser).toBe("Chrome");
  expect(opine(eventOf({ userAgent: "", given: "chrome" }), NO_RULES_IN_FORCE).browser).toBe("");
});

test("[SRV-5] a live hit's row in the log has no place for them", () => {
  const live = eventOf({});
  expect(encodeEvent(live)).toHaveLength(FIELDS.length - 2);
  expect(decodeEvent(encodeEvent(live))).toEqual(live);
  const imported = eventOf({ importNumber: 7 });
  expect(decodeEvent(encodeEvent(imported))).toEqual(imported);
});

test("[RPL-22] an undone import drops its own events on its Days, before any other reason, and a redo takes that back", () => {
  const days = [5, 8] as const;
  const bots = { ...NO_RULES, bots: { drop: ["*"], admit: [] } };
  const before: RuleTimeline = [{ version: 1, rules: bots, from: 0 }];
  const own = [...before, undoneOnDays(before, { importNumber: 3, days })];
  const reasonOf = (timeline: RuleTimeline, importNumber: number, day: number) =>
    opine(
      eventOf({ importNumber, userAgent: CHROME }),
      rulesInForce({ own: timeline, global: [] }, { instant: 1, day, importNumber }),
    ).dropped;
  expect([4, 5, 7, 8].map((day) => reasonOf(own, 3, day))).toEqual(["bot", "undone", "undone", "bot"]);
  expect([0, 2].map((number) => reasonOf(own, number, 5))).toEqual(["bot", "bot"]);
  expect(redoneOnDays(own, { importNumber: 3, days })).toEqual(before);
  expect(redoneOnDays(own, { importNumber: 2, days })).toEqual(own);
});
