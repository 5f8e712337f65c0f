import { countEvent, emptyDay } from "../core/counting/day.ts";
import { opine } from "../core/enrichment/opinion.ts";
import { NO_RULES } from "../core/merchant.ts";
import { eventOf, settingsOf, TUESDAY } from "./support/events.ts";
for (const total of [1000, 5000, 20000, 40000]) {
  const run = (visitorOf: (i: number) => string) => {
    const state = emptyDay(1, Math.floor(TUESDAY / 86400000));
    const events = Array.from({ length: total }, (_, i) => eventOf({ id: `e${i}`, url: `https://a.example/p/${i}`, visitor: visitorOf(i), timestamp: TUESDAY + i }));
    const opinions = events.map((event) => opine(event, NO_RULES));
    const start = performance.now();
    events.forEach((event, i) => countEvent(state, { event, opinion: opinions[i]!, settings: settingsOf(), position: i }));
    return performance.now() - start;
  };
  const one = run(() => "00000000000000aa"); const many = run((i) => i.toString(16).padStart(16, "0"));
  console.log(`${total} distinct pages: one visitor ${one.toFixed(0)} ms (${(one / total * 1000).toFixed(1)} µs/event), ${total} visitors ${many.toFixed(0)} ms (${(many / total * 1000).toFixed(1)} µs/event)`);
}
