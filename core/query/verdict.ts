// What a comparison has found out about a Day's codes: whether events with a code pass, and how many values it compared
// to know that. A code has a meaning only within one Day, so verdicts of the Day before are forgotten.

export interface Verdict {
  readonly passes: boolean;
  /** How many values were looked at. */
  readonly values: number;
}

export class CodeVerdicts {
  #token: object | undefined;
  #known = new Map<number, Verdict>();

  /** Undefined where no verdict is known yet. */
  find(token: object, code: number): Verdict | undefined {
    return token === this.#token ? this.#known.get(code) : undefined;
  }

  /** Remembers a verdict for the Day of `token`. A code below 0 has no meaning. */
  note(token: object, code: number, verdict: Verdict): void {
    if (code < 0) return;
    if (token !== this.#token) {
      this.#token = token;
      this.#known = new Map();
    }
    this.#known.set(code, verdict);
  }
}
