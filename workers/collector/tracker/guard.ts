// The tracker never throws into the page: everything a browser calls goes through `attempt`, and what goes wrong there
// is nobody's business but ours. A missing API costs the feature, not the page.

/** What `work` gives, or undefined where it throws. */
export function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined; // by design: the page goes on as if nobody counted it
  }
}

/** Listens to events of these names, separated by blanks, before the page's own listeners can stop them. */
export function on<E = Event>(types: string, listener: (event: E) => unknown, target: EventTarget = window): void {
  for (const type of types.split(" ")) target.addEventListener(type, (e) => attempt(() => listener(e as E)), true);
}
