// Where `footfall rates import` finds its file: on disk, on the standard input, or at an address; as it is, or in the
// zip archive of one file that the European Central Bank offers.

import { readFileSync } from "node:fs";
import { inflateRawSync } from "node:zlib";
import { RATE_FILE_LENGTH_MAX, RATES_FETCH_MS } from "../../core/limits.ts";
import { messageOf, Problem } from "../problem.ts";

/** The text of a file of rates. */
export async function readRateSource(source: string): Promise<string> {
  const bytes = /^https?:\/\//i.test(source) ? await download(source) : readLocal(source);
  return unpacked(bytes, source).toString("utf8");
}

function readLocal(file: string): Buffer {
  try {
    return readFileSync(file === "-" ? 0 : file);
  } catch (error) {
    throw new Problem(`${file} cannot be read: ${messageOf(error)}`);
  }
}

async function download(url: string): Promise<Buffer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(RATES_FETCH_MS) });
    if (!response.ok) throw new Error(`it answers ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  } catch (error) {
    throw new Problem(`${url} cannot be read: ${messageOf(error)}`);
  }
}

const LOCAL_HEADER = 0x04034b50;
const DIRECTORY_HEADER = 0x02014b50;
const DIRECTORY_END = 0x06054b50;
const DEFLATED = 8;

/** What is in a zip archive of one file; other bytes as they are. */
export function unpacked(bytes: Buffer, source: string): Buffer {
  if (bytes.length < 4 || bytes.readUInt32LE(0) !== LOCAL_HEADER) return bytes;
  try {
    return readOnlyEntry(bytes);
  } catch (error) {
    throw new Problem(
      `${source} is a zip archive that cannot be read (${messageOf(error)}); unpack it and import the file`,
    );
  }
}

/** The directory at the end knows the lengths: the header before the data need not. */
function readOnlyEntry(bytes: Buffer): Buffer {
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || bytes.readUInt32LE(end) !== DIRECTORY_END) throw new Error("its end is missing");
  if (bytes.readUInt16LE(end + 10) !== 1) throw new Error("it has more than one file");
  const entry = bytes.readUInt32LE(end + 16);
  if (bytes.readUInt32LE(entry) !== DIRECTORY_HEADER) throw new Error("its directory is missing");
  const method = bytes.readUInt16LE(entry + 10);
  const header = bytes.readUInt32LE(entry + 42);
  const start = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28);
  const data = bytes.subarray(start, start + bytes.readUInt32LE(entry + 20));
  if (method === 0) return data;
  if (method !== DEFLATED) throw new Error("it is packed in an unknown way");
  return inflateRawSync(data, { maxOutputLength: RATE_FILE_LENGTH_MAX });
}
