// Files of Umami's Cloud, joined by the very statement of docs/import.md, and what their events become.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect, test } from "vitest";
import { importing } from "../support/import-lines.ts";

const DOC = readFileSync(join(import.meta.dirname, "../../docs/import.md"), "utf8");
const STATEMENT = /### Umami[\s\S]*?joined by \[DuckDB\][\s\S]*?```sql\n(COPY [\s\S]*?)```/.exec(DOC)?.[1] ?? "";
const run = importing();

const EVENTS = `website_id,session_id,visit_id,event_id,hostname,browser,os,device,screen,language,country,region,city,url_path,url_query,referrer_path,referrer_query,referrer_domain,page_title,event_type,event_name,tag,distinct_id,created_at,job_id
w,s1,x,e1,shop.example,chrome,Windows 10,desktop,1920x1080,de-AT,AT,AT-9,Vienna,/,utm_source=news,,,,"Home, sweet",1,,,,2025-06-01 10:00:00,
w,s1,x,e2,shop.example,chrome,Windows 10,desktop,1920x1080,de-AT,AT,AT-9,Vienna,/done,,,,,Done,2,purchase,,,2025-06-01 10:01:00,
w,s2,y,e3,shop.example,ios,iOS,mobile,390x844,en,DE,,,/,,,,,Home,2,signup,,u7,2025-06-01 11:00:00,
`;
const DATA = `website_id,session_id,event_id,url_path,event_name,data_key,string_value,number_value,date_value,data_type,created_at,job_id
w,s1,e2,/done,purchase,revenue,20.5000,20.5000,,2,2025-06-01 10:01:00,
w,s1,e2,/done,purchase,currency,EUR,,,1,2025-06-01 10:01:00,
w,s1,e2,/done,purchase,order_id,17,,,1,2025-06-01 10:01:00,
w,s2,e3,/,signup,plan,"""pro"", yearly",,,1,2025-06-01 11:00:00,
w,s2,e3,/,signup,since,,,2025-01-02 00:00:00,4,2025-06-01 11:00:00,
`;

test("[IMP-28] files of Umami's Cloud, joined as documented, have their properties, money and order numbers", async () => {
  const folder = mkdtempSync(join(tmpdir(), "footfall-umami-"));
  try {
    for (const [name, text] of [
      ["website_event.csv", EVENTS],
      ["event_data.csv", DATA],
    ] as const)
      writeFileSync(join(folder, name), text);
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    await connection.run(STATEMENT.replace(/'([\w.]+\.csv)'/g, (_, name: string) => `'${join(folder, name)}'`));
    connection.closeSync();
    const { events, rejected } = await run(new Uint8Array(readFileSync(join(folder, "umami.csv"))));
    expect(rejected).toEqual([]);
    const sorted = events.toSorted((a, b) => Number(a["timestamp"]) - Number(b["timestamp"]));
    expect(sorted).toMatchObject([
      { id: "e1", url: "https://shop.example/?utm_source=news", title: "Home, sweet", visitor_id: "s1", country: "AT" },
      { id: "e2", name: "purchase", order_id: "17", revenue: { amount: 20.5, currency: "EUR" } },
      { id: "e3", name: "signup", visitor_id: "u7", props: { plan: '"pro", yearly', since: "2025-01-02 00:00:00" } },
    ]);
    expect(sorted[0]).not.toHaveProperty("props");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
