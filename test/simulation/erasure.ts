// Somebody asks for a visitor to be erased in the middle of a run, and asks again until it is heard. At the end nothing
// of what partitions had when they heard of it is left anywhere, and what is left is what the numbers say.

import type { ArchivedEvent } from "../../core/archive/file.ts";
import type { EraseRequest } from "../../core/counting/erasure.ts";
import { partitionsOf } from "../../core/counting/placement.ts";
import type { Event } from "../../core/event.ts";
import { SEAL_AFTER_MS } from "../../core/limits.ts";
import type { Settings } from "../../core/merchant.ts";
import { DAY_MS } from "../../core/time.ts";
import { createErasure } from "../../storage/ledger/erasure.ts";
import type { Ledgers } from "../../storage/ledger/ledgers.ts";
import type { Simulation } from "./simulation.ts";

export interface AskedErasure {
  readonly merchant: number;
  readonly visitor: string;
  /** UTC ms at which a partition last heard of it; Infinity before. */
  heard: number;
}

/** Asks for one of the visitors who are known by an id of their own. */
export async function askForErasure(simulation: Simulation, ledgers: Ledgers): Promise<void> {
  const { world } = simulation;
  const known = simulation.sent.map(({ arrival }) => arrival.event).filter(({ visitor }) => visitor !== "");
  if (known.length === 0) return;
  const { merchant, visitor } = world.random.pick(known);
  simulation.erased.push({ merchant, visitor, heard: Number.POSITIVE_INFINITY });
  world.note(`merchant ${merchant} wants ${visitor} erased`);
  const partitions = partitionsOf(simulation.settings.get(merchant) as Settings, simulation.placement);
  for (;;) {
    const createdAt = world.now;
    const open = Math.floor((createdAt - SEAL_AFTER_MS) / DAY_MS) + 1;
    const id = `ers_${world.random.hex(4)}`;
    const asked = { id, merchant, kind: "visitor" as const, visitor, fromDay: 0, toDay: 1e6, createdAt };
    try {
      await createErasure(ledgers.ofMerchant(merchant), {
        erasure: asked,
        partitions,
        openDays: [open, open + 1, open + 2],
      });
      return;
    } catch {
      await world.sleep(60_000); // it may have been heard all the same; asking twice is harmless
    }
  }
}

/** A partition has just heard of it. */
export function noteHeard({ erased, world }: Simulation, { merchant, visitor }: EraseRequest): void {
  for (const one of erased) if (one.merchant === merchant && one.visitor === visitor) one.heard = world.now;
}

/** Whether an event may be gone, because somebody wanted it so. */
export function mayBeErased({ erased }: Simulation, { merchant, visitor, receivedAt }: Event): boolean {
  return erased.some((one) => one.merchant === merchant && one.visitor === visitor && receivedAt <= one.heard);
}

export function checkErased({ database }: Simulation, rows: readonly ArchivedEvent[]): string | undefined {
  const told = database
    .prepare('SELECT merchant, visitor, "partition", told FROM erasures JOIN erasure_parts ON erasure = number')
    .all();
  for (const { event, partition, position } of rows) {
    const isMeant = told.some(
      (one) =>
        one["merchant"] === event.merchant &&
        one["visitor"] === event.visitor &&
        one["partition"] === partition &&
        position < Number(one["told"]),
    );
    if (isMeant) return `ERS: ${event.id} of ${event.visitor} is in the archive`;
  }
  const running = database.prepare("SELECT id FROM erasures WHERE state != 'done'").all();
  return running.length === 0 ? undefined : `ERS: erasure ${running[0]?.["id"]} has not ended`;
}
