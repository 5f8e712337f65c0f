// Serves the tracker. /t.js and /p.js are the current scripts. Each script is also served for ever under the name that
// carries its hash. Any page may load scripts, also with `integrity`, so they are readable across origins.

import type { Context } from "hono";
import { refuse } from "./reply.ts";
import { SCRIPTS } from "./tracker/.build/scripts.js";

/** The path of a script that never changes, such as "t.8f3a52c07d1be946.js". */
export const PINNED = "/:script{[pt]\\.[0-9a-f]{16}\\.js}";

/** An hour, so a new version reaches every page within it. */
const CURRENT = "public, max-age=3600, stale-while-revalidate=86400";
const FOR_EVER = "public, max-age=31536000, immutable";

export function serveScript(c: Context): Response {
  const path = c.req.path.slice(1);
  const script = SCRIPTS.find(({ name, file }) => path === file || path === `${name}.js`);
  if (script === undefined) {
    return refuse("not_found", `${path} is not a version of the tracker that is kept; load /t.js`, {
      status: 404,
      headers: { "Cache-Control": "no-store" },
    });
  }
  const etag = `"${script.file}"`;
  const headers = {
    "Content-Type": "text/javascript; charset=utf-8",
    "Cache-Control": path === script.file ? FOR_EVER : CURRENT,
    ETag: etag,
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Timing-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",
  };
  const known = c.req.header("if-none-match") ?? "";
  return known.includes(etag) ? c.body(null, 304, headers) : c.body(script.text, 200, headers);
}
