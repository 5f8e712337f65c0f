// What kind of file it is, by its first bytes and its first line that says something. What cannot be read is refused by
// name, with what to do about it: a file of another kind would otherwise be taken for a CSV without a column for the
// time.

import { parseLogLine, SYSLOG_HEAD } from "./access-log.ts";
import { parseObject } from "./json-log.ts";
import { isMatomo } from "./sources/matomo.ts";
import { isSnowplow } from "./sources/snowplow.ts";

export type FileFormat =
  /** Lines in the combined log format. */
  | { readonly kind: "log" }
  /** A JSON object a line. */
  | { readonly kind: "json" }
  /** The W3C's extended log format. */
  | { readonly kind: "w3c" }
  /** Rows of a Parquet file, each of which is read as an object. */
  | { readonly kind: "parquet" }
  /** Values between tabs, none of them in quotes: what Snowplow writes, and `mysql --batch`. */
  | { readonly kind: "tabs" }
  | { readonly kind: "csv"; readonly delimiter: string };

/** A format, or why the file is refused: "this looks like …; …". */
export type Detected =
  | { readonly ok: true; readonly format: FileFormat }
  | { readonly ok: false; readonly why: string };

/** First bytes of what is no text, and what to do with it. */
const MAGIC: readonly (readonly [bytes: readonly number[], what: string, remedy: string])[] = [
  [[0x50, 0x4b, 0x03, 0x04], "an Excel workbook or a zip archive", "save the sheet as CSV, or unzip it first"],
  [[0xd0, 0xcf, 0x11, 0xe0], "an old Excel workbook", "save the sheet as CSV (UTF-8)"],
  [[0x42, 0x5a, 0x68], "a bzip2 file", "unpack it first: bunzip2 <file>"],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "an xz file", "unpack it first: unxz <file>"],
  [[0x28, 0xb5, 0x2f, 0xfd], "a Zstandard file", "unpack it first: unzstd <file>"],
  [
    [0x53, 0x51, 0x4c, 0x69, 0x74, 0x65],
    "an SQLite database",
    "export a table as CSV: sqlite3 -header -csv <file> 'SELECT …'",
  ],
  [[0x50, 0x41, 0x52, 0x45], "a Parquet file with an encrypted footer", "write it again without encryption"],
  [[0x25, 0x50, 0x44, 0x46], "a PDF", "export the numbers as CSV instead"],
];

/** What a file of these first bytes is, where it is no text. */
export function refuseBytes(head: Uint8Array): string | undefined {
  const found = MAGIC.find(([bytes]) => bytes.every((byte, index) => head[index] === byte));
  return found === undefined ? undefined : sentence(found[1], found[2]);
}

/** Whether a file of these first bytes is one of Parquet. */
export function isParquet(head: Uint8Array): boolean {
  return [0x50, 0x41, 0x52, 0x31].every((byte, index) => head[index] === byte);
}

const TO_CSV = "convert it to CSV with a column each for timestamp, url and visitor_id";
/** Lines of what is text and cannot be read. Those of logs begin as the servers write them. */
const FOREIGN: readonly (readonly [line: RegExp, what: string, remedy: string])[] = [
  [/^\s*\[/, "one JSON array", "convert it with `jq -c '.[]'` to an object a line"],
  [/^\s*\{\s*$/, "JSON over several lines", "convert it with `jq -c .` to an object a line"],
  [/^\s*<(?:\?xml|!doctype|html|[a-z]+[\s>])/i, "XML or HTML", TO_CSV],
  [/^(?:--|\/\*|INSERT INTO|CREATE TABLE|BEGIN;|PRAGMA )/i, "an SQL dump", "load it, and export the table as CSV"],
  [
    /^(?:https?|h2|grpcs?|wss?) \d{4}-\d\d-\d\dT[\d:.]+Z \S+ \S+:\d+ /,
    "an access log of an AWS load balancer",
    `${TO_CSV}; for example by Athena or duckdb`,
  ],
  [
    /^[0-9a-f]{64} \S+ \[\d\d\/[A-Z][a-z]{2}\/\d{4}:/,
    "an access log of Amazon S3",
    "convert it with `cut -d' ' -f3-5,8-` and the like to the combined format, or to CSV",
  ],
  [
    /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[\w+\] /,
    "an error log of nginx",
    "import the access log instead (access_log in nginx.conf names it)",
  ],
  [
    /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d(?:\.\d+)?\t[A-Z]+\t/,
    "Caddy's log for the console",
    "let it log JSON (`format json` in its Caddyfile's log block)",
  ],
  [
    /^\[[A-Z][a-z]{2} [A-Z][a-z]{2} [\d ]\d \d\d:\d\d:\d\d/,
    "an error log of Apache",
    "import the access log instead (CustomLog in its configuration names it)",
  ],
  [
    SYSLOG_HEAD,
    "syslog (lines that begin with a time, a host and a program)",
    "convert it with `sed -E 's/^.{15} [^ ]+ [^ ]+: //'`, which takes that head off each line",
  ],
  [
    /^(?:\S+ )?[\d.:]+:\d+ \[\d\d\/\w{3}\/\d{4}:[\d:.]+\] \S+ \S+\/\S+ /,
    "a log of HAProxy",
    "let it log in the combined format (`option httplog clf`)",
  ],
  [
    /^\d{9,10}\.\d{3} +\d+ \S+ [A-Z_]+\/\d{3} /,
    "Squid's native log",
    "let it log in the combined format (`logformat combined`)",
  ],
  [
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d .*\b(?:GET|POST|HEAD) \//,
    "an IIS log without its head",
    "put its `#Fields: …` line before the first one",
  ],
];

/** What a file is that begins with this line. */
export function detectLine(line: string): Detected {
  // Apache's error log begins with "[" as well, so what is more particular is asked first.
  const foreign = [...FOREIGN.slice(1), FOREIGN[0] as (typeof FOREIGN)[number]].find(([pattern]) => pattern.test(line));
  if (parseLogLine(line) !== undefined) return found({ kind: "log" });
  if (/^#\s*(?:Version|Fields|Software|Date|Start-Date|Remark):/i.test(line)) return found({ kind: "w3c" });
  const object = parseObject(line);
  if (typeof object?.["log"] === "string" && "stream" in object) {
    return {
      ok: false,
      why: sentence("Docker's log of a container", "convert it with `jq -rj .log`, which takes its envelope off"),
    };
  }
  if (object !== undefined) return found({ kind: "json" });
  if (foreign !== undefined) return { ok: false, why: sentence(foreign[1], foreign[2]) };
  if (/^\s*\{/.test(line)) return { ok: false, why: sentence("broken JSON", "each line must be an object of its own") };
  if (line.includes("\0")) {
    const remedy = "convert it to text in UTF-8 first";
    return { ok: false, why: sentence("no text (it holds zero bytes)", remedy) };
  }
  const values = line.split("\t");
  if (isSnowplow(values) || (isMatomo(values) && !line.includes('"'))) return found({ kind: "tabs" });
  return found({ kind: "csv", delimiter: delimiterOf(line) });
}

/** What separates the columns of a header, by their number. Quoted parts do not count. */
function delimiterOf(header: string): string {
  const bare = header.replace(/"[^"]*"/g, "");
  const counts = [",", ";", "\t", "|"].map((delimiter) => ({ delimiter, count: bare.split(delimiter).length }));
  const [best] = counts.sort((a, b) => b.count - a.count);
  return best?.delimiter ?? ",";
}

function found(format: FileFormat): Detected {
  return { ok: true, format };
}

function sentence(what: string, remedy: string): string {
  return `this looks like ${what}; ${remedy}`;
}
