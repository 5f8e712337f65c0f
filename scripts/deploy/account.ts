// The platform's REST API, as far as a deployment needs it. What may be asked twice without harm is asked twice when
// the network fails; everything else fails, and the command is started again. The official library is 120 MB on disk:
// for these few calls it would double what a clone installs.

import { spawnSync } from "node:child_process";
import { messageOf, Problem } from "../problem.ts";

/** A refusal of the API, in its own words. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: number;

  constructor(call: string, { status, code, message }: { status: number; code: number; message: string }) {
    super(`${call}: ${status}, ${message} (code ${code})`);
    this.status = status;
    this.code = code;
  }
}

interface Envelope {
  readonly success: boolean;
  readonly result: unknown;
  readonly errors?: readonly { readonly code: number; readonly message: string }[];
  readonly result_info?: { readonly page?: number; readonly per_page?: number; readonly total_count?: number };
}

export interface Access {
  readonly token: string;
  /** Ends every call and every child process. */
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_BASE = "https://api.cloudflare.com/client/v4";
/** More pages than 128 ledgers can be on: a server that ignores `page` must not be asked for ever. */
const PAGES_MAX = 100;

/** One account. Paths are what follows /accounts/<id>. */
export class Account {
  readonly id: string;
  readonly access: Access;

  constructor(id: string, access: Access) {
    this.id = id;
    this.access = access;
  }

  async get<T>(path: string, headers: Record<string, string> = {}): Promise<T> {
    return (await this.#envelope("GET", path, { headers })).result as T;
  }

  /** What is there, or undefined where the API says 404. */
  async find<T>(path: string, headers: Record<string, string> = {}): Promise<T | undefined> {
    try {
      return await this.get<T>(path, headers);
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return undefined;
      throw error;
    }
  }

  /** All pages of a list, counted by what the API says there is. */
  async list<T>(path: string): Promise<readonly T[]> {
    const found: T[] = [];
    for (let page = 1; page <= PAGES_MAX; page += 1) {
      const joined = path.includes("?") ? "&" : "?";
      const { result, result_info } = await this.#envelope("GET", `${path}${joined}page=${page}&per_page=100`, {});
      found.push(...(result as readonly T[]));
      if ((result as readonly T[]).length === 0 || found.length >= (result_info?.total_count ?? 0)) break;
    }
    return found;
  }

  async change<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown, headers = {}): Promise<T> {
    return (await this.#envelope(method, path, { body, headers })).result as T;
  }

  #envelope(method: string, path: string, init: { body?: unknown; headers?: Record<string, string> }) {
    return call(method, `/accounts/${this.id}${path}`, { ...init, access: this.access });
  }
}

interface CallOptions {
  readonly access: Access;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

async function call(method: string, path: string, { access, body, headers }: CallOptions): Promise<Envelope> {
  const send = () =>
    fetch(`${process.env["CLOUDFLARE_API_BASE_URL"] ?? DEFAULT_BASE}${path}`, {
      method,
      headers: { authorization: `Bearer ${access.token}`, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(access.signal === undefined ? {} : { signal: access.signal }),
    });
  const retry = (error: unknown) => {
    if (method !== "GET" || access.signal?.aborted === true) throw error;
    return send();
  };
  const response = await send()
    .catch(retry)
    .catch((error: unknown) => {
      throw new Problem(`${method} ${path}: no answer (${messageOf(error)}). Run the same command again.`);
    });
  const text = await response.text();
  const answer = parse(text);
  if (answer?.success === true) return answer;
  const { code = 0, message = text.slice(0, 200) } = answer?.errors?.[0] ?? {};
  throw new Refusal(`${method} ${path}`, { status: response.status, code, message });
}

function parse(text: string): Envelope | undefined {
  try {
    return JSON.parse(text) as Envelope;
  } catch {
    return undefined;
  }
}

/**
 * The account that is logged in: CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID where they are set, else wrangler's
 * login.
 */
export async function openAccount(signal?: AbortSignal): Promise<Account> {
  const token = process.env["CLOUDFLARE_API_TOKEN"] || tokenOfWrangler();
  const access = { token, signal };
  const id = process.env["CLOUDFLARE_ACCOUNT_ID"];
  if (id) return new Account(id, access);
  const { result } = await call("GET", "/accounts", { access }).catch((error: unknown) => {
    throw error instanceof Refusal ? new Problem(`the login is not accepted: ${error.message}`) : error;
  });
  const accounts = result as readonly { readonly id: string; readonly name: string }[];
  const [only] = accounts;
  if (only === undefined) throw new Problem("the login has no account: set CLOUDFLARE_ACCOUNT_ID");
  if (accounts.length > 1) {
    const names = accounts.map(({ id: one, name }) => `  ${one}  ${name}`).join("\n");
    throw new Problem(`the login has several accounts. Set CLOUDFLARE_ACCOUNT_ID to one of them:\n${names}`);
  }
  return new Account(only.id, access);
}

function tokenOfWrangler(): string {
  const { status, stdout } = spawnSync("wrangler", ["auth", "token", "--json"], { encoding: "utf8" });
  const login = status === 0 ? (JSON.parse(stdout.slice(stdout.indexOf("{"))) as { token?: string }) : {};
  if (login.token === undefined) throw new Problem("not logged in: `npx wrangler login`, or set CLOUDFLARE_API_TOKEN");
  return login.token;
}

/** Does something for each of a list, at most four at a time, and throws the first failure when all have ended. */
export async function eachOf<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const failures: unknown[] = [];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined && failures.length === 0; next = waiting.shift())
      await act(next).catch((error: unknown) => failures.push(error));
  };
  await Promise.all(Array.from({ length: 4 }, work));
  if (failures.length > 0) throw failures[0];
}
