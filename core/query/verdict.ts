// What a comparison has found out of a Day's codes: whether events of that code pass, and how many values it took to
// see it. A code means something in one Day alone, so what was known of the Day before is forgotten.

export interface Verdict {
  readonly passes: boolean;
  /** How many values were looked at. */
  readonly values: number;
}

export class CodeVerdicts {
  #token: object | undefined;
  #known = new Map<number, Verdict>();

  /** Undefined where nothing is known yet. */
  find(token: object, code: number): Verdict | undefined {
    return token === this.#token ? this.#known.get(code) : undefined;
  }

  /** Remembers a verdict of the Day that `token` stands for. A code below 0 says nothing. */
  note(token: object, code: number, verdict: Verdict): void {
    if (code < 0) return;
    if (token !== this.#token) {
      this.#token = token;
      this.#known = new Map();
    }
    this.#known.set(code, verdict);
  }
}
