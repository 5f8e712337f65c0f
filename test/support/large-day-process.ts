// Seals or recounts a large Day in a process of its own, whose heap the caller bounds: `node --max-old-space-size=128
// test/support/large-day-process.ts <folder> seal|recount|count [clock jump in ms]`. It prints what the run came to as
// JSON.

import { countLargeDay, recountLargeDay, sealLargeDay } from "./large-day.ts";

const [folder = "", what = "seal", jumpMs = "0"] = process.argv.slice(2);
const works = { seal: () => sealLargeDay(folder, Number(jumpMs)), recount: recountLargeDay, count: countLargeDay };
console.log(JSON.stringify(await works[what as keyof typeof works](folder)));
