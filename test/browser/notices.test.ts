// The page Notices in a real Chromium, on the real Workers: who is told what is added, tried, changed, paused and
// removed by keys alone; what was sent and what failed is shown; previews say what the API says.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHROMIUM } from "../../scripts/browsers.ts";
import { Stage, untilSettled } from "../support/browser.ts";
import { CHROME } from "../support/events.ts";
import { Keyboard } from "../support/keyboard.ts";
import { databasesOf, type Merchant } from "../support/services.ts";

const EMAIL = "anna@shop.example";
const PASSWORD = "correct horse battery";
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const HOOK = "https://hook.shop.dev/in";
const HOUR_MS = 3_600_000;
const SCRIPT = join(import.meta.dirname, "../../scripts/footfall.ts");

describe.skipIf(CHROMIUM === undefined)("the page Notices", { timeout: 300_000 }, () => {
  let stage: Stage;
  let shop: Merchant;
  const errors: string[] = [];
  const now = Date.now();

  beforeAll(async () => {
    stage = await Stage.open("Chromium", { DASHBOARD_URL: "https://stats.shop.dev" });
    shop = await stage.client.createMerchant("Europe/Vienna");
    await sendDays();
    await join(EMAIL, "owner");
  }, 300_000);
  afterAll(() => stage?.close());

  /** On five Days 30 visitors come in one hour, and today nobody does: an alarm. */
  async function sendDays(): Promise<void> {
    const hits = [1, 2, 3, 4, 5].flatMap((days) =>
      Array.from({ length: 30 }, (_, index) => ({
        ...{ tracking_id: shop.tracking_id, visitor_id: `v-${index}`, user_agent: CHROME },
        ...{ url: "https://shop.example/tea", timestamp: now - 1.5 * HOUR_MS - days * 24 * HOUR_MS },
      })),
    );
    const headers = { authorization: `Bearer ${await stage.client.createWriteKey(shop)}` };
    const { body } = await stage.client.send(hits, headers);
    expect([body.accepted, body.rejected]).toEqual([hits.length, []]);
  }

  async function join(email: string, role: string): Promise<void> {
    const path = `/api/v1/merchants/${shop.id}/invites`;
    const { token } = (await stage.client.admin("POST", path, { email, role })) as { token: string };
    const { queryUrl } = stage.client;
    const body = JSON.stringify({ token, password: PASSWORD });
    const init = { method: "POST", headers: { origin: queryUrl }, body };
    expect((await fetch(`${queryUrl}/api/v1/invites/accept`, init)).status).toBe(201);
  }

  async function signedIn(email = EMAIL, options: object = {}): Promise<BrowserContext> {
    const context = await stage.context({ locale: "en-GB", ...options });
    context.on("weberror", (error) => errors.push(error.error().message));
    context.on("console", (message) => {
      if (/Content Security Policy|TrustedHTML/i.test(message.text())) errors.push(message.text());
    });
    const { queryUrl } = stage.client;
    const sent = { data: { email, password: PASSWORD }, headers: { origin: queryUrl } };
    expect((await context.request.post(`${queryUrl}/api/v1/session`, sent)).status()).toBe(201);
    return context;
  }

  async function open(context: BrowserContext, at = ""): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`${stage.client.queryUrl}/s/${shop.id}/notices?v=1&range=7d&at=${at}`);
    await settled(page);
    return page;
  }

  const settled = (page: Page) => untilSettled(page, "notices");

  interface Subscription extends Readonly<Record<string, unknown>> {
    readonly id: string;
  }
  const path = () => `/api/v1/merchants/${shop.id}/subscriptions`;
  const list = async () =>
    ((await stage.client.admin("GET", path())) as { subscriptions: Subscription[] }).subscriptions;
  const row = (page: Page, text: string) => page.locator(".list tbody tr", { hasText: text });

  test("[DSH-33] by keys alone: a webhook is added, tried, changed, paused, switched off, given a secret, removed", async () => {
    const context = await signedIn();
    const page = await open(context);
    const person = new Keyboard(page);
    await page.getByText("Nobody is told anything yet.").waitFor();

    // Added: the secret is there once.
    await person.to("How");
    await page.keyboard.type("Web");
    await person.fill("Address", HOOK);
    await person.to("Nobody comes any more");
    await person.keys("Space");
    await person.press("Add");
    const secret = page.locator(".once code");
    await secret.waitFor();
    const first = await secret.innerText();
    expect(first).toMatch(/^whsec_/);
    await person.expectKept("a webhook is added");
    await person.press("I have kept it");
    await secret.waitFor({ state: "detached" });
    const [made] = await list();
    expect(made).toMatchObject({
      ...{ channel: "webhook", target: HOOK, topics: ["weekly", "silence"], language: "en" },
      ...{ quiet: null, goal: null, state: "on" },
    });
    expect(JSON.stringify(await page.content())).not.toContain("whsec_");
    await row(page, HOOK).waitFor();
    expect(await row(page, HOOK).innerText()).toContain("next report");

    // Tried: a test waits to be sent, and the details say so; then what failed, with its reason.
    await person.press(`Test: ${HOOK}`);
    await page.getByText(/^A test to .*hook\.shop\.dev\/in.* is on its way\./).waitFor();
    await person.expectKept("a test is sent");
    await person.press(`Details: ${HOOK}`, "back");
    await page.locator(".sent li").waitFor();
    expect(await page.locator(".sent li").innerText()).toMatch(/^Test .*\s+Waits; next attempt/);
    const { execAll } = await databasesOf(stage.runtime);
    await execAll(
      `UPDATE outbox SET state = 'failed', attempts = 9, error = 'answered 503', next_at = NULL, ended_at = ${now}`,
    );
    await person.press("Look again");
    await page.locator(".sent .failed").waitFor();
    expect(await page.locator(".sent li").innerText()).toMatch(/Given up .*9 attempts\.\s+answered 503/);
    await person.expectKept("the log is looked at again");

    // Changed: topics, language, quiet hours, a goal; and paused.
    const form = page.getByRole("form", { name: "Change:" });
    await person.to("A goal is reached");
    await person.keys("Space");
    await person.to("Reaches");
    await page.keyboard.type("100");
    await person.choose("Language of the messages", "Deu");
    await form.getByLabel("Quiet from").fill("22:00"); // how a time is typed is the browser's
    await form.getByLabel("Quiet until").fill("07:00");
    const day = new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Vienna" }).format(now + 72 * HOUR_MS);
    await form.getByLabel("Nothing until the end of").fill(day);
    await person.press("Save");
    await row(page, "paused until").waitFor();
    await person.expectKept("it is changed");
    const [changed] = await list();
    expect(changed).toMatchObject({
      ...{ topics: ["weekly", "silence", "goal"], language: "de", quiet: { from: "22:00", to: "07:00" } },
      goal: { metric: "orders", value: 100, period: "week", goal: null },
    });
    const ends = new Intl.DateTimeFormat("sv-SE", {
      timeZone: "Europe/Vienna",
      dateStyle: "short",
      timeStyle: "medium",
    });
    expect(ends.format(Date.parse(changed?.["paused_until"] as string))).toBe(`${day} 23:59:59`);
    expect(await page.getByRole("button", { name: `Test: ${HOOK}` }).count()).toBe(0);
    expect(await form.getByLabel("Reaches").inputValue()).toBe("100"); // drawn from what was saved

    await person.press(`Switch off: ${HOOK}`);
    await row(page, "was switched off here").waitFor();
    await person.expectKept("it is switched off");
    expect((await person.focused()).name).toBe(`Switch on: ${HOOK}`);
    await person.keys("Enter");
    await row(page, "paused until").waitFor();
    expect(await list()).toMatchObject([{ state: "on" }]);

    await person.press(`New secret: ${HOOK}`);
    expect(await page.getByRole("dialog").innerText()).toContain("signs as well for 24 hours");
    await person.press("New secret");
    await secret.waitFor();
    expect(await secret.innerText()).toMatch(/^whsec_/);
    expect(await secret.innerText()).not.toBe(first);
    await person.expectKept("a new secret is made");
    await person.press("I have kept it");
    await person.press(`Remove: ${HOOK}`);
    await person.press("Remove");
    await page.getByText("Nobody is told anything yet.").waitFor();
    await person.expectKept("it is removed");
    expect(await list()).toEqual([]);
    expect(person.faults).toEqual([]);
    await context.close();
  });

  test("[DSH-33] what is wrong is said at its place, and nothing is added; a stranger's mail waits for a yes", async () => {
    const context = await signedIn();
    const page = await open(context);
    const add = page.getByRole("button", { name: "Add" });
    const form = page.getByRole("form", { name: "Tell somebody" });
    await form.getByLabel("How").selectOption("webhook");
    await form.getByLabel("Address", { exact: true }).fill("https://10.0.0.1/in");
    await add.click();
    await form.getByText("This is no address that can be sent to.").waitFor();
    expect(await page.evaluate("document.activeElement.name")).toBe("target");
    await form.getByLabel("Address", { exact: true }).fill(HOOK);
    await form.getByLabel("Report of the week").uncheck();
    await add.click();
    await form.getByText("Choose at least one.").waitFor();
    await form.getByLabel("Report of the month").check();
    await form.getByLabel("Quiet from").fill("22:00");
    await add.click();
    await form.getByText("Quiet hours need both times, or none.").waitFor();
    await form.getByLabel("Quiet from").fill("");
    await form.getByLabel("A goal is reached").check();
    await form.getByLabel("Reaches").fill("many");
    await add.click();
    await form.getByText("The goal needs a number above zero.").waitFor();
    expect(await list()).toEqual([]);

    await form.getByLabel("A goal is reached").uncheck();
    await form.getByLabel("How").selectOption("email");
    await form.getByLabel("E-mail address").fill("stranger@elsewhere.dev");
    await add.click();
    await row(page, "was asked, and has not agreed yet").waitFor();
    expect(await list()).toMatchObject([{ channel: "email", topics: ["monthly"], state: "unconfirmed" }]);
    expect(await page.getByRole("button", { name: /^(Test|Switch off|New secret)/ }).count()).toBe(0);
    await page.getByRole("button", { name: "Details: stranger@elsewhere.dev" }).click();
    await page.locator(".sent li", { hasText: "Question whether it is wanted" }).waitFor();
    // The same again is a conflict, which the field says.
    await form.getByLabel("E-mail address").fill("stranger@elsewhere.dev");
    await add.click();
    await form.getByText("This address is told already").waitFor();
    await page.getByRole("button", { name: "Remove: stranger@elsewhere.dev" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByText("Nobody is told anything yet.").waitFor();
    await context.close();
  });

  test("[DSH-33] [NTC-22] previews say what the API says: a report in a form and language, and the alarms of 30 days", async () => {
    const context = await signedIn();
    const page = await open(context);
    const form = page.getByRole("form", { name: "What a report says" });
    const previewOf = async (body: object) => await stage.client.admin("POST", `${path()}/preview`, body);
    for (const channel of ["email", "slack"]) {
      await form.getByLabel("How").selectOption(channel);
      await form.getByLabel("Language of the messages").selectOption("de");
      await form.getByRole("button", { name: "Show" }).click();
      await form.locator("pre").waitFor();
      const said = (await previewOf({ topic: "weekly", channel, language: "de" })) as { text?: string; body?: object };
      const shown = await form.locator("pre").textContent();
      const unstamped = (text: string) => text.replaceAll(/\d{1,2}:\d\d/g, "time"); // it says as of when
      if (channel === "email") expect(unstamped(shown ?? "")).toBe(unstamped(said.text ?? ""));
      else expect(Object.keys(JSON.parse(shown ?? ""))).toEqual(Object.keys(said.body ?? {}));
    }
    const alarms = page.getByRole("region", { name: "Alarms of the last 30 days" });
    await alarms.getByRole("button", { name: "Show" }).click();
    await alarms.locator("li").first().waitFor();
    const said = (await stage.client.admin("GET", `/api/v1/merchants/${shop.id}/alarms`)) as {
      alarms: { kind: string; says: string }[];
    };
    expect(said.alarms.map(({ kind }) => kind)).toContain("silence");
    expect(await alarms.locator("li > span:last-child").allInnerTexts()).toEqual(said.alarms.map(({ says }) => says));
    await context.close();
    const listed = await footfall("report", "alarms", shop.id);
    for (const { says } of said.alarms) expect(listed).toContain(says);
  });

  test("[NTC-23] the command line pauses one and ends the pause", async () => {
    const body = { channel: "webhook", target: `${HOOK}/other`, topics: ["silence"] };
    const { id } = (await stage.client.admin("POST", path(), body)) as Subscription;
    const until = new Date(now + 24 * HOUR_MS).toISOString();
    await footfall("report", "change", shop.id, id, "--pause", until);
    expect(await list()).toMatchObject([{ id, paused_until: until }]);
    await footfall("report", "change", shop.id, id, "--pause", "none");
    expect(await list()).toMatchObject([{ id, paused_until: null }]);
    await stage.client.admin("DELETE", `${path()}/${id}`);
  });

  async function footfall(...args: readonly string[]): Promise<string> {
    const { queryUrl, collectorUrl, adminToken } = stage.client;
    const where = ["--query-url", queryUrl, "--collector-url", collectorUrl, "--admin-token", adminToken];
    const env = { PATH: process.env["PATH"] ?? "" };
    return (await promisify(execFile)(process.execPath, [SCRIPT, ...where, ...args], { env })).stdout;
  }

  test("[DSH-33] [DSH-19] a viewer is not offered it, and sees nothing of it", async () => {
    await join("vera@shop.example", "viewer");
    const context = await signedIn("vera@shop.example");
    const page = await open(context);
    await page.getByText("Admins and owners of the shop alone see this.").waitFor();
    expect(await page.getByRole("link", { name: "Notices" }).count()).toBe(0);
    expect(await page.locator("form, .list").count()).toBe(0);
    await context.close();
  });

  const LOOKS = (["light", "dark"] as const).flatMap((colorScheme) =>
    ([390, 768, 1_280] as const).map((width) => [colorScheme, width] as const),
  );
  test("[DSH-7] [DSH-33] axe finds nothing, in both themes, three widths, and in Arabic", async () => {
    const subscribe = async (body: object) => (await stage.client.admin("POST", path(), body)) as Subscription;
    const target = `https://hook.shop.dev/${"long-".repeat(60)}`;
    const goal = { metric: "total_revenue", value: 5_000, period: "month" };
    const { id } = await subscribe({ channel: "webhook", target, topics: ["weekly", "traffic", "goal"], goal });
    await subscribe({ channel: "email", target: EMAIL, topics: ["weekly", "monthly", "silence", "orders", "doubt"] });
    await stage.client.admin("POST", `${path()}/${id}/test`);
    const found: unknown[] = [];
    for (const [colorScheme, width] of LOOKS) {
      const isArabic = width === 768 || (width === 390 && colorScheme === "dark");
      const locale = isArabic ? "ar" : "en-GB";
      const viewport = { width, height: 900 };
      const context = await signedIn(EMAIL, {
        colorScheme,
        viewport,
        locale,
        bypassCSP: true,
        reducedMotion: "reduce",
      });
      const page = await open(context, id);
      await page.locator(".sent li").first().waitFor();
      await page.locator("section[aria-labelledby=alarms-title] > button").click();
      await page.locator("section[aria-labelledby=alarms-title] li").first().waitFor();
      await page.locator("form:has([name=form]) .first").click();
      await page.locator("form pre").waitFor();
      await page.evaluate(AXE);
      const { violations } = (await page.evaluate("axe.run({ resultTypes: ['violations'] })")) as {
        violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
      };
      found.push(
        ...violations.map(({ id, nodes }) => [colorScheme, width, id, nodes[0]?.html, nodes[0]?.failureSummary]),
      );
      const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      expect([colorScheme, width, Number(overflow) <= 0]).toEqual([colorScheme, width, true]);
      await context.close();
    }
    expect(found).toEqual([]);
  });

  test("[DSH-1] none of these pages broke its policy or threw", () => {
    expect(errors).toEqual([]);
  });
});
