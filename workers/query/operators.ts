// Requests about the deployment's operators: create one, list them, delete one. A token is only in the answer that
// creates it. To rotate it, create a second token, use it wherever the first one was used, and delete the first. So
// there is a valid token at every moment.

import type { Context } from "hono";
import { OPERATOR_GROUP_LENGTH_MAX, OPERATORS_COUNT_MAX } from "../../core/limits.ts";
import { API_KEY_RANDOM_BYTES, ID_RANDOM_BYTES, operatorId, token } from "../../storage/directory/credential.ts";
import { noteGone } from "../../storage/directory/gone.ts";
import { createOperator, listOperators, type Operator, revokeOperator } from "../../storage/directory/operators.ts";
import { OPERATOR_SCOPES } from "../../storage/directory/schema.ts";
import type { Deps } from "./deps.ts";
import { type Field, INSTANT, NAME, oneOf, required } from "./field.ts";
import { type Checked, problem } from "./problem.ts";
import { bodyOf, type Reply } from "./request.ts";
import { EMAIL } from "./sessions.ts";

/** The name of a group at the identity provider. */
const GROUP: Field<string, false> = {
  required: false,
  expected: `a text of 1 to ${OPERATOR_GROUP_LENGTH_MAX} characters`,
  schema: { type: "string", minLength: 1, maxLength: OPERATOR_GROUP_LENGTH_MAX },
  parse: (value) =>
    typeof value === "string" && value.trim() === value && value !== "" && value.length <= OPERATOR_GROUP_LENGTH_MAX
      ? value
      : undefined,
};

export const NEW_OPERATOR = {
  name: required(NAME),
  scope: required(oneOf(OPERATOR_SCOPES)),
  expires_at: INSTANT,
  email: EMAIL,
  group: GROUP,
};

/**
 * POST /api/v1/operators {"name","scope","expires_at"?,"email"?,"group"?}. With an address or a group, Cloudflare
 * Access vouches for the operator, and there is no token.
 */
export async function postOperator(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const body = await bodyOf(c, NEW_OPERATOR);
  if (!body.ok) return body;
  const { name, scope, expires_at: expiresAt = null, email = null, group = null } = body.value;
  if (email !== null && group !== null)
    return problem("invalid_field", 'An operator is one address or one group: leave "email" or "group" out.', "group");
  const isVouched = email !== null || group !== null;
  if (isVouched && deps.operatorAccess === undefined) return problem("conflict", NO_ACCESS);
  const createdAt = deps.now();
  if (expiresAt !== null && expiresAt <= createdAt)
    return problem("invalid_field", '"expires_at" must lie ahead.', "expires_at");
  if ((await listOperators(deps.directory)).length >= OPERATORS_COUNT_MAX)
    return problem("conflict", `A deployment has at most ${OPERATORS_COUNT_MAX} operators: end some.`);
  const secret = token("ffo", deps.random(API_KEY_RANDOM_BYTES));
  const id = operatorId(deps.random(ID_RANDOM_BYTES));
  const by = { email, group };
  const operator = await createOperator(deps.directory, { id, name, scope, secret, by, createdAt, expiresAt });
  return { ok: true, value: { status: 201, body: { ...shown(operator), ...(!isVouched && { token: secret }) } } };
}

const NO_ACCESS =
  "This deployment does not know Cloudflare Access for operators: set OPERATOR_ACCESS_TEAM and OPERATOR_ACCESS_AUDIENCE.";

/** GET /api/v1/operators */
export async function getOperators(_: Context, deps: Deps): Promise<Checked<Reply>> {
  return { ok: true, value: { body: { operators: (await listOperators(deps.directory)).map(shown) } } };
}

/** DELETE /api/v1/operators/:operator_id. No isolate remembers tokens, so from now on the token opens nothing. */
export async function deleteOperator(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const id = c.req.param("operator_id") ?? "";
  await noteGone({ kind: "operators", merchant: 0, id }, deps);
  if (!(await revokeOperator(deps.directory, id))) return problem("not_found", "There is no operator with this id.");
  return { ok: true, value: { body: { id, revoked: true } } };
}

function shown({ createdAt, expiresAt, ...operator }: Operator) {
  return {
    ...operator,
    created_at: new Date(createdAt).toISOString(),
    expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  };
}
