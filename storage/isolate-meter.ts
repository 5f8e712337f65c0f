// The billable operations of this isolate, whichever host performs them. Locally a Worker and its Durable Objects share
// one isolate, so that two numbers say what a run cost; deployed, the platform's own analytics add up over isolates.

import { type Metered, zeroMeter } from "../core/meter.ts";

export const isolateMeter: Metered = zeroMeter();
