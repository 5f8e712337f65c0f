// Which Footfall the command line speaks to, and how: options first, then the record of the deployment that
// `--deployment` names, then the environment, then what a local `npm start` left in STATE_DIR. The keys of a local
// start and of a record go to their own addresses only: with another --query-url they are not offered. What the API
// refuses becomes a `Problem` with the API's own words.

import type { Command } from "commander";
import { type LocalStart, readLocalStart, stateDirOf } from "../local-state.ts";
import { messageOf, Problem } from "../problem.ts";
import { readRecord } from "./deployment-record.ts";

export interface Connection {
  readonly queryUrl: string | undefined;
  readonly collectorUrl: string | undefined;
  readonly adminToken: string | undefined;
  readonly apiKey: string | undefined;
  readonly trackingId: string | undefined;
  /** The local demo merchant. */
  readonly merchant: string | undefined;
  readonly stateDir: string;
}

interface GlobalOptions {
  readonly deployment?: string;
  readonly queryUrl?: string;
  readonly collectorUrl?: string;
  readonly adminToken?: string;
  readonly apiKey?: string;
}

/** Adds the options that every command takes. */
export function addConnectionOptions(program: Command): Command {
  return program
    .option("--deployment <name>", "the one that `deploy <name>` made from here: its addresses and its admin token")
    .option("--query-url <url>", "the query Worker (FOOTFALL_QUERY_URL; default: the local start)")
    .option("--collector-url <url>", "the collector (FOOTFALL_COLLECTOR_URL; default: the local start)")
    .option(
      "--admin-token <token>",
      "for all but queries; a merchant's key of scope admin does for its own (FOOTFALL_ADMIN_TOKEN)",
    )
    .option("--api-key <key>", "for queries (FOOTFALL_API_KEY)");
}

/** Resolves where to and with what a command speaks. `records` is the folder of deployments' records. */
export async function connect(command: Command, records?: string): Promise<Connection> {
  const options = command.optsWithGlobals<GlobalOptions>();
  const environment = (name: string) => process.env[name] || undefined;
  const stateDir = stateDirOf(process.env);
  const start = await readLocalStart(stateDir);
  const made = options.deployment === undefined ? undefined : readRecord(options.deployment, records);
  const queryUrl = options.queryUrl ?? made?.query ?? environment("FOOTFALL_QUERY_URL") ?? start?.query;
  const collectorUrl =
    options.collectorUrl ?? made?.collector ?? environment("FOOTFALL_COLLECTOR_URL") ?? start?.collector;
  const query = queryUrl === undefined ? undefined : toOrigin("--query-url", queryUrl);
  const collector = collectorUrl === undefined ? undefined : toOrigin("--collector-url", collectorUrl);
  const isOfRecord = query === made?.query && collector === made?.collector;
  const local: LocalStart | undefined = query === start?.query && collector === start?.collector ? start : undefined;
  return {
    queryUrl: query,
    collectorUrl: collector,
    adminToken:
      options.adminToken ??
      (isOfRecord ? made?.adminToken : undefined) ??
      environment("FOOTFALL_ADMIN_TOKEN") ??
      local?.admin_token,
    apiKey: options.apiKey ?? environment("FOOTFALL_API_KEY") ?? local?.api_key,
    trackingId: local?.tracking_id,
    merchant: local?.merchant,
    stateDir,
  };
}

const NO_ADMIN_TOKEN = "this needs the admin token: --admin-token or FOOTFALL_ADMIN_TOKEN, from your safe";
const WRONG_ADMIN_TOKEN = "It is the admin token that was refused: --admin-token or FOOTFALL_ADMIN_TOKEN.";

/** Asks an admin endpoint, such as ("GET", "/api/v1/merchants"), and answers its JSON. */
export async function askAdmin(connection: Connection, method: string, path: string, body?: object): Promise<unknown> {
  const url = queryUrlOf(connection) + path;
  if (connection.adminToken === undefined) {
    throw new Problem(NO_ADMIN_TOKEN);
  }
  return await ask({ url, method, token: connection.adminToken, body, unauthorized: WRONG_ADMIN_TOKEN });
}

/** Asks an admin endpoint for a file, which is read as it comes. */
export async function openAdmin(connection: Connection, path: string): Promise<Response> {
  const { adminToken: token } = connection;
  if (token === undefined) throw new Problem(NO_ADMIN_TOKEN);
  const request = { url: queryUrlOf(connection) + path, method: "GET", token, unauthorized: WRONG_ADMIN_TOKEN };
  const response = await send(request);
  return response.ok ? response : refused(request, response);
}

/** Sends the bytes of a file to an admin endpoint, and answers its JSON. */
export async function putAdmin(connection: Connection, path: string, bytes: Blob): Promise<unknown> {
  const { adminToken: token } = connection;
  if (token === undefined) throw new Problem(NO_ADMIN_TOKEN);
  const request = {
    url: queryUrlOf(connection) + path,
    method: "PUT",
    token,
    body: bytes,
    unauthorized: WRONG_ADMIN_TOKEN,
  };
  const response = await send(request);
  return response.ok ? parseJson(await response.text()) : refused(request, response);
}

/** Asks an admin endpoint of the collector and answers its JSON. */
export async function askCollector(connection: Connection, path: string): Promise<unknown> {
  const { collectorUrl, adminToken, stateDir } = connection;
  if (collectorUrl === undefined) throw new Problem(nowhere("--collector-url", stateDir));
  if (adminToken === undefined) throw new Problem(NO_ADMIN_TOKEN);
  return await ask({ url: collectorUrl + path, method: "GET", token: adminToken, unauthorized: WRONG_ADMIN_TOKEN });
}

/** Reads a list to its end, page by page, and answers its entries. */
export async function askList(connection: Connection, path: string): Promise<unknown> {
  const entries: unknown[] = [];
  let after = "";
  for (;;) {
    const page = (await askAdmin(connection, "GET", path + after)) as Readonly<Record<string, unknown>>;
    const list = Object.values(page).find((value) => Array.isArray(value)) as readonly unknown[] | undefined;
    entries.push(...(list ?? []));
    const { next } = page as { readonly next?: string | null };
    if (next === null || next === undefined) return entries;
    after = `${path.includes("?") ? "&" : "?"}after=${encodeURIComponent(next)}`;
  }
}

export interface AskOptions {
  /** Such as /api/v2/funnel. */
  readonly path?: string;
  /** "text/csv" for the answer as a text of that form. */
  readonly accept?: string;
  /** What to do about a refusal, by its words. */
  readonly hintOf?: (message: string) => string | undefined;
}

/** Asks a question with a merchant's key; one that becomes a job is waited for. */
export async function askQuestion(
  connection: Connection,
  question: { readonly site_id: string },
  { path = "/api/v2/query", accept, hintOf }: AskOptions = {},
): Promise<unknown> {
  const url = queryUrlOf(connection) + path;
  if (connection.apiKey === undefined) throw new Problem("this needs a merchant's key: --api-key or FOOTFALL_API_KEY");
  const hint = "The key must be one of that merchant's own: --api-key or FOOTFALL_API_KEY (`key create` makes one).";
  // The server itself waits, so asking again at once is no busy loop.
  const common = { token: connection.apiKey, unauthorized: hint, prefer: "wait=25", accept, hintOf };
  let request: Request = { ...common, url, method: "POST", body: question };
  for (;;) {
    const response = await send(request);
    const job = response.status === 202 ? response.headers.get("location") : null;
    if (job === null) {
      if (!response.ok) return refused(request, response);
      const text = await response.text();
      return accept === undefined ? parseJson(text) : text;
    }
    await response.body?.cancel();
    const at = `${queryUrlOf(connection)}${job}?site_id=${encodeURIComponent(question.site_id)}`;
    request = { ...common, url: at, method: "GET" };
  }
}

/** The merchant a command is about: the one that was given, or the local demo. `remedy` says how to give one. */
export function merchantOf(connection: Connection, given: string | undefined, remedy: string): string {
  const merchant = given ?? connection.merchant;
  if (merchant !== undefined) return merchant;
  throw new Problem(connection.queryUrl === undefined ? nowhere("--query-url", connection.stateDir) : remedy);
}

interface Request {
  readonly url: string;
  readonly method: string;
  readonly token: string;
  readonly body?: object | undefined;
  /** What to do when the token is refused. */
  readonly unauthorized: string;
  /** How long the server may wait (RFC 7240). */
  readonly prefer?: string;
  readonly accept?: string | undefined;
  readonly hintOf?: AskOptions["hintOf"] | undefined;
}

async function ask(request: Request): Promise<unknown> {
  const response = await send(request);
  return response.ok ? parseJson(await response.text()) : refused(request, response);
}

async function send({ url, method, token, body, prefer, accept }: Request): Promise<Response> {
  const headers = {
    authorization: `Bearer ${token}`,
    "content-type": body instanceof Blob ? "application/octet-stream" : "application/json",
    ...(prefer !== undefined && { prefer }),
    ...(accept !== undefined && { accept }),
  };
  const sent = body instanceof Blob ? body : JSON.stringify(body);
  const init = body === undefined ? { method, headers } : { method, headers, body: sent };
  return await fetch(url, init).catch((error: unknown) => {
    throw new Problem(noAnswer(url, error));
  });
}

/** The sentence for an address that does not answer. */
export function noAnswer(url: string, error: unknown): string {
  const { origin, hostname } = new URL(url);
  const isHere = /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
  const what = isHere ? "is it running? Start it: npm start" : "is the address right? footfall deploy <name> --status";
  return `${origin} does not answer (${messageOf(error)}); ${what}`;
}

async function refused({ url, method, unauthorized, hintOf }: Request, response: Response): Promise<never> {
  const text = await response.text();
  const words = wordsOf(parseJson(text)) ?? text;
  const hint = response.status === 401 ? ` ${unauthorized}` : response.status === 400 ? hintText(hintOf?.(words)) : "";
  throw new Problem(`${method} ${new URL(url).pathname} answers ${response.status}: ${words}${hint}`);
}

function hintText(hint: string | undefined): string {
  return hint === undefined ? "" : ` (${hint})`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The sentence in an error body: {"error": "…"} or {"error": {"message": "…"}}. */
function wordsOf(answer: unknown): string | undefined {
  const error = (answer as { error?: unknown } | undefined)?.error;
  if (typeof error === "string") return error;
  const message = (error as { message?: unknown } | undefined)?.message;
  return typeof message === "string" ? message : undefined;
}

function toOrigin(option: string, url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new Problem(
      `${option} is "${url}"; it must be an address such as https://footfall-query.example.workers.dev`,
    );
  }
  return parsed.origin;
}

/** The sentence for a command that has no Worker to speak to. */
export function nowhere(option: string, stateDir: string): string {
  return `there is no local start in ${stateDir}; run \`npm start\` in another terminal, or name a deployment with --deployment, or by its address with ${option}`;
}

function queryUrlOf({ queryUrl, stateDir }: Connection): string {
  if (queryUrl === undefined) throw new Problem(nowhere("--query-url", stateDir));
  return queryUrl;
}
