// The Worker of platform.ts. What it is asked for are checks and plans of the files beside it.

import { DurableObject } from "cloudflare:workers";
import { zeroMeter } from "../../core/meter.ts";
import { meteredSql } from "../../durable-objects/partition.ts";
import type { QueueBatch } from "../../queues/message.ts";
import { type AlarmPlan, type Firing, isDone } from "./alarm-plan.ts";
import { type Delivery, deliver, type PlannedMessage } from "./queue-plan.ts";
import { SQL_CHECKS } from "./sql-checks.ts";

interface Env {
  readonly OBJECTS: DurableObjectNamespace<PlatformObject>;
  readonly QUEUE: Queue<unknown>;
}

/** Of this isolate: queues deliver to it while it lives. */
const deliveries: Delivery[] = [];

export class PlatformObject extends DurableObject<Env> {
  #plan: AlarmPlan = { set: [], failures: 0 };
  #startedAt = 0;
  readonly #firings: Firing[] = [];

  /** An error's text, or null: errors lose their stacks between an object and its caller. */
  check(name: string): string | null {
    try {
      SQL_CHECKS[name]?.(meteredSql(this.ctx.storage, zeroMeter()));
      return null;
    } catch (error) {
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
  }

  async runAlarm(plan: AlarmPlan): Promise<readonly Firing[]> {
    this.#plan = plan;
    this.#startedAt = Date.now();
    for (const inMs of plan.set) await this.ctx.storage.setAlarm(this.#startedAt + inMs);
    while (!isDone(plan, this.#firings, Date.now() - this.#startedAt))
      await new Promise((resolve) => setTimeout(resolve, 20));
    return this.#firings;
  }

  override async alarm(): Promise<void> {
    this.#firings.push({ atMs: Date.now() - this.#startedAt, isSet: (await this.ctx.storage.getAlarm()) !== null });
    if (this.#firings.length <= this.#plan.failures) throw new Error("as planned");
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const object = () => env.OBJECTS.get(env.OBJECTS.newUniqueId());
    if (pathname === "/check") return Response.json(await object().check(searchParams.get("name") ?? ""));
    if (pathname === "/alarm") return Response.json(await object().runAlarm(await request.json()));
    if (pathname === "/send") {
      for (const message of await request.json<readonly PlannedMessage[]>())
        await env.QUEUE.send(new TextEncoder().encode(JSON.stringify(message)), { contentType: "bytes" });
      return new Response();
    }
    if (pathname === "/deliveries") return Response.json(deliveries);
    return new Response(null, { status: 404 });
  },
  queue(batch: MessageBatch<unknown>): void {
    deliver(batch as unknown as QueueBatch, Date.now(), deliveries);
  },
};
