// The snippets of docs/clients.md, run as they are written: in Node, in a shell, or bundled into a page and run by
// Chromium, where there is one. Only the addresses and IDs that the page uses as examples are exchanged for real ones.

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { build } from "esbuild";
import { chromium, type Page } from "playwright-core";
import { CHROME } from "./events.ts";

const ROOT = join(import.meta.dirname, "../..");
const RUN_MS_MAX = 60_000;

/** What the examples of the documentation stand for in a test. */
export interface Setting {
  readonly collectorUrl: string;
  readonly trackingId: string;
  readonly apiKey: string;
  readonly hostname: string;
}

/** The code under a heading, with its language. */
function snippetOf(heading: string): { readonly language: string; readonly code: string } {
  const text = readFileSync(join(ROOT, "docs/clients.md"), "utf8");
  const section = text.split(`\n### ${heading}\n`)[1]?.split("\n#")[0] ?? "";
  const [, language = "", code = ""] = /```(\w+)\n([\s\S]*?)```/.exec(section) ?? [];
  if (code === "") throw new Error(`docs/clients.md has no snippet under "${heading}"`);
  return { language, code };
}

export function versionOf(packageName: string): string {
  const path = join(ROOT, "node_modules", packageName, "package.json");
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

/** The snippet with real addresses: everything else stays as it is written. */
export function settle(code: string, { collectorUrl, trackingId, apiKey, hostname }: Setting): string {
  return code
    .replaceAll("https://collector.example", collectorUrl)
    .replaceAll("collector.example", new URL(collectorUrl).host)
    .replaceAll('protocol: "https"', 'protocol: "http"')
    .replaceAll("shop.example", hostname)
    .replaceAll("TRACKING_ID", trackingId)
    .replaceAll("API_KEY", apiKey)
    .replaceAll("72_HOURS_AGO", String(Date.now() - 72 * 3_600_000));
}

/** Runs a snippet of Node or of a shell to its end. */
export async function runSnippet(heading: string, setting: Setting): Promise<void> {
  const { language, code } = snippetOf(heading);
  const [program, ...options] = language === "sh" ? ["sh", "-e"] : [process.execPath, "--input-type=module"];
  const child = spawn(program as string, options, { cwd: ROOT, stdio: ["pipe", "pipe", "pipe"], timeout: RUN_MS_MAX });
  const said: string[] = [];
  child.stdout.on("data", (chunk) => said.push(String(chunk)));
  child.stderr.on("data", (chunk) => said.push(String(chunk)));
  child.stdin.end(settle(code, setting));
  const status = await new Promise((done) => child.on("close", done));
  if (status !== 0) throw new Error(`${heading} ended with ${status}: ${said.join("").slice(-2_000)}`);
}

/** Where a Chromium is, or undefined. */
export const CHROMIUM = (
  process.env["CHROMIUM"]?.split(",") ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
).find((path) => existsSync(path));

/** A browser for snippets: each runs on a page of its own, at the hostname of its setting, until `isDone`. */
export interface SnippetBrowser {
  readonly run: (heading: string, setting: Setting, isDone: (page: Page) => Promise<boolean>) => Promise<void>;
  readonly stop: () => Promise<void>;
}

export async function startBrowser(): Promise<SnippetBrowser> {
  const scripts = new Map<string, string>();
  const pages = createServer((request, response) => {
    const script = scripts.get(request.headers.host?.split(":")[0] ?? "") ?? "";
    response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" });
    response.end(`<!doctype html><title>Home</title><p>Home</p><button>Buy</button><script>${script}</script>`);
  });
  await new Promise<void>((listening) => pages.listen(0, "127.0.0.1", listening));
  const { port } = pages.address() as AddressInfo;
  const browser = await chromium.launch({
    executablePath: CHROMIUM as string,
    // Trackers do not track automated browsers; this one looks like a reader's.
    args: [
      "--no-sandbox",
      "--disable-blink-features=AutomationControlled",
      "--host-resolver-rules=MAP *.example 127.0.0.1",
    ],
  });
  return {
    run: async (heading, setting, isDone) => {
      scripts.set(setting.hostname, await bundled(settle(snippetOf(heading).code, setting)));
      const context = await browser.newContext({ userAgent: CHROME, locale: "en-GB" });
      const page = await context.newPage();
      await page.goto(`http://${setting.hostname}:${port}/?utm_source=news`);
      const deadline = Date.now() + RUN_MS_MAX;
      while (!(await isDone(page))) {
        if (Date.now() > deadline) throw new Error(`${heading} did not get through in time`);
        await new Promise((wait) => setTimeout(wait, 200));
      }
      await context.close();
    },
    stop: async () => {
      await browser.close();
      pages.closeAllConnections();
      await new Promise<void>((closed) => pages.close(() => closed()));
    },
  };
}

/** A snippet and what it imports as one script for a page. */
async function bundled(code: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: ROOT, loader: "js" },
    bundle: true,
    write: false,
    format: "iife",
    platform: "browser",
    target: "es2022",
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "error",
  });
  return (outputFiles[0]?.text ?? "").replaceAll("</script", "<\\/script");
}
