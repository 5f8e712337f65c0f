// The Worker of ceiling.ts: an empty route, the bare shape of a hit, and one INSERT into D1 for each event.

import { Hono } from "hono";
import { type BareEnv, serveBare } from "./bare-shape.ts";
import { INSERT, rowsOf, TABLE } from "./naive.ts";

export { BareObject } from "./bare-shape.ts";

interface RivalEnv extends BareEnv {
  readonly DB: D1Database;
}

const app = new Hono<{ Bindings: RivalEnv }>();
let created: Promise<unknown> | undefined;

app.post("/empty", (c) => c.json({ accepted: 1 }));
app.post("/hit", async (c) => {
  created ??= c.env.DB.prepare(TABLE).run();
  await created;
  const rows = rowsOf(await c.req.json(), c.req.header("user-agent") ?? "");
  const insert = c.env.DB.prepare(INSERT);
  if (rows.length === 1) await insert.bind(...(rows[0] as unknown[])).run();
  else await c.env.DB.batch(rows.map((row) => insert.bind(...row)));
  return c.json({ accepted: rows.length });
});
app.get("/count", async (c) => c.text(String(await c.env.DB.prepare("SELECT count(*) AS n FROM hits").first("n"))));

export default {
  fetch(request: Request, env: RivalEnv, context: ExecutionContext): Response | Promise<Response> {
    return request.url.endsWith("/bare") ? serveBare(request, env, context) : app.fetch(request, env, context);
  },
};
