// `node bench/naive-server.ts <file>`: Hono on Node with one INSERT into SQLite for each event, each durable before it
// is answered. Prints its address and runs until it is killed. A rival of bench/ingest.ts.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { Hono } from "hono";
import { INSERT, rowsOf, TABLE } from "./naive.ts";

const database = new DatabaseSync(process.argv[2] ?? ":memory:");
database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
database.exec(TABLE);
const insert = database.prepare(INSERT);

const app = new Hono();
app.post("/hit", async (c) => {
  const rows = rowsOf(await c.req.json(), c.req.header("user-agent") ?? "");
  if (rows.length > 1) database.exec("BEGIN");
  for (const row of rows) insert.run(...row);
  if (rows.length > 1) database.exec("COMMIT");
  return c.json({ accepted: rows.length });
});
app.get("/count", (c) => c.text(String(database.prepare("SELECT count(*) AS n FROM hits").get()?.["n"])));

const server = createServer((incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => void chunks.push(chunk));
  incoming.on("end", async () => {
    const method = incoming.method ?? "GET";
    const headers = { "user-agent": incoming.headers["user-agent"] ?? "" };
    const body = method === "GET" ? {} : { body: Buffer.concat(chunks) };
    const response = await app.fetch(new Request(`http://naive${incoming.url}`, { method, headers, ...body }));
    const text = await response.text();
    outgoing.writeHead(response.status, { "content-length": Buffer.byteLength(text) }).end(text);
  });
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
