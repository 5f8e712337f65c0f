// A small shop for browsers: a few pages with the tracker on them, a single-page part, a page that is not there, and a
// way to the collector that can be in trouble. Each site has an origin of its own, and so storage of its own.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Client, Merchant } from "./services.ts";

/** What the way to the collector does with events. */
export type Way =
  | "open"
  | "unavailable"
  | "503"
  | "429"
  | "log-in page"
  | "cut before the answer"
  | "cut after the collector";

export interface Site {
  readonly url: string;
  readonly merchant: Merchant;
  /** Of the next requests for events. */
  way: Way;
  /** Bodies of the requests for events, in order, also of those that met trouble. */
  readonly bodies: string[];
  /** Paths of everything else that was asked for, in order. */
  readonly requests: string[];
  stop(): Promise<void>;
}

export interface SiteOptions {
  /** Beside the tracking ID and the endpoint. */
  readonly attributes?: string;
  readonly script?: "t.js" | "p.js";
  readonly headers?: Readonly<Record<string, string>>;
  /** Markup before the script element. */
  readonly head?: string;
  /** Markup in the place of the script element. */
  readonly tracker?: string;
}

/** Starts a site whose pages send to a merchant's stream, by way of the site itself. */
export async function startSite(client: Client, merchant: Merchant, options: SiteOptions = {}): Promise<Site> {
  const site = { merchant, way: "open" as Way, bodies: [] as string[], requests: [] as string[] };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://shop");
    if (pathname === "/v1/events") {
      void passOn(site, client.collectorUrl, request, response);
      return;
    }
    site.requests.push(pathname);
    if (pathname.endsWith(".pdf")) response.writeHead(200, { "Content-Type": "text/plain" }).end("a catalogue");
    else {
      const headers = { "Content-Type": "text/html", ...options.headers };
      response.writeHead(pathname === "/missing" ? 404 : 200, headers).end(pageOf(pathname, client, merchant, options));
    }
  });
  await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
  const { port } = server.address() as AddressInfo;
  const stop = () =>
    new Promise<void>((settle) => {
      server.closeAllConnections();
      server.close(() => settle());
    });
  return Object.assign(site, { url: `http://127.0.0.1:${port}`, stop });
}

function pageOf(path: string, client: Client, merchant: Merchant, options: SiteOptions): string {
  const { attributes = "", script = "t.js", head = "" } = options;
  const tracker =
    options.tracker ??
    `<script defer src="${client.collectorUrl}/${script}" data-tracking-id="${merchant.tracking_id}"
      data-endpoint="/v1/events" ${attributes}></script>`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page ${path}</title>${head}${tracker}</head>
    <body style="height:4000px"><nav>
      <a id="product" href="/product?colour=red">Product</a>
      <a id="elsewhere" href="https://elsewhere.example/deal?id=1">Elsewhere</a>
      <a id="catalogue" href="/catalogue.pdf">Catalogue</a>
    </nav><form id="newsletter" action="/thanks"><input name="email" value="anna@customer.example"><button>Send</button></form>
    <noscript><img src="${client.collectorUrl}/v1/pixel.gif?tracking_id=${merchant.tracking_id}" alt=""
      referrerpolicy="no-referrer-when-downgrade"></noscript></body></html>`;
}

async function passOn(
  site: { way: Way; bodies: string[] },
  collectorUrl: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { way } = site;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  site.bodies.push(body);
  if (way === "503" || way === "429") response.writeHead(Number(way)).end('{"error":{"code":"unavailable"}}');
  else if (way === "unavailable") {
    const rejected = (JSON.parse(body) as unknown[]).map((_, index) => ({
      index,
      code: "unavailable",
      message: "again",
    }));
    response.writeHead(202, { "Content-Type": "application/json" }).end(JSON.stringify({ rejected }));
  } else if (way === "log-in page") response.writeHead(200, { "Content-Type": "text/html" }).end("<h1>Hotel</h1>");
  else if (way === "cut before the answer") response.destroy();
  else {
    const headers = { "user-agent": request.headers["user-agent"] ?? "", "content-type": "text/plain" };
    const answer = await fetch(`${collectorUrl}/v1/events`, { method: "POST", headers, body });
    const text = await answer.text();
    if (way === "cut after the collector") response.destroy();
    else response.writeHead(answer.status, { "Content-Type": "application/json" }).end(text);
  }
}
