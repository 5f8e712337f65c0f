// Holds what the API answers against its own OpenAPI document. Every call that a test makes of the admin
// API, of questions and of the native format goes through here (services.ts), so the document is tried
// by all that the tests do.

import { createRequire } from "node:module";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import type { FormatsPlugin } from "ajv-formats";
import { type DocumentedOperation, documentOf } from "../../workers/query/openapi/document.ts";

export const DOCUMENT = documentOf();

const ajv = new Ajv2020({ strict: false, allErrors: true });
const addFormats = createRequire(import.meta.url)("ajv-formats") as FormatsPlugin; // its default export has no ES form
addFormats(ajv);
ajv.addSchema(DOCUMENT, "api");

const OPERATIONS = Object.entries(DOCUMENT.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    method,
    path,
    pattern: new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}$`),
    operation,
  })),
);

/**
 * The operation that a request is of. One whose path has no parameter goes first: "/rules/versions" is not a version.
 */
function operationOf(method: string, path: string) {
  const [bare = ""] = path.split("?");
  const found = OPERATIONS.filter((one) => one.method === method.toLowerCase() && one.pattern.test(bare));
  return found.sort((a, b) => a.path.split("{").length - b.path.split("{").length)[0];
}

const validators = new Map<string, ValidateFunction>();

/** A validator of a place in the document, such as "#/components/schemas/Merchant". */
export function validatorAt(pointer: string): ValidateFunction {
  const known = validators.get(pointer) ?? ajv.compile({ $ref: `api${pointer}` });
  validators.set(pointer, known);
  return known;
}

/** What is wrong with an answer by the document; undefined when nothing is. */
function undocumented(
  { method, path }: { readonly method: string; readonly path: string },
  { status, body }: { readonly status: number; readonly body: unknown },
): string | undefined {
  const found = operationOf(method, path);
  if (found === undefined) return `${method} ${path} is not documented`;
  const { responses } = found.operation as DocumentedOperation;
  const as = status in responses ? String(status) : "default";
  if (as === "default" && status < 400) return `${method} ${path} answers ${status}, which is not documented`;
  const place = [found.path, found.method, "responses", as, "content", "application/json", "schema"];
  const pointer = place.map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1")).map(encodeURIComponent);
  const validate = validatorAt(`#/paths/${pointer.join("/")}`);
  if (validate(body)) return undefined;
  return `${method} ${path} ${status}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(body).slice(0, 1_000)}`;
}

/** Throws where an answer is not what the document says. */
export function expectDocumented(...given: Parameters<typeof undocumented>): void {
  const wrong = undocumented(...given);
  if (wrong !== undefined) throw new Error(`not as documented: ${wrong}`);
}
