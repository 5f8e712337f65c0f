// /t.js: the build with everything.

import { watchAll } from "./full.ts";
import { attempt } from "./guard.ts";
import { startScript } from "./script.ts";

attempt(() => startScript(watchAll));
