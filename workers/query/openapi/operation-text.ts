// Parts from which documented operations are made: references to shapes, path parameters, names, and answers that many
// operations share.

import type { Schema } from "../../../core/type-text.ts";
import type { Content, Parameter } from "./document.ts";

export const JSON_TYPE = "application/json";
/** A body of any kind. */
export const ANYTHING: Content = { "*/*": { schema: {} } };
/** The collector's server. Its address differs from that of the rest of the API. */
export const COLLECTOR_SERVER: readonly Schema[] = [
  { url: "https://{collector}", variables: { collector: { default: "collector.example" } } },
];

export function named(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

export const PROBLEM = {
  description: "Refused: the code says why, the message what to send instead.",
  content: { [JSON_TYPE]: { schema: named("Problem") } },
};

/** A path in the form of OpenAPI: "/:script{regex}" is "/{script}". */
export function templated(path: string): string {
  return path.replace(/:(\w+)(?:\{.*\})?/g, "{$1}");
}

export function pathParameters(path: string): readonly Parameter[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => {
    return { name, in: "path", required: true, schema: { type: "string" } };
  });
}

/** A name for an operation that has none: for ("POST", "/i/v0/e") it is "postIV0E". */
export function camel(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return `${method.toLowerCase()}${name}`;
}
