// The query Worker. It answers questions and serves the admin API. Its cron asks the questions of reports to merchants,
// and writes what must be sent. This file is wiring only. Long work and sending belong to the background Worker.

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
