// What merchants are told of the deployment's state, in R2 under `status/`: it is read without a database, so that it
// stands when D1 does not.

import type { Incident, Status, Told } from "../core/watch/status.ts";

const STATUS = "status/status.json";
const INCIDENTS = "status/incidents.json";

/** Somebody else changes incidents at the same time: so many times it is tried anew. */
const ATTEMPTS = 5;

type Bucket = Pick<R2Bucket, "get" | "put">;

export async function readTold(bucket: Bucket): Promise<Told> {
  const [status, incidents] = await Promise.all([bucket.get(STATUS), bucket.get(INCIDENTS)]);
  return {
    status: status === null ? undefined : await status.json<Status>(),
    incidents: incidents === null ? [] : await incidents.json<readonly Incident[]>(),
  };
}

export async function readStatus(bucket: Bucket): Promise<Status | undefined> {
  const object = await bucket.get(STATUS);
  return object === null ? undefined : await object.json<Status>();
}

export async function writeStatus(bucket: Bucket, status: Status): Promise<void> {
  await bucket.put(STATUS, JSON.stringify(status));
}

/** Changes the incidents by what a pure function makes of them; undefined from it changes nothing, and is answered. */
export async function changeIncidents(
  bucket: Bucket,
  change: (incidents: readonly Incident[]) => readonly Incident[] | undefined,
): Promise<readonly Incident[] | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const object = await bucket.get(INCIDENTS);
    const after = change(object === null ? [] : await object.json<readonly Incident[]>());
    if (after === undefined) return undefined;
    const onlyIf = object === null ? { etagDoesNotMatch: "*" } : { etagMatches: object.etag };
    if ((await bucket.put(INCIDENTS, JSON.stringify(after), { onlyIf })) !== null) return after;
  }
  throw new Error("incidents are being changed by somebody else all the time");
}
