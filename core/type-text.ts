// Writes a piece of JSON Schema as a TypeScript type, for the reference page and for the generated client. It knows the
// part of JSON Schema that the document uses.

/** A piece of JSON Schema (2020-12). */
export type Schema = Readonly<Record<string, unknown>>;

/** Such as "readonly string[]". A reference is the name of what it refers to. */
export function typeText(schema: Schema): string {
  const { $ref, const: only, enum: values, anyOf, oneOf, type } = schema as Keywords;
  if ($ref !== undefined) return $ref.slice($ref.lastIndexOf("/") + 1);
  if (only !== undefined) return JSON.stringify(only);
  if (values !== undefined) return union(values.map((value) => JSON.stringify(value)));
  const choices = anyOf ?? oneOf;
  if (choices !== undefined) return union(choices.map(typeText));
  if (typeof type === "object") return union(type.map((one) => typeText({ ...schema, type: one })));
  if (type === "object") return objectText(schema as Keywords);
  if (type === "array") return arrayText(schema as Keywords);
  return NAMES[type ?? ""] ?? "unknown";
}

interface Keywords {
  readonly $ref?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly items?: Schema | false;
  readonly prefixItems?: readonly Schema[];
  readonly minItems?: number;
}

const NAMES: Readonly<Record<string, string>> = {
  string: "string",
  number: "number",
  integer: "number",
  boolean: "boolean",
  null: "null",
};

function objectText({ properties, required = [], additionalProperties }: Keywords): string {
  if (properties === undefined) return "{ readonly [name: string]: unknown }";
  const fields = Object.entries(properties).map(([name, schema]) => {
    const key = /^\w+$/.test(name) ? name : JSON.stringify(name);
    return `readonly ${key}${required.includes(name) ? "" : "?"}: ${typeText(schema)}`;
  });
  const others = additionalProperties === true ? ["readonly [name: string]: unknown"] : [];
  return fields.length + others.length === 0 ? "{ }" : `{ ${[...fields, ...others].join("; ")} }`;
}

function arrayText({ items, prefixItems, minItems = 0 }: Keywords): string {
  if (prefixItems !== undefined) {
    const entries = prefixItems.map((schema, index) => {
      const text = typeText(schema);
      return index < minItems ? text : `${bracketed(text)}?`;
    });
    return `readonly [${entries.join(", ")}]`;
  }
  return items === undefined || items === false ? "readonly unknown[]" : `readonly ${bracketed(typeText(items))}[]`;
}

function bracketed(text: string): string {
  return /^[\w"]+$/.test(text) ? text : `(${text})`;
}

function union(texts: readonly string[]): string {
  return [...new Set(texts)].join(" | ");
}
