// What the browser keeps for the page. A browser may refuse to keep anything, and what it kept may have been cut: the
// page then goes on as if nothing had been there.

type Where = "local" | "tab";

function storageOf(where: Where): Storage {
  return where === "local" ? localStorage : sessionStorage;
}

/** A text that was kept; null where there is none. */
export function recallText(key: string, where: Where = "local"): string | null {
  try {
    return storageOf(where).getItem(key);
  } catch {
    return null; // storage is refused
  }
}

/** Whether it is kept. */
export function keepText(key: string, text: string, where: Where = "local"): boolean {
  try {
    storageOf(where).setItem(key, text);
    return true;
  } catch {
    return false; // refused, or there is no room
  }
}

/** Keeps it no longer. */
export function dropText(key: string, where: Where = "local"): void {
  try {
    storageOf(where).removeItem(key);
  } catch {
    return; // refused: nothing is there
  }
}

/** Text as a value; undefined where it is none. */
export function parseKept<Kept>(text: string | null): Kept | undefined {
  try {
    return text === null ? undefined : (JSON.parse(text) as Kept);
  } catch {
    return undefined; // cut, or of another program
  }
}
