// Parquet files of other products: rows of every type and packing, nested records and lists in each form that writers
// give them, and what is refused. DuckDB writes most of them; lists as BigQuery once wrote them, hyparquet-writer.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { afterAll, expect, test } from "vitest";
import { parquetRows } from "../../scripts/import/parquet-file.ts";
import { Problem } from "../../scripts/problem.ts";
import { importing } from "../support/import-lines.ts";
import { parquetOf } from "../support/parquet-of.ts";

const run = importing();
const folder = mkdtempSync(join(tmpdir(), "footfall-parquet-"));
afterAll(() => rmSync(folder, { recursive: true }));

const properties = JSON.stringify({
  ...{ $current_url: "https://shop.example/", $device_id: "d1", $browser: "Chrome", $geoip_country_code: "AT" },
});
const posthog = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    ...{ uuid: `u${index}`, event: "$pageview", distinct_id: "x", person_id: "p", properties, elements_chain: "" },
    ...{ person_properties: "{}", created_at: "2025-03-01 09:00:01", timestamp: "2025-03-01 09:00:00.123456" },
  }));
/** As PostHog types them. */
const TYPED = "SELECT * REPLACE (timestamp::TIMESTAMPTZ AS timestamp, created_at::TIMESTAMPTZ AS created_at) FROM rows";

test.each(["uncompressed", "snappy", "gzip", "zstd", "brotli"])(
  "[IMP-32] PostHog's Parquet, packed with %s, comes to what its JSON lines do",
  async (codec) => {
    const { events, rejected } = await run(await parquetOf(posthog(3), `, COMPRESSION ${codec}`, TYPED));
    expect(rejected).toEqual([]);
    expect(events).toMatchObject([{ id: "u0" }, { id: "u1" }, { id: "u2" }]);
    expect(events[0]).toEqual({
      ...{ id: "u0", url: "https://shop.example/", timestamp: Date.UTC(2025, 2, 1, 9, 0, 0, 123), visitor_id: "d1" },
      ...{ browser: "Chrome", country: "AT" },
    });
  },
);

test("[IMP-32] row groups are read one after the other, each row once, and as far as the file is", async () => {
  const bytes = await parquetOf(posthog(5_000), ", ROW_GROUP_SIZE 2048");
  const path = join(folder, "groups.parquet");
  writeFileSync(path, bytes);
  const ids: string[] = [];
  let share = 0;
  for await (const row of parquetRows(path)) {
    ids.push((JSON.parse(row.text) as { uuid: string }).uuid);
    expect(row.share).toBeGreaterThan(share);
    share = row.share;
  }
  expect(ids).toEqual(posthog(5_000).map(({ uuid }) => uuid));
  expect(share).toBe(1);
});

const param = (key: string, string_value: string | null, int_value: number | null = null) => ({
  key,
  value: { string_value, int_value, float_value: null, double_value: null },
});
/** Columns of GA4's export that an import reads, and some that it does not. */
const GA4 = [
  {
    ...{ event_date: "20250901", event_timestamp: 1_756_720_800_123_456, event_name: "page_view" },
    event_params: [
      param("page_location", "https://shop.example/mats"),
      param("page_referrer", "https://www.google.com/"),
      param("ga_session_id", null, 1_756_720_800),
    ],
    ...{ user_pseudo_id: "123.456", user_properties: [], privacy_info: { analytics_storage: "Yes" } },
    device: { category: "mobile", operating_system: "iOS", language: "de-at", web_info: { browser: "Safari" } },
    geo: { country: "Austria", region: "Vienna", city: "(not set)" },
    ...{ ecommerce: { transaction_id: null, purchase_revenue: null }, items: [] },
  },
  {
    ...{ event_date: "20250901", event_timestamp: 1_756_720_860_000_000, event_name: "purchase" },
    event_params: [param("value", null, 20), param("currency", "EUR")],
    ...{ user_pseudo_id: "123.456", user_properties: [], privacy_info: { analytics_storage: "Yes" } },
    device: { category: "mobile", operating_system: "iOS", language: "de-at", web_info: { browser: "Safari" } },
    geo: { country: "Austria", region: "Vienna", city: "(not set)" },
    ecommerce: { transaction_id: "T1", purchase_revenue: 20 },
    items: [
      { item_id: "A1", item_name: "Mat", price: 5, quantity: 2 },
      { item_id: "B2", item_name: "Mug", price: 10, quantity: 1 },
    ],
  },
];
const FACTS = { visitor_id: "123.456", country: "AT", browser: "Safari", os: "iOS", device: "mobile" };
const WANTED = [
  {
    ...{
      url: "https://shop.example/mats",
      referrer: "https://www.google.com/",
      timestamp: 1_756_720_800_123,
      ...FACTS,
    },
  },
  {
    ...{ name: "purchase", order_id: "T1", revenue: { amount: 20, currency: "EUR" }, ...FACTS },
    products: [
      { id: "A1", name: "Mat", price: 5, quantity: 2 },
      { id: "B2", name: "Mug", price: 10, quantity: 1 },
    ],
  },
];

test("[IMP-32] GA4's BigQuery export in Parquet: records in lists in records, as in its JSON lines", async () => {
  const { events, rejected } = await run(await parquetOf(GA4, ", COMPRESSION snappy"));
  expect(rejected).toEqual([]);
  expect(events).toMatchObject(WANTED);
  const lines = await run(GA4.map((row) => JSON.stringify(row)));
  const bare = (list: readonly object[]) => list.map((event) => ({ ...event, id: "" }));
  expect(bare(lines.events.slice(-2))).toEqual(bare(events));
});

type Element = ConstructorParameters<typeof ParquetWriter>[0]["schema"][number];
const text = (name: string): Element => ({
  ...{ name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
});
const group = (name: string, num_children: number, repetition_type: Element["repetition_type"]): Element =>
  repetition_type === undefined ? { name, num_children } : { name, num_children, repetition_type };
const INTEGER: Element = { name: "int_value", type: "INT64", repetition_type: "OPTIONAL" };
const PARAM = [text("key"), group("value", 2, "OPTIONAL"), text("string_value"), INTEGER];
const ROW: readonly Element[] = [
  group("root", 4, undefined),
  { name: "event_timestamp", type: "INT64", repetition_type: "OPTIONAL" },
  text("event_name"),
  text("user_pseudo_id"),
];
const ROWS = [
  [{ key: "page_location", value: { string_value: "https://shop.example/a", int_value: null } }],
  [
    { key: "page_location", value: { string_value: "https://shop.example/b", int_value: null } },
    { key: "ga_session_id", value: { string_value: null, int_value: 7n } },
    { key: "page_title", value: { string_value: "B", int_value: null } },
  ],
];

interface Form {
  /** What holds the records of a list, in a `list` that is repeated. */
  readonly item: string;
  /** Whether the schema says that it is a list. */
  readonly isSaid: boolean;
  /** Whether the list is repeated by itself, with nothing around a record. */
  readonly isBare?: boolean;
}

/** Two page views whose parameters are a list in one of the forms that writers give them. */
function formed({ item, isSaid, isBare = false }: Form): Uint8Array {
  const outer: Element = group("event_params", 1, isBare ? "REQUIRED" : "OPTIONAL");
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({
    writer: bytes,
    schema: [
      ...ROW,
      { ...outer, ...(isSaid && { converted_type: "LIST" as const }) },
      group("list", 1, "REPEATED"),
      group(item, 2, isBare ? "REQUIRED" : "OPTIONAL"),
      ...PARAM,
    ],
  });
  const columnData = [
    { name: "event_timestamp", data: ROWS.map((_, index) => 1_756_720_800_000_000n + BigInt(index) * 1_000_000n) },
    { name: "event_name", data: ROWS.map(() => "page_view") },
    { name: "user_pseudo_id", data: ["a", "b"] },
    { name: "event_params", data: ROWS.map((params) => (isSaid ? params : { list: params })) },
  ];
  writer.write({ columnData });
  // The writer has no lists without a `list`; their values lie in the same way, under shorter names.
  if (isBare) {
    writer.schema = [...ROW, group("event_params", 2, "REPEATED"), ...PARAM];
    for (const { meta_data } of writer.row_groups.flatMap(({ columns }) => columns))
      if (meta_data !== undefined)
        meta_data.path_in_schema = meta_data.path_in_schema.filter((name) => ![item, "list"].includes(name));
  }
  writer.finish();
  return new Uint8Array(bytes.getBuffer());
}

test.each<Form>([
  { item: "element", isSaid: true },
  { item: "item", isSaid: true },
  { item: "element", isSaid: false },
  { item: "item", isSaid: false },
  { item: "element", isSaid: true, isBare: true },
])("[IMP-32] a list of the form %j is read", async (form) => {
  const { events, rejected } = await run(formed(form));
  expect(rejected).toEqual([]);
  expect(events).toMatchObject([
    { url: "https://shop.example/a", visitor_id: "a", timestamp: 1_756_720_800_000 },
    { url: "https://shop.example/b", visitor_id: "b", timestamp: 1_756_720_801_000, title: "B" },
  ]);
});

test("[IMP-32] a Parquet file of nothing known, and one that is cut, are refused with what to do", async () => {
  const foreign = await parquetOf([{ a: 1 }, { a: 2 }]);
  await expect(run(foreign)).rejects.toThrow(/none of the products that are known; convert it to CSV: duckdb/);
  const whole = await parquetOf(posthog(3));
  await expect(run(whole.subarray(0, whole.length - 20))).rejects.toThrow(/cannot read .* as Parquet: /);
  await expect(run(await parquetOf(posthog(3), ", COMPRESSION lz4_raw"))).rejects.toThrow(
    /as Parquet: .*compression codec.*; write it with Snappy, gzip or zstd/,
  );
});

test("[IMP-32] whatever a broken file holds, its rows are read or it is refused with its name", async () => {
  const whole = await parquetOf(posthog(200), ", COMPRESSION snappy");
  const path = join(folder, "broken.parquet");
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
    return (seed >> 8) % below;
  };
  let refused = 0;
  for (let round = 0; round < 100; round++) {
    const bytes = Uint8Array.from(whole);
    // Half of the time in the footer, which says where everything is.
    const from = round % 2 === 0 ? Math.max(bytes.length - 1_200, 0) : 0;
    bytes[from + random(bytes.length - from)] = random(256);
    writeFileSync(path, bytes);
    try {
      for await (const { text } of parquetRows(path)) JSON.parse(text);
    } catch (error) {
      expect(error).toBeInstanceOf(Problem);
      expect((error as Problem).message).toContain(`cannot read ${path} as Parquet: `);
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(10);
});
