// /p.js: the build for page views alone. The page may report its own events. Nothing else is watched.

import { attempt } from "./guard.ts";
import { startScript } from "./script.ts";

attempt(startScript);
