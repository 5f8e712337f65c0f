// The end of a deployment: what will be lost, and then everything of it taken away, in an order in which nothing that
// is left calls what is gone. It can be stopped and started again like a deployment.

import { Problem } from "../problem.ts";
import { WORKERS } from "../runtime.ts";
import { type Account, eachOf, Refusal } from "./account.ts";
import type { Wanted } from "./config.ts";
import { bucketHeaders, type Found, look } from "./look.ts";

/** What there is of it, line by line. */
export function lossesOf(wanted: Wanted, found: Found): readonly string[] {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  return [
    ...[...found.workers.keys()].map((worker) => {
      const objects =
        worker === "collector" ? ", with every partition: open Days, and events that are not archived" : "";
      return `Worker ${wanted.workers[worker].name}${objects}`;
    }),
    ...[...found.queues.keys()].map((name) => `queue ${name}, with its messages`),
    ...[...found.databases.values()].map(({ name, file_size = 0 }) => `database ${name}, ${megabytes(file_size)}`),
    ...(found.bucket ? [`bucket ${wanted.bucket}, with all raw events`] : []),
  ];
}

/** Takes everything away. Answers what could not be, which is a bucket that is being emptied. */
export async function destroy(
  account: Account,
  wanted: Wanted,
  say: (line: string) => void,
): Promise<readonly string[]> {
  const found = await look(account, wanted);
  const remove = async (what: string, path: string, headers = {}) => {
    await account.change("DELETE", path, undefined, headers).catch((error: unknown) => {
      if (!(error instanceof Refusal && error.status === 404)) throw error;
    });
    say(`deleted ${what}`);
  };
  const queues = [...found.queues.values()];
  await eachOf(queues, async ({ queue_id, queue_name, consumers }) => {
    for (const { consumer_id } of consumers)
      await remove(`the consumer of ${queue_name}`, `/queues/${queue_id}/consumers/${consumer_id}`);
  });
  for (const worker of [...WORKERS].reverse()) {
    const { name } = wanted.workers[worker];
    for (const { id, hostname } of found.workers.get(worker)?.domains ?? [])
      await remove(`the domain ${hostname}`, `/workers/domains/${id}`);
    if (found.workers.has(worker)) await remove(name, `/workers/scripts/${name}?force=true`);
  }
  await eachOf(queues, ({ queue_id, queue_name }) => remove(queue_name, `/queues/${queue_id}`));
  // The directory first: from then on it is no deployment, and another run takes the number of ledgers that are left.
  const databases = [...found.databases.values()];
  const isDirectory = ({ name }: { readonly name: string }) => name === wanted.directory;
  for (const { name, uuid } of databases.filter(isDirectory)) await remove(name, `/d1/database/${uuid}`);
  await eachOf(
    databases.filter((one) => !isDirectory(one)),
    ({ name, uuid }) => remove(name, `/d1/database/${uuid}`),
  );
  return found.bucket ? await removeBucket(account, wanted, say) : [];
}

const BUCKET_NOT_EMPTY = 10008;

/** A bucket with objects cannot be deleted; a rule empties it within a day. */
async function removeBucket(account: Account, wanted: Wanted, say: (line: string) => void): Promise<readonly string[]> {
  const path = `/r2/buckets/${wanted.bucket}`;
  const headers = bucketHeaders(wanted);
  try {
    await account.change("DELETE", path, undefined, headers);
    say(`deleted ${wanted.bucket}`);
    return [];
  } catch (error) {
    if (!(error instanceof Refusal && error.code === BUCKET_NOT_EMPTY)) throw error;
  }
  const condition = { type: "Age", maxAge: 86_400 };
  const rules = [{ id: "destroy", enabled: true, conditions: { prefix: "" }, deleteObjectsTransition: { condition } }];
  await account.change("PUT", `${path}/lifecycle`, { rules }, headers);
  return [
    `bucket ${wanted.bucket} has objects. A rule deletes them within a day or two; then run the same command again.`,
  ];
}

/** Throws unless the name was said again. */
export function confirmName(name: string, said: string): void {
  if (said.trim() !== name) throw new Problem(`"${said.trim()}" is not "${name}": nothing was deleted`);
}
