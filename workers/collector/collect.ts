// The hot path on one screen: hit → drafts (format) → arrivals (tracking ID, id, visitor) → partitions → report. Nothing
// here waits except the partitions' durable commit. An address is used to place and identify a visitor and goes no
// further than the partition's memory.

import type { Context } from "hono";
import { uuidv7 } from "uuidv7";
import { type Placement, parsePlacement, partitionOf } from "../../core/counting/placement.ts";
import type { Arrival } from "../../core/event.ts";
import { hash64Hex } from "../../core/hash.ts";
import type { Draft, Format } from "../../core/hit.ts";
import { BUNDLE_MESSAGE_BYTES_MAX, EVENT_BYTES_MAX } from "../../core/limits.ts";
import { queueOperations } from "../../core/meter.ts";
import { accepted, type DropReason, type Outcome, type Rejection, rejected } from "../../core/outcome.ts";
import type { Overflow } from "../../core/overflow.ts";
import { type Sign, type TrackingId, verifyTrackingId } from "../../core/tracking-id.ts";
import { isolateMeter } from "../../storage/isolate-meter.ts";
import { packOverflow } from "../../storage/overflow-message.ts";
import { signsOf } from "../../storage/signing.ts";
import { type Client, clientOf, hitOf } from "./client.ts";
import { type Delivered, type Delivery, deliver } from "./deliver.ts";
import type { CollectorEnv } from "./env.ts";
import { areWithinLimit } from "./limit.ts";

/** What became of a hit. Indexes are those of the events as they were sent. */
export interface Report {
  readonly accepted: number;
  readonly duplicates: number;
  readonly dropped: readonly { readonly index: number; readonly reason: DropReason }[];
  readonly rejected: readonly (Rejection & { readonly index: number })[];
}

/** Takes a hit all the way. Resolves once every accepted event is durable; throws when a partition cannot be reached. */
export async function collect(
  c: Context<{ Bindings: CollectorEnv }>,
  format: Format,
  body: string,
): Promise<Outcome<Report>> {
  isolateMeter.worker_requests += 1;
  const client = clientOf(c, Date.now());
  const drafts = format.parse(hitOf(c, client, body));
  if (!drafts.ok) return drafts;
  const { signs, placement } = deployment(c.env);
  const outcomes = drafts.value.map((draft) => (draft.ok ? toArrival(draft.value, { client, format, signs }) : draft));
  if (!(await areWithinLimit(c.env, outcomes))) return rejected("rate_limited", TOO_OFTEN);
  const fates = await appendAll(c.env, placement, outcomes);
  return accepted(reportOf(fates));
}

const TOO_OFTEN = "this tracking_id is sent too often; send the same events again later, several in one request";

type Settled = Delivered | Rejection;

interface Resolving {
  readonly client: Client;
  readonly format: Format;
  readonly signs: readonly Sign[];
}

/** A draft becomes an arrival: its tracking ID is verified, its id made when it has none, its visitor hashed. */
function toArrival(draft: Draft, { client, format, signs }: Resolving): Outcome<Arrival> {
  const tracked = trackingIdOf(draft.trackingId, signs);
  if (tracked === undefined) {
    return rejected(
      "unknown_tracking_id",
      `tracking_id "${draft.trackingId}" is not one of this service's; list them with: footfall stream list`,
    );
  }
  const { trackingId: _, visitorId, timestamp, ...facts } = draft;
  const event = {
    ...facts,
    ...tracked,
    ...client.facts,
    id: draft.id || uuidv7(),
    timestamp: timestamp ?? client.receivedAt,
    receivedAt: client.receivedAt,
    visitor: visitorId === "" ? "" : hash64Hex(`${tracked.merchant}:${visitorId}`),
    format: format.name,
    excluded: "",
    dropped: "" as const,
  };
  const size = JSON.stringify(event).length;
  if (size > EVENT_BYTES_MAX) {
    return rejected(
      "event_too_large",
      `the event takes ${size} bytes; at most ${EVENT_BYTES_MAX} are allowed, send fewer props`,
    );
  }
  return accepted({ event, address: client.address, floating: draft.id !== "" && timestamp === undefined });
}

/** Sends each partition its arrivals, all at once, and puts the fates back into the order of the events. */
async function appendAll(
  env: CollectorEnv,
  placement: Placement,
  outcomes: readonly Outcome<Arrival>[],
): Promise<readonly Settled[]> {
  const fates = new Array<Settled>(outcomes.length);
  const groups = new Map<string, { readonly index: number; readonly arrival: Arrival }[]>();
  outcomes.forEach((outcome, index) => {
    if (!outcome.ok) {
      fates[index] = outcome.rejection;
      return;
    }
    const { event, address } = outcome.value;
    const partition = partitionOf(event.merchant, event.visitor || `${address}|${event.userAgent}`, placement);
    const group = groups.get(partition);
    if (group === undefined) groups.set(partition, [{ index, arrival: outcome.value }]);
    else group.push({ index, arrival: outcome.value });
  });
  const delivery = deliveryOf(env);
  const deliveries = [...groups].map(async ([partition, group]) => {
    const delivered = await deliver(
      partition,
      group.map(({ arrival }) => arrival),
      delivery,
    );
    group.forEach(({ index }, at) => {
      fates[index] = delivered[at] as Delivered;
    });
  });
  await Promise.all(deliveries);
  return fates;
}

function reportOf(fates: readonly Settled[]): Report {
  const report = {
    accepted: 0,
    duplicates: 0,
    dropped: [] as Report["dropped"][number][],
    rejected: [] as Report["rejected"][number][],
  };
  fates.forEach((fate, index) => {
    if (fate === "accepted") report.accepted += 1;
    else if (fate === "duplicate") report.duplicates += 1;
    else if (fate === "unavailable")
      report.rejected.push({
        index,
        code: "unavailable",
        message: "the event could not be stored; send it again with the same id",
      });
    else if (fate === "unknown")
      report.rejected.push({
        index,
        code: "unknown_tracking_id",
        message: "tracking_id names a merchant that does not exist (any more)",
      });
    else if ("dropped" in fate) report.dropped.push({ index, reason: fate.dropped });
    else report.rejected.push({ index, ...fate });
  });
  return report;
}

function deliveryOf(env: CollectorEnv): Delivery {
  return {
    append: (partition, arrivals) => env.PARTITION.getByName(partition).append({ partition, arrivals }),
    overflow: (overflow) => sendOverflow(env, overflow),
    log: (entry) => console.error(JSON.stringify(entry)),
  };
}

/** Sends one message, or two halves where one would be too large for the queue. */
async function sendOverflow(env: CollectorEnv, { partition, arrivals }: Overflow): Promise<void> {
  const message = packOverflow({ partition, arrivals }, env.TRACKING_SECRET);
  if (message.length > BUNDLE_MESSAGE_BYTES_MAX && arrivals.length > 1) {
    const half = Math.ceil(arrivals.length / 2);
    await sendOverflow(env, { partition, arrivals: arrivals.slice(0, half) });
    await sendOverflow(env, { partition, arrivals: arrivals.slice(half) });
    return;
  }
  await env.OVERFLOW_QUEUE.send(message, { contentType: "bytes" });
  isolateMeter.queue_operations += queueOperations(message.length);
}

/** Parsed settings of the deployment, once per isolate: bindings never change while it lives. */
let parsed: { readonly signs: readonly Sign[]; readonly placement: Placement } | undefined;

function deployment(env: CollectorEnv): { readonly signs: readonly Sign[]; readonly placement: Placement } {
  parsed ??= { signs: signsOf(env), placement: parsePlacement(env.POOL_SIZE, env.SPREAD) };
  return parsed;
}

/** Verified tracking IDs, so that a busy shop's is checked once per isolate and not once per hit. */
const verified = new Map<string, TrackingId>();
const VERIFIED_KEPT_MAX = 10_000;

function trackingIdOf(text: string, signs: readonly Sign[]): TrackingId | undefined {
  const kept = verified.get(text);
  if (kept !== undefined) return kept;
  const id = verifyTrackingId(text, signs);
  if (id === undefined) return undefined;
  if (verified.size >= VERIFIED_KEPT_MAX) verified.clear();
  verified.set(text, id);
  return id;
}
