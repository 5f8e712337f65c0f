// The query Worker: answers questions and administers. Its cron asks questions as well, those of reports to merchants,
// and writes what is to be sent. Wiring only; what takes long, and what sends, is the background Worker's.

import { lookAtAlarms } from "./alarms-due.ts";
import { app } from "./app.ts";
import { depsOf } from "./deps.ts";
import type { QueryEnv } from "./env.ts";
import { writeReports } from "./reports-due.ts";

export default {
  fetch: app.fetch,

  async scheduled(_, env, context) {
    const deps = depsOf(env, context);
    await writeReports(deps);
    await lookAtAlarms(deps);
  },
} satisfies ExportedHandler<QueryEnv>;
