// A Chromium that nobody automates but by hand, over its debugging socket: Playwright holds every tab
// visible and focused, and with it attached nothing is prerendered. Here a tab is hidden when another
// one is opened, as for a reader.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CHROMIUM } from "../../scripts/browsers.ts";
import { CHROMIUM_ARGUMENTS } from "./browser.ts";
import { until } from "./services.ts";

interface Target {
  readonly id: string;
  readonly type: string;
  readonly url: string;
  readonly webSocketDebuggerUrl: string;
}

export class RawBrowser {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #address: string;

  constructor(child: ChildProcess, folder: string, address: string) {
    this.#process = child;
    this.#folder = folder;
    this.#address = address;
  }

  /** Starts with one tab on `url`. */
  static async open(url: string): Promise<RawBrowser> {
    const folder = mkdtempSync(join(tmpdir(), "footfall-browser-"));
    const options = ["--headless=new", "--remote-debugging-port=0", `--user-data-dir=${folder}`, "--no-first-run"];
    const child = spawn(CHROMIUM as string, [...CHROMIUM_ARGUMENTS, ...options, url], { stdio: "ignore" });
    const port = await until(
      async () => readPort(join(folder, "DevToolsActivePort")),
      (found) => found !== "",
    );
    return new RawBrowser(child, folder, `http://127.0.0.1:${port}`);
  }

  async close(): Promise<void> {
    const ended = new Promise((settle) => this.#process.once("exit", settle));
    this.#process.kill();
    await ended;
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Opens a tab in front of the others. */
  async openTab(url: string): Promise<void> {
    await fetch(`${this.#address}/json/new?${url}`, { method: "PUT" });
  }

  /** Brings the tab on `url` to the front. */
  async show(url: string): Promise<void> {
    await fetch(`${this.#address}/json/activate/${(await this.#targetOf(url)).id}`);
  }

  /** Evaluates an expression in the tab on `url`. */
  async evaluate(url: string, expression: string): Promise<unknown> {
    const socket = new WebSocket((await this.#targetOf(url)).webSocketDebuggerUrl);
    await new Promise((settle) => socket.addEventListener("open", settle, { once: true }));
    const answer = new Promise<MessageEvent>((settle) => socket.addEventListener("message", settle, { once: true }));
    const params = { expression, returnByValue: true, userGesture: true };
    socket.send(JSON.stringify({ id: 1, method: "Runtime.evaluate", params }));
    const { result } = JSON.parse(String((await answer).data)) as { result: { result: { value?: unknown } } };
    socket.close();
    return result.result.value;
  }

  async #targetOf(url: string): Promise<Target> {
    const targets = await until(
      async () => (await (await fetch(`${this.#address}/json`)).json()) as Target[],
      (found) => found.some((target) => target.type === "page" && target.url === url),
    );
    return targets.find((target) => target.type === "page" && target.url === url) as Target;
  }
}

/** The port is the first line of a file that the browser writes when it listens. */
function readPort(path: string): string {
  try {
    return readFileSync(path, "utf8").split("\n")[0] ?? "";
  } catch {
    return ""; // not yet written
  }
}
