// The one place that writes to the console. The platform keeps what it writes, and `npm start` passes it on.

import { encodeLogEntry, type Log } from "../core/log.ts";

export const writeLog: Log = (line) => console.error(encodeLogEntry(line));
