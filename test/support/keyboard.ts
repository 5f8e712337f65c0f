// Somebody at a keyboard, in a page of a real browser: Tab until the focus is on what is meant, then keys. It has no
// way to click and none to put the focus anywhere. At every step it looks whether the focus can be seen.

import type { Page } from "playwright-core";

/** What has the focus, as a reader hears and sees it. */
interface Focused {
  readonly name: string;
  /** The element, such as "button". */
  readonly kind: string;
  /** Why somebody who sees could not tell where they are; empty where they can. */
  readonly unseen: string;
}

/**
 * The name that a screen reader says, by the part of the standard that our pages use; and whether the focus is in
 * sight. As text, because it runs in the page.
 */
const FOCUSED = `(() => {
  const on = document.activeElement;
  if (on === null || on === document.body || on === document.documentElement)
    return { name: "", kind: "body", unseen: "nothing has the focus" };
  const said = (element) => {
    const copy = element.cloneNode(true);
    for (const one of copy.querySelectorAll("[aria-hidden=true], select, input, textarea")) one.remove();
    return copy.textContent.trim().replace(/\\s+/g, " ");
  };
  const by = (on.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)).filter(Boolean);
  const label = on.labels?.[0];
  const name = by.length > 0 ? by.map(said).join(" ")
    : on.getAttribute("aria-label") ?? (label ? said(label) : said(on));
  const box = on.getBoundingClientRect();
  const isDrawn = box.width > 1 && box.height > 1;
  const isInSight = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  const isHeading = /^(H1|H2|MAIN|SECTION|DIALOG)$/.test(on.tagName); // said by readers; not drawn by our style
  const look = getComputedStyle(on);
  const isMarked = isHeading || look.outlineStyle !== "none" || on.closest(".chart, .world") !== null;
  const unseen = !isDrawn ? "it has no size" : !isInSight ? "it is out of sight" : !isMarked ? "nothing marks it" : "";
  return { name, kind: on.tagName.toLowerCase(), unseen };
})()`;

/** No page has so many stops. */
const STOPS_MAX = 160;

export class Keyboard {
  readonly page: Page;
  /** What was wrong on the way; a walk expects none. */
  readonly faults: string[] = [];

  constructor(page: Page) {
    this.page = page;
  }

  /** What has the focus. */
  async focused(): Promise<Focused> {
    return (await this.page.evaluate(FOCUSED)) as Focused;
  }

  /** Keys one after the other, such as "g" and "o". */
  async keys(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** Goes on, or back, until something of that name has the focus. */
  async to(name: string, direction: "on" | "back" = "on"): Promise<void> {
    const heard: string[] = [];
    for (let stops = 0; stops < STOPS_MAX; stops++) {
      await this.page.keyboard.press(direction === "on" ? "Tab" : "Shift+Tab");
      const on = await this.focused();
      if (on.kind === "body") continue; // past the last stop, the browser's own are next
      if (on.unseen !== "") this.faults.push(`on the way to ${name}: ${on.kind} "${on.name}": ${on.unseen}`);
      if (on.name === name) return;
      heard.push(on.name);
    }
    throw new Error(`Tab leads to nothing called "${name}", but to ${JSON.stringify(heard.slice(0, 60))}`);
  }

  /** Goes to a button or link and presses Enter. */
  async press(name: string, direction: "on" | "back" = "on"): Promise<void> {
    await this.to(name, direction);
    await this.keys("Enter");
  }

  /** Goes to a box and types, in the place of what stands there. */
  async fill(name: string, text: string, direction: "on" | "back" = "on"): Promise<void> {
    await this.to(name, direction);
    await this.keys("ControlOrMeta+A");
    await this.page.keyboard.type(text);
  }

  /** Goes to a list of choices and takes one by its first letters. */
  async choose(name: string, text: string, direction: "on" | "back" = "on"): Promise<void> {
    await this.to(name, direction);
    await this.page.keyboard.type(text);
  }

  /** That the focus is where somebody who presses Tab goes on from there. */
  async expectKept(after: string): Promise<void> {
    const { kind } = await this.focused();
    if (kind === "body") this.faults.push(`the focus is lost after: ${after}`);
  }
}
