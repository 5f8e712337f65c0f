// A stub of the platform's API, with one account: it records every call, keeps what was made, can end a process at any
// call, and runs what was uploaded. Databases are real D1s, Workers the uploaded scripts in a real workerd, each at an
// address of its own. What it cannot say: limits and error codes of the platform that nobody has met yet, and how long
// a change takes to spread.

import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare, type V4WorkerOptions } from "miniflare";
import { unstable_splitSqlQuery } from "wrangler";
import { SHARED_OPTIONS } from "../../scripts/runtime.ts";
import { filesOfPartition } from "../support/partition-files.ts";

export interface Call {
  readonly method: string;
  /** After /accounts/<id>, with its question. */
  readonly path: string;
  /** The name of what is made, where the path does not say it. */
  readonly subject: string;
}

interface Reply {
  readonly status?: number;
  readonly body: object;
}

interface Script {
  readonly module: string;
  readonly metadata: Metadata;
  readonly version: string;
}

/** What is uploaded with a script. */
interface Metadata {
  readonly main_module: string;
  readonly compatibility_date: string;
  readonly bindings: readonly Binding[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly exports?: unknown;
}

interface Binding {
  readonly type: string;
  readonly name: string;
  readonly [field: string]: unknown;
}

interface StubWorker {
  script: Script;
  readonly versions: Script[];
  readonly secrets: Map<string, string>;
  subdomain: boolean;
  crons: readonly string[];
}

interface StubQueue {
  readonly queue_id: string;
  readonly queue_name: string;
  settings: object;
  readonly consumers: { consumer_id: string; script: string; settings: object; dead_letter_queue?: string }[];
}

interface StubDatabase {
  readonly uuid: string;
  readonly name: string;
  readonly jurisdiction: string | null;
}

interface StubDomain {
  readonly id: string;
  readonly hostname: string;
  readonly service: string;
}

interface Request extends Call {
  readonly pathname: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly headers: IncomingMessage["headers"];
}

export const ACCOUNT = "0123456789abcdef0123456789abcdef";
export const TOKEN = "token-of-the-stub";

/** The account. */
export class AccountStub {
  readonly calls: Call[] = [];
  readonly unknown: Call[] = [];
  readonly databases = new Map<string, StubDatabase>();
  readonly queues = new Map<string, StubQueue>();
  readonly buckets = new Set<string>();
  readonly workers = new Map<string, StubWorker>();
  domains: readonly StubDomain[] = [];
  /** Those that the login may use; all calls are of the first. */
  accounts: readonly { readonly id: string; readonly name: string }[] = [{ id: ACCOUNT, name: "stub" }];
  /** Whether a bucket has objects, which the platform does not let go. */
  bucketsHaveObjects = false;
  /** What becomes of an uploaded script before it is kept: a release that is broken. */
  damage: (worker: string, module: string) => string = (_, module) => module;
  /** Called when a changing call was carried out, before it is answered; true: it never is. */
  afterChange: (call: Call) => boolean = () => false;
  #server: Server | undefined;
  readonly #addresses = new Map<string, Server>();
  #miniflare: Miniflare | undefined;
  #running = "";
  readonly #folder: string | undefined;

  /** Where what the Workers store lies; undefined: gone when it stops. */
  constructor(folder?: string) {
    this.#folder = folder;
  }

  /** Answers the address that CLOUDFLARE_API_BASE_URL is to be. */
  async start(): Promise<string> {
    this.#server = await listen((request, response) => this.#answer(request, response));
    return originOf(this.#server);
  }

  async stop(): Promise<void> {
    for (const server of [this.#server, ...this.#addresses.values()]) {
      server?.closeAllConnections();
      await new Promise((closed) => server?.close(closed));
    }
    await this.#miniflare?.dispose();
  }

  /** Where a Worker answers once it is uploaded, instead of at its address on workers.dev. */
  async addressOf(name: string): Promise<string> {
    const server =
      this.#addresses.get(name) ?? (await listen((request, response) => this.#forward(name, request, response)));
    this.#addresses.set(name, server);
    return originOf(server);
  }

  /** Runs the crons of all Workers, as the platform does every five minutes, and returns what failed. */
  async runCrons(): Promise<readonly string[]> {
    const runtime = await this.#runtime();
    const runs = [...this.workers].flatMap(([name, { crons }]) => crons.map((cron) => ({ name, cron })));
    const outcomes = runs.map(async ({ name, cron }) => {
      const worker = await runtime.getWorker(name);
      const { outcome } = await worker.scheduled({ cron, scheduledTime: new Date() });
      return outcome === "ok" ? [] : [`cron "${cron}" of ${name}: ${outcome}`];
    });
    return (await Promise.all(outcomes)).flat();
  }

  /** Deletes what a partition stored, as no call of the platform does it. Throws where there is no such partition. */
  async losePartition(collector: string, partition: string): Promise<void> {
    if (this.#folder === undefined) throw new Error("the stub was given no folder");
    await this.#miniflare?.dispose();
    this.#miniflare = undefined;
    this.#running = "";
    const files = filesOfPartition(join(this.#folder, "do", `${collector}-PartitionObject`), partition);
    for (const file of files) rmSync(file);
  }

  /**
   * All that there is, by name: equal for two accounts that hold the same. Ids, versions and values of secrets are left
   * out.
   */
  async state(): Promise<object> {
    const nameOf = (id: unknown) => this.databases.get(String(id))?.name ?? id;
    const migrations = new Map<string, unknown>();
    for (const { uuid, name } of this.databases.values()) migrations.set(name, await this.#applied(uuid));
    return {
      databases: [...this.databases.values()].map(({ name, jurisdiction }) => ({ name, jurisdiction })).sort(byName),
      migrations: Object.fromEntries([...migrations].sort()),
      queues: [...this.queues.values()]
        .map(({ queue_name: name, settings, consumers }) => ({
          name,
          settings,
          consumers: consumers.map(({ consumer_id: _, ...consumer }) => consumer),
        }))
        .sort(byName),
      buckets: [...this.buckets].sort(),
      domains: this.domains.map(({ hostname, service }) => `${hostname} ${service}`).sort(),
      workers: [...this.workers].map(([name, { script, secrets, subdomain, crons }]) => ({
        name,
        tag: tagOf(script),
        bindings: script.metadata.bindings
          .filter(({ type }) => type !== "secret_text" && type !== "inherit")
          .map((binding) =>
            binding.type === "d1" ? { ...binding, id: nameOf(binding["id"] ?? binding["database_id"]) } : binding,
          ),
        secrets: [...secrets.keys()].sort(),
        subdomain,
        crons,
      })),
    };
  }

  /** The migrations of a database, each with how often it was noted. */
  async #applied(id: string): Promise<readonly unknown[]> {
    const [, answer] = (await this.#sql(
      id,
      "CREATE TABLE IF NOT EXISTS d1_migrations(name TEXT); SELECT name, count(*) AS times FROM d1_migrations GROUP BY name",
    )) as readonly { readonly results: readonly unknown[] }[];
    return answer?.results ?? [];
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await read(incoming);
    const { method, path, subject } = request;
    this.calls.push({ method, path, subject });
    const { status = 200, body } = await this.#route(request).catch((error: unknown) =>
      refused(500, 1, `stub: ${String(error)}`),
    );
    if (status === 200 && changes(request) && this.afterChange({ method, path, subject })) {
      response.socket?.destroy();
      return;
    }
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }

  async #route(request: Request): Promise<Reply> {
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return refused(401, 10000, "Authentication error");
    for (const [pattern, handle] of this.#routes()) {
      const match = new RegExp(`^${pattern}$`).exec(request.pathname);
      const reply = match && (await handle(request, ...match.slice(1).map(decodeURIComponent)));
      if (reply) return reply;
    }
    this.unknown.push(request);
    return refused(404, 7003, `the stub does not know ${request.method} ${request.path}`);
  }

  #routes(): readonly (readonly [
    string,
    (request: Request, ...parts: string[]) => Reply | Promise<Reply> | undefined,
  ])[] {
    return [
      ["/accounts", () => ok(this.accounts)],
      ["/d1/database", (request) => this.#d1(request)],
      ["/d1/database/([^/]+)", ({ method }, id = "") => this.#d1One(method, id)],
      ["/d1/database/([^/]+)/query", async ({ body }, id = "") => this.#query(id, json(body))],
      ["/queues", (request) => this.#queueList(request)],
      ["/queues/([^/]+)", (request, id = "") => this.#queueOne(request, id)],
      ["/queues/([^/]+)/consumers", (request, id = "") => this.#consumers(request, id)],
      ["/queues/([^/]+)/consumers/([^/]+)", (request, id = "", consumer = "") => this.#consumer(request, id, consumer)],
      ["/r2/buckets", ({ body }) => this.#makeBucket(String(json(body)["name"]))],
      ["/r2/buckets/([^/]+)", ({ method }, name = "") => this.#bucket(method, name)],
      ["/r2/buckets/([^/]+)/lifecycle", () => ok({})],
      ["/workers/subdomain", () => ok({ subdomain: "stub" })],
      ["/workers/domains", ({ query }) => ok(this.domains.filter(({ service }) => service === query.get("service")))],
      ["/workers/domains/([^/]+)", (_, id = "") => this.#dropDomain(id)],
      [
        "/workers/scripts/([^/]+)/domains/changeset",
        () => ok({ added: [], removed: [], updated: [], conflicting: [] }),
      ],
      ["/workers/scripts/([^/]+)/domains/records", ({ body }, name = "") => this.#setDomains(name, json(body))],
      ["/workers/services/([^/]+)", (_, name = "") => this.#service(name)],
      ["/workers/workers/([^/]+)", (_, name = "") => this.#workerOne(name)],
      ["/workers/scripts/([^/]+)", (request, name = "") => this.#script(request, name)],
      ["/workers/scripts/([^/]+)/([\\w-]+)", (request, name = "", part = "") => this.#scriptPart(request, name, part)],
      ["/workers/scripts/([^/]+)/versions/([^/]+)", (_, name = "", version = "") => this.#version(name, version)],
    ];
  }

  #d1({ method, body, query }: Request): Reply {
    if (method === "GET") {
      const found = [...this.databases.values()].filter(({ name }) => name.includes(query.get("name") ?? ""));
      return page(found, query);
    }
    const { name, jurisdiction } = json(body);
    if ([...this.databases.values()].some((one) => one.name === name))
      return refused(400, 7502, "database with that name already exists");
    const database = {
      uuid: randomUUID(),
      name: String(name),
      jurisdiction: (jurisdiction as string | undefined) ?? null,
    };
    this.databases.set(database.uuid, database);
    return ok(database);
  }

  #d1One(method: string, id: string): Reply {
    const database = this.databases.get(id) ?? [...this.databases.values()].find(({ name }) => name === id);
    if (database === undefined) return refused(404, 7404, `The database ${id} could not be found`);
    if (method === "DELETE") this.databases.delete(database.uuid);
    return ok(database);
  }

  async #query(id: string, { sql, params = [] }: Readonly<Record<string, unknown>>): Promise<Reply> {
    if (!this.databases.has(id)) return refused(404, 7404, `The database ${id} could not be found`);
    try {
      return ok(await this.#sql(id, String(sql), params as readonly unknown[]));
    } catch (error) {
      return refused(400, 7500, (error as Error).message);
    }
  }

  /** A statement of somebody who changes a database by hand. */
  async run(id: string, sql: string): Promise<void> {
    await this.#sql(id, sql);
  }

  /** All statements in one transaction, as D1 does it. */
  async #sql(id: string, sql: string, params: readonly unknown[] = []): Promise<readonly object[]> {
    const database = await (await this.#runtime()).getD1Database(`D1_${id}`, "databases");
    const statements = unstable_splitSqlQuery(sql).filter((statement) => /\w/.test(statement.replace(/--.*/g, "")));
    return await database.batch(statements.map((statement) => database.prepare(statement).bind(...params)));
  }

  #queueList({ method, body, query }: Request): Reply {
    if (method === "GET") {
      const names = query.getAll("name");
      const found = [...this.queues.values()].filter(
        ({ queue_name }) => names.length === 0 || names.includes(queue_name),
      );
      return page(found, query);
    }
    const { queue_name, settings } = json(body);
    if ([...this.queues.values()].some((one) => one.queue_name === queue_name))
      return refused(409, 11009, `Queue name '${queue_name}' is already taken`);
    const id = randomUUID().replaceAll("-", "");
    const queue = { queue_id: id, queue_name: String(queue_name), settings: (settings ?? {}) as object, consumers: [] };
    this.queues.set(id, queue);
    return ok(queue);
  }

  #queueOne({ method, body }: Request, id: string): Reply {
    const queue = this.queues.get(id);
    if (queue === undefined) return refused(404, 11000, "queue not found");
    if (method === "DELETE") this.queues.delete(id);
    if (method === "PUT") queue.settings = { ...queue.settings, ...(json(body)["settings"] as object) };
    return ok(queue);
  }

  #consumers({ method, body }: Request, id: string): Reply {
    const queue = this.queues.get(id);
    if (queue === undefined) return refused(404, 11000, "queue not found");
    if (method === "GET") return ok(queue.consumers);
    if (queue.consumers.length > 0) return refused(400, 11004, "Queue already has a consumer");
    const { script_name, settings, dead_letter_queue } = json(body);
    if (!this.workers.has(String(script_name)))
      return refused(400, 10007, "This Worker does not exist on your account.");
    const consumer = { consumer_id: randomUUID(), script: String(script_name), settings: settings as object };
    queue.consumers.push(
      dead_letter_queue === undefined ? consumer : { ...consumer, dead_letter_queue: String(dead_letter_queue) },
    );
    return ok(consumer);
  }

  #consumer({ method, body }: Request, id: string, consumerId: string): Reply {
    const consumers = this.queues.get(id)?.consumers ?? [];
    const at = consumers.findIndex(({ consumer_id }) => consumer_id === consumerId);
    const found = consumers[at];
    if (found === undefined) return refused(404, 11002, "consumer not found");
    if (method === "DELETE") consumers.splice(at, 1);
    else Object.assign(found, { settings: json(body)["settings"], dead_letter_queue: json(body)["dead_letter_queue"] });
    return ok(found);
  }

  #setDomains(service: string, { origins }: Readonly<Record<string, unknown>>): Reply {
    const others = this.domains.filter((one) => one.service !== service);
    const own = (origins as readonly { readonly hostname: string }[]).map(({ hostname }) => {
      return { id: randomUUID(), hostname, service };
    });
    this.domains = [...others, ...own];
    return ok(own);
  }

  #dropDomain(id: string): Reply {
    if (!this.domains.some((one) => one.id === id)) return refused(404, 10007, "domain not found");
    this.domains = this.domains.filter((one) => one.id !== id);
    return ok({ id });
  }

  #makeBucket(name: string): Reply {
    if (this.buckets.has(name))
      return refused(409, 10004, "The bucket you tried to create already exists, and you own it.");
    this.buckets.add(name);
    return ok({ name });
  }

  #bucket(method: string, name: string): Reply {
    if (!this.buckets.has(name)) return refused(404, 10006, "The specified bucket does not exist.");
    if (method === "DELETE" && this.bucketsHaveObjects)
      return refused(409, 10008, "The bucket you tried to delete is not empty");
    if (method === "DELETE") this.buckets.delete(name);
    return ok({ name });
  }

  #service(name: string): Reply {
    if (!this.workers.has(name)) return refused(404, 10090, "This service does not exist on your account.");
    const script = { last_deployed_from: "wrangler", tag: name, tags: [], handlers: ["fetch"] };
    return ok({
      id: name,
      default_environment: { environment: "production", script },
      environments: [{ environment: "production" }],
    });
  }

  #workerOne(name: string): Reply {
    const worker = this.workers.get(name);
    if (worker === undefined) return missing();
    return ok({ id: name, name, subdomain: { enabled: worker.subdomain, previews_enabled: false }, tags: [] });
  }

  async #script(request: Request, name: string): Promise<Reply> {
    const worker = this.workers.get(name);
    if (request.method === "PUT") return this.#upload(request, name);
    if (worker === undefined) return missing();
    if (request.method === "DELETE") this.workers.delete(name);
    return ok({ id: name });
  }

  async #scriptPart(request: Request, name: string, part: string): Promise<Reply> {
    const worker = this.workers.get(name);
    if (worker === undefined) return missing();
    const { method, body } = request;
    switch (part) {
      case "secrets":
        return ok([...worker.secrets.keys()].map((secret) => ({ name: secret, type: "secret_text" })));
      case "deployments":
        if (method === "POST") {
          const [first] = json(body)["versions"] as readonly { version_id: string }[];
          const version = worker.versions.find((one) => one.version === first?.version_id);
          if (version !== undefined) worker.script = version;
        }
        return ok({
          id: randomUUID(),
          deployments: [{ id: randomUUID(), versions: [{ version_id: worker.script.version, percentage: 100 }] }],
        });
      case "versions":
        return method === "POST"
          ? this.#upload(request, name)
          : ok({ items: worker.versions.map(({ version }) => ({ id: version })) });
      case "subdomain":
        if (method === "POST") worker.subdomain = json(body)["enabled"] === true;
        return ok({ enabled: worker.subdomain, previews_enabled: false });
      case "schedules":
        if (method === "PUT")
          worker.crons = (JSON.parse(body.toString()) as { cron: string }[]).map(({ cron }) => cron);
        return ok({ schedules: worker.crons.map((cron) => ({ cron })) });
      case "settings":
        return ok({ bindings: worker.script.metadata.bindings, tags: [] });
      case "script-settings":
        return ok({ logpush: false, observability: { enabled: true } });
      default:
        return ok([]);
    }
  }

  #version(name: string, id: string): Reply {
    const found = this.workers.get(name)?.versions.find(({ version }) => version === id);
    return found === undefined
      ? missing()
      : ok({
          id,
          annotations: found.metadata.annotations ?? {},
          resources: { bindings: [], script: {}, script_runtime: {} },
        });
  }

  async #upload({ body, headers, method }: Request, name: string): Promise<Reply> {
    const form = await new Response(new Uint8Array(body), {
      headers: { "content-type": String(headers["content-type"]) },
    }).formData();
    const metadata = JSON.parse(await textOf(form.get("metadata"))) as Metadata;
    const module = this.damage(name, await textOf(form.get(metadata.main_module)));
    const before = this.workers.get(name);
    const earlier = before?.script.metadata.bindings ?? [];
    const bindings = metadata.bindings.map((binding) =>
      binding.type === "inherit" ? (earlier.find((one) => one.name === binding.name) ?? binding) : binding,
    );
    for (const { type, id, database_id } of bindings)
      if (type === "d1" && !this.databases.has(String(id ?? database_id)))
        return refused(400, 10181, "D1 binding must have a valid `id`");
    const script = { module, metadata: { ...metadata, bindings }, version: randomUUID() };
    const worker = before ?? { script, versions: [], secrets: new Map<string, string>(), subdomain: false, crons: [] };
    for (const { type, name: secret, text } of bindings)
      if (type === "secret_text") worker.secrets.set(secret, String(text));
    worker.versions.push(script);
    if (method === "PUT") worker.script = script;
    this.workers.set(name, worker);
    const resources = { bindings: [], script: { etag: "e", handlers: ["fetch"] }, script_runtime: {} };
    return ok({
      id: method === "PUT" ? name : script.version,
      tag: name,
      deployment_id: script.version,
      startup_time_ms: 7,
      metadata: { has_preview: false },
      resources,
    });
  }

  /** A workerd with every database and every Worker as they are now. */
  async #runtime(): Promise<Miniflare> {
    const shape = JSON.stringify([
      [...this.databases.keys()],
      [...this.workers].map(([name, { script }]) => [name, script.version]),
    ]);
    if (this.#miniflare !== undefined && shape === this.#running) return this.#miniflare;
    const options = convertV4MiniflareOptions({
      ...SHARED_OPTIONS,
      handleStructuredLogs: () => undefined,
      ...(this.#folder === undefined ? {} : { resourcePersistencePath: this.#folder }),
      workers: this.#miniflareWorkers(),
    });
    if (this.#miniflare === undefined) this.#miniflare = new Miniflare(options);
    else await this.#miniflare.setOptions(options);
    await this.#miniflare.ready;
    this.#running = shape;
    return this.#miniflare;
  }

  #miniflareWorkers(): [V4WorkerOptions, ...V4WorkerOptions[]] {
    const databases: V4WorkerOptions = {
      name: "databases",
      modules: true,
      script: "export default { fetch: () => new Response() }",
      d1Databases: Object.fromEntries([...this.databases.keys()].map((id) => [`D1_${id}`, id])),
    };
    const runnable = [...this.workers].filter(([, { script }]) => this.#isWhole(script));
    return [databases, ...runnable.map(([name, worker]) => this.#miniflareWorker(name, worker))];
  }

  /** Whether all Workers that it binds are there. */
  #isWhole({ metadata }: Script): boolean {
    return metadata.bindings.every(({ service, script_name }) =>
      [service, script_name].every((name) => name === undefined || this.workers.has(String(name))),
    );
  }

  #miniflareWorker(name: string, { script, secrets }: StubWorker): V4WorkerOptions {
    const { bindings, compatibility_date, main_module } = script.metadata;
    const of = <T>(type: string, toValue: (binding: Binding) => T) =>
      Object.fromEntries(bindings.filter((one) => one.type === type).map((one) => [one.name, toValue(one)]));
    const consumed = [...this.queues.values()].flatMap(({ queue_name, consumers }) =>
      consumers.filter((one) => one.script === name).map((consumer) => [queue_name, consumer] as const),
    );
    return {
      name,
      compatibilityDate: compatibility_date,
      modules: [{ type: "ESModule", path: main_module, contents: script.module }],
      bindings: {
        ...of("plain_text", ({ text }) => String(text)),
        ...of("version_metadata", () => ({ id: script.version, tag: tagOf(script) ?? "", timestamp: "" })),
        ...Object.fromEntries(secrets),
      },
      d1Databases: of("d1", ({ id, database_id }) => {
        const bound = String(id ?? database_id);
        return this.databases.has(bound) ? bound : `deleted-${bound}`; // nothing is in it: every question of it fails
      }),
      r2Buckets: of("r2_bucket", ({ bucket_name }) => String(bucket_name)),
      queueProducers: of("queue", ({ queue_name }) => ({ queueName: String(queue_name) })),
      queueConsumers: Object.fromEntries(
        consumed.map(([queue, { settings, dead_letter_queue: deadLetterQueue }]) => {
          const { max_retries: maxRetries } = settings as { readonly max_retries?: number };
          return [queue, { maxBatchTimeout: 1, maxRetries, ...(deadLetterQueue && { deadLetterQueue }) }];
        }),
      ),
      durableObjects: of("durable_object_namespace", ({ class_name, script_name }) => ({
        className: String(class_name),
        useSQLite: true,
        ...(script_name === undefined ? {} : { scriptName: String(script_name) }),
      })),
      serviceBindings: of("service", ({ service, entrypoint }) => ({
        name: String(service),
        ...(entrypoint === undefined ? {} : { entrypoint: String(entrypoint) }),
      })),
    } as V4WorkerOptions;
  }

  async #forward(name: string, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { body, method, headers } = await read(incoming);
    if (!this.workers.has(name)) return void response.writeHead(404).end("There is nothing here yet");
    const worker = await (await this.#runtime()).getWorker(name);
    const { host: _, connection: __, "transfer-encoding": ___, "content-length": ____, ...rest } = headers;
    const init = {
      method,
      headers: rest as Record<string, string>,
      ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
    };
    const answer = await worker.fetch(`https://${name}.stub.workers.dev${incoming.url}`, init);
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "text/plain" });
    response.end(Buffer.from(await answer.arrayBuffer()));
  }
}

function tagOf({ metadata }: Script): string | undefined {
  return metadata.annotations?.["workers/tag"];
}

/** Whether a call may change something. */
function changes({ method, path, body }: Request): boolean {
  if (path.endsWith("/query")) return !String(json(body)["sql"]).startsWith("SELECT");
  return method !== "GET";
}

function ok(result: unknown, extra: object = {}): Reply {
  return { body: { success: true, errors: [], messages: [], result, ...extra } };
}

function refused(status: number, code: number, message: string): Reply {
  return { status, body: { success: false, errors: [{ code, message }], messages: [], result: null } };
}

function missing(): Reply {
  return refused(404, 10007, "This Worker does not exist on your account.");
}

function page(found: readonly unknown[], query: URLSearchParams): Reply {
  const number = Number(query.get("page") ?? 1);
  const size = Number(query.get("per_page") ?? 100);
  const shown = found.slice((number - 1) * size, number * size);
  return ok(shown, { result_info: { page: number, per_page: size, count: shown.length, total_count: found.length } });
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

function json(body: Buffer): Readonly<Record<string, unknown>> {
  return body.length === 0 ? {} : (JSON.parse(body.toString()) as Record<string, unknown>);
}

async function textOf(part: ReturnType<FormData["get"]>): Promise<string> {
  if (part === null) throw new Error("a part of the upload is missing");
  return typeof part === "string" ? part : await part.text();
}

async function read(incoming: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const url = new URL(incoming.url ?? "/", "http://stub");
  const body = Buffer.concat(chunks);
  const isJson = incoming.headers["content-type"]?.startsWith("application/json") === true && body[0] === 123;
  const named = isJson ? json(body) : {};
  const pathname = url.pathname.replace(new RegExp(`^/accounts/${ACCOUNT}(?=/)`), "");
  return {
    method: incoming.method ?? "GET",
    pathname,
    path: pathname + url.search,
    query: url.searchParams,
    body,
    subject: String(named["queue_name"] ?? named["name"] ?? ""),
    headers: incoming.headers,
  };
}

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Promise<Server> {
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((open) => server.listen(0, "127.0.0.1", open));
  return server;
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
