// GET /api/openapi.json and GET /api/reference. Each is made once per isolate and is the same for everybody, so it may
// be cached.

import type { Context } from "hono";
import { documentOf } from "./document.ts";
import { REFERENCE_POLICY, referenceOf } from "./reference.ts";

const CACHED = { "cache-control": "public, max-age=300", "x-content-type-options": "nosniff" };

let made: { readonly json: string; readonly html: string } | undefined;

export function sendDocument(c: Context): Response {
  // Any page may read the document, since it says nothing about anybody.
  const headers = { ...CACHED, "content-type": "application/json", "access-control-allow-origin": "*" };
  return c.body(textsOf().json, 200, headers);
}

export function sendReference(c: Context): Response {
  const headers = { "content-type": "text/html; charset=utf-8", "content-security-policy": REFERENCE_POLICY };
  return c.body(textsOf().html, 200, { ...CACHED, ...headers });
}

function textsOf() {
  if (made === undefined) {
    const document = documentOf();
    made = { json: JSON.stringify(document), html: referenceOf(document) };
  }
  return made;
}
