// A Worker around the archive's codecs, for the test that runs them in the real runtime: a bundle's text comes in, is
// packed and unpacked, written as Parquet and read back. The answer is the first Parquet object.

import { filesOf } from "../../core/archive/file.ts";
import { packBundle, unpackBundle } from "../../storage/archive/bundle-message.ts";
import { encodeParquet, readParquet } from "../../storage/archive/parquet.ts";

export default {
  async fetch(request: Request): Promise<Response> {
    const message = packBundle(await request.text());
    const [file] = filesOf(unpackBundle(message));
    if (file === undefined) return new Response("empty", { status: 400 });
    const bytes = encodeParquet(file);
    if (JSON.stringify(await readParquet(bytes)) !== JSON.stringify(file))
      return new Response("differs", { status: 500 });
    return new Response(bytes, { headers: { "x-message-bytes": String(message.length) } });
  },
};
