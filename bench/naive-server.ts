// `node bench/naive-server.ts <file or postgres://…>`: Hono on Node with one INSERT for each event, into SQLite or
// PostgreSQL, each durable before it is answered. Prints its address and runs until it is killed. Two rivals of
// bench/ingest.ts.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { Hono } from "hono";
import pg from "pg";
import { INSERT, POSTGRES_INSERT, rowsOf, TABLE } from "./naive.ts";

type Rows = ReturnType<typeof rowsOf>;

interface Store {
  /** Inserts the rows of a request in one transaction. */
  readonly insert: (rows: Rows) => void | Promise<void>;
  readonly count: () => number | Promise<number>;
}

function openSqlite(file: string): Store {
  const database = new DatabaseSync(file);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec(TABLE);
  const insert = database.prepare(INSERT);
  return {
    insert: (rows) => {
      if (rows.length > 1) database.exec("BEGIN");
      for (const row of rows) insert.run(...row);
      if (rows.length > 1) database.exec("COMMIT");
    },
    count: () => Number(database.prepare("SELECT count(*) AS n FROM hits").get()?.["n"]),
  };
}

/** A pool of as many connections as the client has by itself, and a statement that is prepared once in each. */
async function openPostgres(connectionString: string): Promise<Store> {
  const pool = new pg.Pool({ connectionString });
  await pool.query(TABLE);
  const insertOne = (client: pg.Pool | pg.PoolClient, row: Rows[number]) =>
    client.query({ name: "insert", text: POSTGRES_INSERT, values: row });
  return {
    insert: async (rows) => {
      const [only, ...others] = rows;
      if (only !== undefined && others.length === 0) {
        await insertOne(pool, only);
        return;
      }
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        for (const row of rows) await insertOne(client, row);
        await client.query("COMMIT");
      } finally {
        client.release();
      }
    },
    count: async () => Number((await pool.query("SELECT count(*) AS n FROM hits")).rows[0]?.n),
  };
}

const place = process.argv[2] ?? ":memory:";
const store = place.startsWith("postgres:") ? await openPostgres(place) : openSqlite(place);

const app = new Hono();
app.post("/hit", async (c) => {
  const rows = rowsOf(await c.req.json(), c.req.header("user-agent") ?? "");
  await store.insert(rows);
  return c.json({ accepted: rows.length });
});
app.get("/count", async (c) => c.text(String(await store.count())));

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
