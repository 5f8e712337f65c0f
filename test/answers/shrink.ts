// Makes a failing story small: leaves out whatever can go without losing the difference, and writes down what is left.

import { type Difference, type Telling, tell } from "./tell.ts";
import type { Request, Story, Told } from "./traffic.ts";

/** Stories that are told again at most. */
const RUNS_MAX = 150;

export interface Shrunk {
  readonly story: Story;
  readonly difference: Difference;
}

/** A smaller story with a difference in the same result of the same question. */
export async function shrink(story: Story, found: Difference, telling: Telling): Promise<Shrunk> {
  let smallest: Shrunk = { story, difference: found };
  let runs = 0;
  const attempt = async (keeps: (request: Request) => boolean) => {
    const { requests, late } = smallest.story;
    const smaller = { ...smallest.story, requests: requests.filter(keeps), late: late.filter(keeps) };
    if (sizeOf(smaller) === sizeOf(smallest.story) || runs >= RUNS_MAX) return;
    runs += 1;
    const again = await tell(smaller, { ...telling, only: found }).catch(() => undefined);
    if (again !== undefined && isAlike(again.text, found.text)) smallest = { story: smaller, difference: again };
  };
  await attempt(({ events }) => events.some(({ merchant }) => merchant === found.merchant));
  const people = new Set(story.requests.flatMap(({ events }) => events.map(({ person }) => person)));
  for (const one of people) await attempt(({ events }) => events.every(({ person }) => person !== one));
  for (let size = sizeOf(smallest.story) / 2; size >= 0.5; size /= 2) {
    const all = [...smallest.story.requests, ...smallest.story.late];
    for (let start = 0; start < all.length; start += Math.ceil(size)) {
      const left = new Set(all.slice(start, start + Math.ceil(size)));
      await attempt((request) => !left.has(request));
    }
  }
  return smallest;
}

/** A story's requests, one a line. */
export function wordsOf({ requests, late }: Story): string {
  const lines = [...requests, ...late].map(({ at, events }) => {
    return `  ${new Date(at).toISOString()} ${events.map(wordsOfEvent).join("\n      + ")}`;
  });
  return lines.join("\n");
}

function sizeOf({ requests, late }: Story): number {
  return requests.length + late.length;
}

/** Whether two differences are of one result: a smaller story may have another one. */
function isAlike(a: string, b: string): boolean {
  const keysOf = (text: string) => text.split("\n").flatMap((line) => line.match(/^.*(?=: says)/) ?? []);
  return a === b || keysOf(a).some((key) => keysOf(b).includes(key));
}

function wordsOfEvent(told: Told): string {
  const { id, name, at, person, isKnown, path, order, revenue, currency, products, origin } = told;
  const more = {
    ...(order !== "" && { order }),
    ...(revenue !== 0 && { revenue }),
    ...(currency !== "" && { currency }),
    ...(products.length > 0 && { products }),
    ...(told.engagementMs > 0 && { engaged: told.engagementMs }),
    ...(told.keyed && { keyed: true }),
    ...(told.passive && { passive: true }),
    ...(told.prefetch && { prefetch: true }),
    ...(origin.source !== "" && { source: origin.source }),
    ...(origin.isReturn && { returns: true }),
    ...(told.stream !== 1 && { stream: told.stream }),
  };
  const who = isKnown ? person : `${person} (by address)`;
  return `${id} ${name} ${path} by ${who} at ${new Date(at).toISOString()} ${JSON.stringify(more)}`;
}
