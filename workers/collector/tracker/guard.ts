// Keeps the tracker's failures away from the page. Everything that a browser calls goes through `attempt`, so nothing
// is ever thrown into the page. If a browser lacks an API, only the feature that needs it is missing.

/** The result of `work`, or undefined if it throws. */
export function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined; // by design: the page works as if the tracker were not there
  }
}

/**
 * Listens to events of these names, separated by blanks. It hears them before the page's own listeners can stop them.
 */
export function on<E = Event>(types: string, listener: (event: E) => unknown, target: EventTarget = window): void {
  for (const type of types.split(" ")) target.addEventListener(type, (e) => attempt(() => listener(e as E)), true);
}
