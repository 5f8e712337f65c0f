// The query Worker: answers questions and administers. Wiring only; what takes long is the background Worker's.

import { app } from "./app.ts";

export default { fetch: app.fetch };
