// Sites by their hostnames, for clients that name a merchant's site and not its tracking ID (Plausible, Counterscale,
// GoatCounter). Plain SQL, because the collector carries no ORM (docs/decisions/0006).

import { D1_PARAMETERS_MAX } from "../../core/limits.ts";
import { assert } from "../../core/outcome.ts";
import type { TrackingId } from "../../core/tracking-id.ts";
import type { Directory } from "./directory.ts";

/** The streams for which these hostnames are proven, by hostname as it is stored. All other hostnames are missing. */
export async function findSites(db: Directory, hostnames: readonly string[]): Promise<ReadonlyMap<string, TrackingId>> {
  assert(hostnames.length <= D1_PARAMETERS_MAX, "the hostnames of one look-up fit one statement");
  const places = hostnames.map(() => "?").join(", ");
  const statement = db.prepare(
    `SELECT hostname, merchant, number AS stream FROM streams
     WHERE hostname_proof IS NOT NULL AND hostname IN (${places})`,
  );
  const { results } = await statement.bind(...hostnames).all<TrackingId & { readonly hostname: string }>();
  return new Map(results.map(({ hostname, merchant, stream }) => [hostname, { merchant, stream }]));
}
