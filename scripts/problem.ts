// How the scripts fail in front of a person: one sentence that says what was wrong and what to do, and exit code 1. A
// stack trace is shown only for a mistake of ours.

/** Something the person at the keyboard can put right. */
export class Problem extends Error {}

/** Runs a script's main function and turns a `Problem` into its sentence. */
export async function runMain(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Problem ? `footfall: ${error.message}` : error);
    process.exit(1); // at once, whatever is still being tried in the background
  }
}

/** The message of anything thrown, with the cause that `fetch` hides behind "fetch failed". */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error) return cause.message || String((cause as NodeJS.ErrnoException).code ?? error.message);
  return error.message;
}
