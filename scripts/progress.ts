// Progress for a person: a bar where there is a terminal, a plain line now and then where there is none (CI, a pipe).
// It goes to standard error, so that standard output holds results only.

import { Presets, SingleBar } from "cli-progress";

export interface Meter {
  update(done: number): void;
  stop(): void;
}

const LINE_EVERY_MS = 5_000;

/** Shows how much of `total` is done. */
export function startMeter(label: string, total: number): Meter {
  return process.stderr.isTTY ? barMeter(label, total) : lineMeter(label, total);
}

/** A sentence while a bar may be showing: it takes the bar's line, and the bar comes back below it. */
export function sayBesideMeter(text: string): void {
  console.error(process.stderr.isTTY ? `\r\u001b[K${text}` : text);
}

function barMeter(label: string, total: number): Meter {
  const format = `${label} {bar} {percentage}% · {eta_formatted} left`;
  const bar = new SingleBar({ format, hideCursor: true, stream: process.stderr }, Presets.shades_classic);
  bar.start(total, 0);
  return { update: (done) => bar.update(done), stop: () => bar.stop() };
}

function lineMeter(label: string, total: number): Meter {
  let saidAt = Date.now();
  return {
    update(done) {
      if (Date.now() - saidAt < LINE_EVERY_MS) return;
      saidAt = Date.now();
      console.error(`${label} ${Math.floor((100 * done) / Math.max(total, 1))}%`);
    },
    stop() {},
  };
}
