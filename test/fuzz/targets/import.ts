// Files that are imported: bytes become lines the same however they are cut, lines become records, and rows are events
// that the collector can read, or say why they are none.

import { csvRow } from "../../../core/csv.ts";
import { native } from "../../../core/formats/native.ts";
import { BLANK_HIT } from "../../../core/hit.ts";
import { readLogLine } from "../../../scripts/import/access-log.ts";
import { splitRecord, toRecords } from "../../../scripts/import/csv-record.ts";
import { planColumns, readCsvRow } from "../../../scripts/import/csv-row.ts";
import { detectLine, refuseBytes } from "../../../scripts/import/detect.ts";
import type { FileLine } from "../../../scripts/import/file.ts";
import { parseObject, readJsonLine } from "../../../scripts/import/json-log.ts";
import { type TextLine, toLines } from "../../../scripts/import/line.ts";
import { OrderGatherer } from "../../../scripts/import/order-row.ts";
import type { Row } from "../../../scripts/import/row.ts";
import { OBJECT_SOURCES, TABLE_SOURCES } from "../../../scripts/import/source.ts";
import { readPosthog } from "../../../scripts/import/sources/posthog.ts";
import { readSegment } from "../../../scripts/import/sources/segment.ts";
import { readSnowplow } from "../../../scripts/import/sources/snowplow.ts";
import { w3cReader } from "../../../scripts/import/w3c-log.ts";
import { expectSame, expectThat, type Input, type Target, toBytes } from "../target.ts";

const STEPS = { fixed: 50_000, perCharacter: 600 };
const OPTIONS = { origin: undefined, assets: false };

export const targets: readonly Target[] = [
  {
    name: "import-csv",
    fields: { file: "lines", cut: "text" },
    words: [
      '""',
      '"',
      ";",
      "\t",
      "|",
      "timestamp",
      "visitor_id",
      "props.plan",
      "product.name",
      "order_id",
      "2026-11-21 10:00",
      "\r\n",
    ],
    seeds: () =>
      [
        'timestamp,url,visitor_id,revenue,currency,props.plan\n2026-11-21T10:00:00Z,https://shop.example/,v1,12.5,EUR,"a ""b"", c"\n',
        'date;page;order_no;product_name;price;items\r\n1795262400;/a;17;"Mat\r\nblue";6.25;\r\n1795262400;/a;17;Cup;3;\r\n',
        '\u00ef\u00bb\u00bfts\tname\tprops\tip\n1795262400000\tSign up\t{"a":1}\t203.0.113.7\n\n"open\n',
      ].map((file) => ({ file, cut: "\u0007" })),
    lengthMax: 3_000,
    steps: STEPS,
    run: runCsv,
  },
  {
    name: "import-line",
    fields: { file: "bytes", cut: "text" },
    words: [],
    seeds: () =>
      [
        "a\r\nb\rc\n\nd",
        "\u00ff\u00fea\0\n\0b\0\r\0\n\0",
        "\u00ef\u00bb\u00bfx\n\u00c3\u00a4\n\u00ff",
        "\u00fe\u00ff\0a\0\n",
      ].map((file) => ({
        file,
        cut: "\u0001\u0002",
      })),
    lengthMax: 600,
    steps: STEPS,
    run: runLines,
  },
  {
    name: "import-record",
    fields: { text: "text", delimiter: "text" },
    words: ['"', '""', ",", ";", "\n"],
    seeds: () =>
      [
        ['a,"b ""c""",', ","],
        ['x;"y;z";', ";"],
        ["=1+1\t@x", "\t"],
      ].map(([text = "", delimiter = ""]) => ({ text, delimiter })),
    lengthMax: 400,
    steps: STEPS,
    run: runRecord,
  },
  {
    name: "import-access-log",
    fields: { text: "text" },
    words: ["[21/Nov/2026:10:00:00 +0000]", '"GET / HTTP/1.1"', " 200 ", "\\x22", '"-"', "::1", "shop.example:443 "],
    seeds: () =>
      [
        '198.51.100.7 - - [21/Nov/2026:10:00:00 +0100] "GET /cart?x=1 HTTP/1.1" 200 512 "https://www.google.com/" "Mozilla/5.0 \\"x\\" \\xc3\\xa4"',
        'shop.example:443 2001:db8::7 - bob smith [10/Oct/2000:13:55:36 -0700] "GET https://a.example/b HTTP/1.0" 304 -',
        '1.2.3.4, 5.6.7.8 - - [31/Feb/2026:10:00:00 +0000] "POST /a HTTP/1.1" 500 1 "-" "-" 0.1',
        'Nov 21 10:00:00 web-1 nginx: 1.2.3.4 - - [21/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5',
      ].map((text) => ({ text })),
    lengthMax: 8_000,
    steps: STEPS,
    run: ({ text = "" }) => {
      checkDetected(text);
      checkRow(readLogLine(text, OPTIONS));
      checkRow(readLogLine(text, { origin: "https://shop.example", assets: true }));
    },
  },
  {
    name: "import-json-log",
    fields: { text: "json" },
    words: [
      "request",
      "uri",
      "status",
      "ts",
      "msec",
      "headers",
      "User-Agent",
      "remote_ip",
      "time_local",
      "X-Forwarded-For",
    ],
    seeds: () =>
      [
        {
          ts: 1795262400.5,
          request: {
            remote_ip: "1.2.3.4",
            method: "GET",
            host: "shop.example",
            uri: "/a",
            headers: { "User-Agent": ["x"] },
          },
          status: 200,
        },
        {
          time_local: "21/Nov/2026:10:00:00 +0000",
          request: "GET /a?b HTTP/1.1",
          status: "200",
          remote_addr: "::1",
          http_host: "s.example",
        },
        {
          EdgeStartTimestamp: 1795262400000000000,
          ClientRequestMethod: "GET",
          ClientRequestURI: "/",
          EdgeResponseStatus: 304,
        },
        { msg: "using adjacent Caddyfile" },
      ].map((value) => ({ text: JSON.stringify(value) })),
    lengthMax: 3_000,
    steps: STEPS,
    run: ({ text = "" }) => {
      checkDetected(text);
      checkRow(readJsonLine(text, OPTIONS));
      checkRow(readJsonLine(text, { origin: "https://shop.example", assets: true }));
    },
  },
  {
    name: "import-w3c-log",
    fields: { text: "lines" },
    words: [
      "#Fields: ",
      "#Date: ",
      "date",
      "time",
      "c-ip",
      "cs-method",
      "cs-uri-stem",
      "cs-uri-query",
      "sc-status",
      "cs(User-Agent)",
      "\t",
    ],
    seeds: () =>
      [
        "#Version: 1.0\n#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status cs(User-Agent) cs-host\n2026-11-21 10:00:00 1.2.3.4 GET /a%20b x=1 200 Mozilla/5.0+(x) shop.example",
        "#Fields: date\ttime\tc-ip\tcs-method\tcs-uri-stem\tsc-status\tcs(User-Agent)\tx-host-header\tcs-protocol\n2026-11-21\t10:00:00.5\t::1\tGET\t/a%2520b\t200\tMozilla%2520x\tshop.example\thttps",
        "#Start-Date: 2007-4-11 00:00\n#Fields: time cs-method cs-uri sc-status\n10:00:00 GET https://a.example/ 304",
      ].map((text) => ({ text })),
    lengthMax: 3_000,
    steps: STEPS,
    run: ({ text = "" }) => {
      const reader = w3cReader();
      for (const line of text.split("\n")) {
        if (reader.note(line)) continue;
        checkRow(reader.read(line, OPTIONS));
        checkRow(reader.read(line, { origin: "https://shop.example", assets: true }));
      }
    },
  },
  {
    name: "import-stored",
    fields: { text: "json" },
    words: [
      ...["uuid", "distinct_id", "$current_url", "$pageview", "$pageleave", "$device_id", "$geoip_country_code"],
      ...[
        "messageId",
        "anonymousId",
        "anonymous_id",
        "original_timestamp",
        "received_at",
        "event_text",
        "track",
        "page",
      ],
      ...["context_page_url", "Order Completed", "actionDetails", "idVisit", "ecommerceOrder", "itemDetails", "pageId"],
      ...["event_params", "line_items", "&amp;", "AT", "app://x/y", "2025-03-01T09:00:00Z", "1740819600"],
    ],
    seeds: () =>
      [
        {
          ...{ uuid: "u", event: "$pageview", distinct_id: "x", timestamp: "2025-03-01T09:00:00.123456Z" },
          properties: { $current_url: "https://a.example/", $ip: "203.0.113.9", $os: "iOS", order_id: "1", revenue: 2 },
        },
        {
          ...{ uuid: "u", event: "x", distinct_id: "$posthog_cookieless", timestamp: 1740819600 },
          properties: '{"a":1}',
        },
        {
          ...{ messageId: "m", type: "track", event: "Order Completed", anonymousId: "a", timestamp: "2025-03-01" },
          properties: {
            order_id: "1",
            revenue: "2.5",
            currency: "eur",
            products: [{ sku: "A", price: 1, quantity: 2 }],
          },
        },
        {
          ...{ id: "m", received_at: "", original_timestamp: "", timestamp: "2025-03-01 09:00:00 UTC", user_id: "u" },
          ...{ url: "https://a.example/", context_campaign_source: "news", context_ip: "::1" },
        },
        {
          ...{
            idVisit: "1",
            idSite: 1,
            visitorId: "ff",
            countryCode: "at",
            referrerType: "campaign",
            referrerName: "x",
          },
          actionDetails: [
            { type: "action", url: "https://a.example/", pageTitle: "A &amp; B", timestamp: 1740819600, pageId: 1 },
            {
              type: "ecommerceOrder",
              orderId: "1",
              revenue: 5,
              timestamp: 1740819600,
              itemDetails: [{ itemSKU: "A" }],
            },
          ],
        },
        {
          ...{ event_timestamp: "1740819600000000", event_name: "purchase", user_pseudo_id: "1" },
          event_params: [{ key: "page_location", value: { string_value: "https://a.example/" } }],
        },
        { id: 1, status: "completed", total: "1", date_created_gmt: "2025-03-01T09:00:00", line_items: [{ sku: "A" }] },
      ].map((value) => ({ text: JSON.stringify(value) })),
    lengthMax: 4_000,
    steps: STEPS,
    run: ({ text = "" }) => {
      const object = parseObject(text);
      if (object === undefined) return;
      for (const { open } of OBJECT_SOURCES)
        for (const row of open({ origin: undefined, refunds: true })(object) ?? []) checkStored(row);
      for (const read of [readPosthog, readSegment]) for (const row of read(object) ?? []) checkTaken(row);
    },
  },
  {
    name: "import-table",
    fields: { header: "text", row: "text" },
    words: [
      ",",
      "NULL",
      "\\N",
      "order",
      "2025-03-01 09:00:00",
      "idlink_va",
      "session_id",
      "event_data",
      "metadata.a_text",
    ],
    seeds: () =>
      [
        [
          "idsite,idvisit,idvisitor,server_time,idlink_va,type,url,url_prefix,title,idorder,revenue,currency,location_country,config_os",
          "1,2,FF,2025-03-01 09:00:00,3,1,a.example/x,2,A &lt; B,NULL,NULL,EUR,at,WIN",
        ],
        ["added_iso,hostname,path,query,session_id,datapoint", "2025-03-01T09:00:00Z,a.example,/,?a=b,s,"],
        [
          "Order,Name,Kind,Gateway,Created At,Status,Amount,Currency",
          "1,#1,refund,x,2025-03-01 09:00:00 +0200,success,5,EUR",
        ],
        [
          "session_id,event_id,url_path,event_type,created_at,browser,country,hostname,event_data",
          's,e,/a,1,2025-03-01 09:00:00,ios,AT,a.example,{"revenue":1}',
        ],
        [
          "id,received_at,original_timestamp,timestamp,anonymous_id,url",
          "m,,,2025-03-01 09:00:00,a,https://a.example/",
        ],
        ["2Path,Session,FirstVisit,Date", "/a,s,true,2025-03-01T09:00:00Z"],
      ].map(([header = "", row = ""]) => ({ header, row })),
    lengthMax: 3_000,
    steps: STEPS,
    run: ({ header = "", row = "" }) => {
      const [columns, values] = [header.split(","), row.split(",")];
      for (const { isHeader, open } of TABLE_SOURCES) {
        if (!isHeader(columns)) continue;
        const reader = open(columns, { origin: "https://shop.example", refunds: true });
        if (typeof reader === "string") expectThat(reader.length > 10, "a header is refused without a word");
        else for (const one of reader((column) => values[columns.indexOf(column)] ?? "")) checkStored(one);
      }
    },
  },
  {
    name: "import-snowplow",
    fields: { text: "text" },
    words: ["\t", "page_view", "page_ping", "unstruct", "struct", "transaction", "2025-03-01 09:00:00.000", "iglu:"],
    seeds: () =>
      ["page_view", "page_ping", "struct", "unstruct", "transaction", "transaction_item"].map((event) => {
        const values = Array.from({ length: 131 }, () => "");
        values[3] = "2025-03-01 09:00:00.000";
        values[5] = event;
        values[6] = "c6ef3124-b53a-4b13-a233-0088f79dcbcb";
        values[15] = "d";
        values[29] = "https://a.example/";
        values[54] = "play";
        values[58] = '{"data":{"schema":"iglu:com.acme/x/jsonschema/1-0-0","data":{"a":1}}}';
        return { text: values.join("\t") };
      }),
    lengthMax: 4_000,
    steps: STEPS,
    run: ({ text = "" }) => {
      checkDetected(text);
      checkTaken(readSnowplow(text.split("\t")));
    },
  },
];

/** Bytes cut into pieces whose lengths a text says. */
async function* piecesOf(bytes: Uint8Array, cut: string): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let index = 0; at < bytes.length; index++) {
    const length = index < cut.length ? (cut.charCodeAt(index) % 64) + 1 : bytes.length;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

async function listOf<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function linesOf({ file = "", cut = "" }: Input): Promise<readonly TextLine[]> {
  return await listOf(toLines(piecesOf(toBytes(file), cut)));
}

async function runLines(input: Input): Promise<void> {
  const lines = await linesOf(input);
  expectSame(await linesOf({ ...input, cut: "" }), lines, "a file in other pieces has other lines");
  for (const [index, { text, number, isCut }] of lines.entries()) {
    expectSame(number, index + 1, "a line is counted twice or not at all");
    expectThat(!/[\r\n]/.test(text) && !isCut, "a line holds the end of one");
  }
  refuseBytes(toBytes(input["file"] ?? ""));
}

async function runCsv(input: Input): Promise<void> {
  const lines = await linesOf(input);
  const first = lines.find(({ text }) => text.trim() !== "")?.text ?? "";
  checkDetected(first);
  const detected = detectLine(first);
  const delimiter = detected.ok && detected.format.kind === "csv" ? detected.format.delimiter : ",";
  const records = await listOf(toRecords(each(lines), delimiter));
  let last = 0;
  for (const record of records) {
    expectThat(record.first > last && record.last >= record.first, "records lie over each other");
    last = record.last;
  }
  const [header, ...rest] = records;
  if (header === undefined) return;
  const planned = planColumns(header.values, new Map());
  if (!planned.ok) {
    expectThat(planned.why.length > 10, "a header is refused without a word");
    return;
  }
  const gatherer = new OrderGatherer();
  let rows = 0;
  for (const { values, first: number, problem } of rest) {
    if (problem !== undefined) continue;
    const row = readCsvRow(values, planned.plan, undefined);
    checkRow(row);
    const place = { line: number, chain: "" };
    const line: FileLine = { values, number, problem, before: place, place, bytesRead: 0 };
    for (const complete of gatherer.add({ line, row })) {
      checkRow(complete.row);
      rows += 1;
    }
  }
  for (const complete of gatherer.rest()) {
    checkRow(complete.row);
    rows += 1;
  }
  expectThat(rows <= rest.length, "there are more rows than records");
}

function runRecord({ text = "", delimiter = "" }: Input): void {
  const sign = delimiter.charAt(0) || ",";
  if (sign === '"') return;
  const fields = splitRecord(text, sign);
  if (typeof fields === "string") {
    expectThat(text.includes('"'), "a record without quotes has wrong ones");
    return;
  }
  const written = fields.map((field) => `"${field.replaceAll('"', '""')}"`).join(sign);
  expectSame(splitRecord(written, sign), fields, "fields in quotes are other ones");
  const line = csvRow(fields);
  // Apostrophes stand before what would be a formula (EXP-6): apart from them it is the same.
  const bare = (cells: readonly string[]) => cells.map((cell) => cell.replaceAll("'", ""));
  const read = splitRecord(line.slice(0, -2), ",");
  expectThat(typeof read !== "string", "what we write as CSV is no record");
  expectSame(bare(read as readonly string[]), bare(fields), "what we write as CSV is read otherwise");
}

function checkDetected(line: string): void {
  const detected = detectLine(line);
  if (!detected.ok) expectThat(detected.why.startsWith("this looks like "), "a file is refused without a word");
}

/** The row of a product's file: who bought may be known by an order or an address. */
function checkStored(row: Row): void {
  const isKnown = row.kind === "event" && row.visitor !== undefined;
  if (isKnown) expectThat(row.visitor !== "", "a visitor is nobody");
  checkRow(isKnown ? { ...row, visitor: `2025-03-01|${row.visitor}` } : row);
}

/** The same of what a live format has read: the collector takes it as it is. */
function checkTaken(row: Row): void {
  checkStored(row);
  if (row.kind !== "event") return;
  const body = JSON.stringify({ tracking_id: "t", ...row.event });
  const parsed = native.parse({ ...BLANK_HIT, body, receivedAt: 4e12, keyed: true });
  const [draft] = parsed.ok ? parsed.value : [];
  expectThat(draft?.ok === true, `the collector refuses what a live format took: ${JSON.stringify(draft)}`);
}

/** An event that the collector reads, or a reason. */
function checkRow(row: Row): void {
  if (row.kind === "skipped") {
    expectThat(row.reason.length > 3 && row.reason.length < 100, `a row is skipped for ${row.reason}`);
    return;
  }
  if (row.kind === "rejected") {
    expectThat(row.code !== "" && row.message.length > 10, "a row is rejected without a word");
    return;
  }
  const { event, visitor } = row;
  expectThat(Number.isSafeInteger(event.timestamp), `a row's time is ${event.timestamp}`);
  if (visitor !== undefined) expectThat(/^[^|]*\|/.test(visitor), "a visitor has no date");
  const body = JSON.stringify({ tracking_id: "t", ...event });
  expectSame(JSON.parse(body), { tracking_id: "t", ...event }, "a row is another event when it is sent");
  expectThat(native.parse({ ...BLANK_HIT, body, receivedAt: 4e12 }).ok, "a row is no event to the collector");
}
