// What admin handlers share: how they read a body by its table, and the shape of their answers.

import type { Context } from "hono";
import { ADMIN_BYTES_MAX } from "../../core/limits.ts";
import type { AuditDetails } from "../../storage/directory/schema.ts";
import { readBody } from "../../storage/request-body.ts";
import { type Field, type Fields, parseFields } from "./field.ts";
import { parseJson } from "./json.ts";
import { type Checked, problem } from "./problem.ts";

export interface Reply {
  /** The status, 200 by default. */
  readonly status?: 201 | 202;
  /** The address at which the request's work can be followed. */
  readonly location?: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** An answer that is a file. Its bytes are made while they are sent. */
export interface FileReply {
  readonly file: {
    readonly contentType: string;
    readonly name: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly bytes: AsyncGenerator<Uint8Array>;
  };
}

/**
 * The query string of a request, checked against the table of its parameters. It is not parsed by Hono, whose plain
 * object misses a parameter named "toString".
 */
export function parametersOf<Table extends Readonly<Record<string, Field<unknown>>>>(
  c: Context,
  table: Table,
): Checked<Fields<Table>> {
  return parseFields(Object.fromEntries(new URL(c.req.url).searchParams), table);
}

/** The JSON body of a request, checked against the table of its fields. */
export async function bodyOf<Table extends Readonly<Record<string, Field<unknown>>>>(
  c: Context,
  table: Table,
  bytesMax = ADMIN_BYTES_MAX,
): Promise<Checked<Fields<Table>>> {
  const sent = await readBody(c.req.raw, bytesMax);
  if (!sent.ok) {
    return sent.problem === "too_large"
      ? problem("body_too_large", `The body exceeds ${bytesMax} bytes.`)
      : problem("incomplete_body", "The body ended before its announced end.");
  }
  const body = parseJson(sent.text);
  if (!body.ok) return problem("invalid_json", "The body is not JSON.");
  const fields = parseFields(body.value, table);
  if (fields.ok) c.set("asked", withoutSecrets(body.value as AuditDetails, table));
  return fields;
}

/** The fields of a request as they were sent, for the audit log. */
export function askedOf(c: Context): AuditDetails {
  return (c.get("asked") as AuditDetails | undefined) ?? {};
}

function withoutSecrets(body: AuditDetails, table: Readonly<Record<string, Field<unknown>>>): AuditDetails {
  return Object.fromEntries(Object.entries(body).filter(([name]) => table[name]?.hidden !== true));
}
