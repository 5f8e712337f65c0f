// One morning of a new user, from the invite to the erasure of a visitor, by keyboard alone: nothing is clicked, and
// nothing but keys moves the focus. In each browser that is there.

import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BROWSERS, Stage, untilSettled } from "../support/browser.ts";
import { CHROME } from "../support/events.ts";
import { Keyboard } from "../support/keyboard.ts";
import { type Merchant, until, untilArchived, untilSealed } from "../support/services.ts";

const EMAIL = "nora@shop.example";
const PASSWORD = "correct horse battery";
const ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
const DAY_MS = 86_400_000;

describe.each(Object.entries(BROWSERS))("the dashboard by keys in %s", { timeout: 400_000 }, (browser, { path }) => {
  describe.skipIf(path === undefined)(`${browser}, where it is there`, () => {
    let stage: Stage;
    let shop: Merchant;
    /** A Day that is over for good and in the last seven. */
    const day = Date.now() - 6 * DAY_MS;
    const date = new Date(day).toISOString().slice(0, 10);

    beforeAll(async () => {
      stage = await Stage.open(browser as keyof typeof BROWSERS);
      shop = await stage.client.createMerchant();
      await sendHistory();
    }, 400_000);
    afterAll(() => stage?.close());

    /**
     * Of that Day: three who came by Google, of whom one bought; one who came by Bing; a tester who bought. A week
     * before, one who came by Google.
     */
    async function sendHistory(): Promise<void> {
      const look = (visitor_id: string, referrer: string, user_agent = CHROME) => ({
        ...{ tracking_id: shop.tracking_id, visitor_id, user_agent, referrer },
        ...{ url: "https://shop.example/tea", timestamp: day },
      });
      const buy = (looked: ReturnType<typeof look>, order_id: string, amount: number) => ({
        ...{ ...looked, url: "https://shop.example/paid", name: "purchase", order_id, timestamp: day + 60_000 },
        revenue: { amount, currency: "EUR" },
      });
      const google = "https://www.google.com/";
      const buyer = look("buyer", google);
      const tester = look("tester", "", `${CHROME} AcmeShopper/1.0`);
      const looks = [buyer, look("one", google), look("two", google), look("three", "https://www.bing.com/"), tester];
      const headers = { authorization: `Bearer ${await stage.client.createWriteKey(shop)}` };
      const before = { ...look("earlier", google), timestamp: day - 7 * DAY_MS };
      const sent = [before, ...looks, buy(buyer, "A1", 20), buy(tester, "T1", 12.5)];
      const { body } = await stage.client.send(sent, headers);
      expect([body.accepted, body.rejected]).toEqual([sent.length, []]);
      await untilArchived(stage.client);
      await untilSealed(stage.client, { from: date, to: date });
    }

    async function invite(): Promise<string> {
      const path = `/api/v1/merchants/${shop.id}/invites`;
      return ((await stage.client.admin("POST", path, { email: EMAIL, role: "owner" })) as { token: string }).token;
    }

    /** A visitor's browser looks at a page of the shop. */
    async function visit(url: string): Promise<void> {
      const context = await stage.context();
      const page = await context.newPage();
      const told = page.waitForResponse((response) => response.url().endsWith("/v1/events"));
      await page.goto(url);
      await told;
      await context.close();
    }

    /** What a robot sends that runs the script of a page: no browser lets a test say that it is one. */
    async function visitAsRobot(url: string): Promise<void> {
      const body = JSON.stringify([{ tracking_id: shop.tracking_id, url }]);
      const headers = { "user-agent": ROBOT };
      const reply = await fetch(`${stage.client.collectorUrl}/v1/events`, { method: "POST", headers, body });
      expect(await reply.json()).toMatchObject({ accepted: 0, dropped: [{ reason: "bot" }] });
    }

    const tile = (page: Page, label: string) => page.locator(".tile", { hasText: label }).locator("b").innerText();

    const visitors = async () =>
      (await stage.client.ask(shop, { metrics: ["visitors"], date_range: [date, date] })).results[0]?.metrics[0];

    test("[DSH-32] from the invite to an erasure, without a pointer", async () => {
      const context = await stage.context({ locale: "en-GB" });
      const page = await context.newPage();
      const person = new Keyboard(page);
      const errors: string[] = [];
      context.on("weberror", (error) => errors.push(error.error().message));

      // The invite: a password, and they are in.
      await page.goto(`${stage.client.queryUrl}/invite#${await invite()}`);
      await person.fill("New password", PASSWORD);
      await person.keys("Enter");
      await page.waitForURL(`**/s/${shop.id}/overview`);
      await untilSettled(page, "overview");

      // The line for their page; it is put on one, and what comes of it is told beside it.
      await person.keys("g", "e");
      await untilSettled(page, "settings");
      await person.fill("Address of the collector", stage.client.collectorUrl);
      await person.press("Copy: Snippet, shop in UTC");
      await page.getByText("Copied", { exact: true }).waitFor();
      const site = await stage.site({ tracker: await page.locator(".snippet pre").innerText() }, shop);
      await page.getByText("0 events counted today.").waitFor();
      await visit(`${site.url}/new`);
      await page.getByText(/events? (was|were) counted since you opened this/).waitFor();
      await visitAsRobot(`${site.url}/new`);
      await page.getByText(/events? (was|were) left out/).waitFor();
      expect(await page.locator(".left-out b").innerText()).toBe("Robots.");
      await person.expectKept("what has come is told");

      // A goal, which has its numbers at once; and a funnel that ends with it.
      await person.keys("g", "f");
      await untilSettled(page, "goals");
      await person.fill("Name", "bought");
      await person.fill("Event", "purchase");
      await person.keys("Enter");
      await page.locator(".goals tbody tr").first().waitFor();
      await untilSettled(page, "goals");
      expect((await page.locator(".goals tbody tr").innerText()).split("\t").map((cell) => cell.trim())).toEqual([
        ...["bought", "2", "2"],
        "40%",
      ]);
      await person.expectKept("a goal is made");
      await person.fill("Which", "/tea", "back");
      await person.keys("Enter");
      await page.locator(".funnel-steps li").first().waitFor();
      await person.choose("Step is a", "Goal", "back");
      await person.fill("Which", "bought");
      await person.keys("Enter");
      const steps = page.locator(".funnel-steps li");
      await steps.nth(1).locator(".reach").waitFor();
      expect(await steps.locator("b").allInnerTexts()).toEqual(["5 visitors", "2 visitors"]);
      await person.expectKept("a step is added");

      // A rule: tried on days that are over, decided for them, and taken back there.
      await person.to("Add this step"); // where nothing is typed into, the page has its keys again
      await person.keys("g", "e");
      await untilSettled(page, "settings");
      await person.press("Rules");
      await untilSettled(page, "rules");
      await person.fill("Robots to leave out", "*AcmeShopper*");
      await person.press("See what it changes");
      const changes = page.locator(".compared tbody tr");
      await changes.first().waitFor();
      expect(await changes.allInnerTexts()).toEqual(
        expect.arrayContaining(["Visitors\t5\t4", "Revenue EUR\t32.5\t20"]),
      );
      await person.expectKept("a rule is tried");
      expect(await visitors()).toBe(5);
      await person.fill("Why", "our own tests");
      await person.keys("Tab", "Space");
      await person.press("Decide");
      await page.getByRole("button", { name: "Take back" }).waitFor();
      await person.expectKept("a rule is decided");
      expect(await visitors()).toBe(4);
      await until(
        async () => await page.getByRole("button", { name: "Take back" }).getAttribute("aria-label"),
        (label) => label !== null,
      );
      await person.press((await page.getByRole("button", { name: "Take back" }).getAttribute("aria-label")) ?? "");
      await person.press("Take back");
      await page.locator(".applied").getByText("taken back", { exact: true }).waitFor();
      await person.expectKept("a rule is taken back");
      expect(await visitors()).toBe(5);

      // The overview: another range, a filter, a comparison, the table of the chart.
      await person.keys("g", "o");
      await untilSettled(page, "overview");
      expect(await tile(page, "Visitors")).toBe("5");
      await person.keys("f");
      await page.locator("#filter-values [role=option]").first().waitFor();
      await page.keyboard.type("goo");
      await until(
        () => page.locator("#filter-values [role=option]").allInnerTexts(),
        (names) => names.join() === "Google",
      );
      await person.keys("ArrowDown", "Enter");
      await page.waitForURL(/f=is%3Asource%3AGoogle/);
      await untilSettled(page, "overview");
      await person.expectKept("a filter is taken");
      expect(await tile(page, "Visitors")).toBe("3");
      const compared = page.locator(".tile", { hasText: "Visitors" }).locator(".change-line");
      expect(await compared.innerText()).not.toBe("");
      await person.keys("c");
      await page.waitForURL(/vs=none/);
      await untilSettled(page, "overview");
      expect(await compared.innerText()).toBe("");
      await person.choose("Compare with", "vs. a year");
      await page.waitForURL(/vs=year/);
      await untilSettled(page, "overview");
      await person.expectKept("a comparison is chosen");
      await person.press("Table");
      await page.locator(".table-box tbody tr").first().waitFor();
      await person.expectKept("the table is shown");

      // A share link of what is seen: somebody opens it, and it is revoked.
      await person.keys("g", "e");
      await untilSettled(page, "settings");
      await person.press("Share links");
      await page.getByText("There is no share link.").waitFor();
      await person.fill("Name", "press");
      await person.keys("Enter");
      const link = page.locator(".once code");
      await link.waitFor();
      const address = await link.innerText();
      await person.expectKept("a share link is made");
      const reader = await (await stage.context({ locale: "en-GB" })).newPage();
      await reader.goto(address);
      await untilSettled(reader, "overview");
      expect(await tile(reader, "Visitors")).toBe("3");
      await page.bringToFront(); // the reader has a window of their own; whoever walks looks at this one
      await person.press("I have kept it");
      await person.expectKept("a link is put away");
      await person.press("Revoke: press");
      await person.press("Revoke");
      await page.getByText("There is no share link.").waitFor();
      await person.expectKept("a link is revoked");
      await reader.goto(address.replace("/share#", "/share?again#"));
      await reader.getByText("This link shows nothing any more").waitFor();
      await reader.context().close();

      // A file of all events, and a visitor taken out of everything.
      await person.press("Archive");
      await untilSettled(page, "archive");
      const download = page.waitForEvent("download");
      await person.press((await page.locator("a[download]").innerText()).trim());
      const file = readFileSync(await (await download).path(), "utf8");
      expect(file.trim().split("\n")).toHaveLength(9); // its head, and what was sent
      expect(file).toContain("https://shop.example/tea");
      await person.fill("Visitor id", "buyer");
      await person.keys("Enter");
      expect(await page.getByRole("dialog").innerText()).toContain("Erase buyer?");
      await person.press("Erase");
      await page.getByRole("row", { name: "a visitor" }).waitFor();
      await person.expectKept("a visitor is erased");
      await untilSealed(stage.client, { from: date, to: date }); // the archive's turn is hours away
      await until(visitors, (count) => count === 4);

      await person.press("Menu", "back");
      await person.press("Sign out");
      await page.waitForURL("**/sign-in");
      expect([errors, person.faults]).toEqual([[], []]);
      await context.close();
    });
  });
});
