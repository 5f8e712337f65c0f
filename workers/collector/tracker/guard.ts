// Keeps the tracker's failures away from the page. Everything that a browser calls goes through `attempt`, so nothing
// is ever thrown into the page. Where a browser lacks an API only that feature is missing.

/** The result of `work`, or undefined where it throws. */
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
