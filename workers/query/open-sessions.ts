// The sessions of a person. Each can be ended from any other. Only sessions of the asker's own memberships are shown
// and ended. So whoever was invited to one shop under an address sees nothing of another shop's sessions.

import type { Context } from "hono";
import { deviceOf } from "../../core/enrichment/device.ts";
import { SESSION_MS } from "../../core/limits.ts";
import { endOtherSessions, endSessions, listSessions, sessionIdOf } from "../../storage/directory/sessions.ts";
import type { Deps } from "./deps.ts";
import { clearSession, membershipsOf, sessionTokenOf } from "./membership.ts";
import { type Checked, problem } from "./problem.ts";
import type { Reply } from "./request.ts";
import { noSession } from "./sessions.ts";

/** GET /api/v1/sessions: the session that ends last comes first. */
export async function getSessions(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const own = await ownOf(c, deps);
  if (own === undefined) return noSession();
  const rows = await listSessions(deps.directory, { members: own.members, now: deps.now() });
  const sessions = rows.map(({ id, agent, expiresAt }) => {
    const { browser, os } = deviceOf(agent);
    return {
      id,
      current: id === own.id,
      browser,
      os,
      created_at: new Date(expiresAt - SESSION_MS).toISOString(),
      expires_at: new Date(expiresAt).toISOString(),
    };
  });
  return { ok: true, value: { body: { sessions, next: null } } };
}

/** DELETE /api/v1/sessions: ends all sessions except the asker's own. */
export async function deleteSessions(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const own = await ownOf(c, deps);
  if (own === undefined) return noSession();
  const { members, token } = own;
  const ended = await endOtherSessions(deps.directory, { members, token, now: deps.now() });
  return { ok: true, value: { body: { ended } } };
}

/** DELETE /api/v1/sessions/:session_id. */
export async function deleteOneSession(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const own = await ownOf(c, deps);
  if (own === undefined) return noSession();
  const rows = await listSessions(deps.directory, { members: own.members, now: deps.now() });
  const ended = rows.find(({ id }) => id === c.req.param("session_id"));
  if (ended === undefined) return problem("not_found", "You have no session with this id.");
  await endSessions(deps.directory, { members: own.members, hashes: [ended.hash] });
  if (ended.id === own.id) clearSession(c);
  return { ok: true, value: { body: { id: ended.id, signed_out: true } } };
}

/** The session of the request, and the memberships that it opens. Undefined where the request has no session. */
async function ownOf(c: Context, deps: Deps) {
  const token = sessionTokenOf(c);
  if (token === undefined || deps.access !== undefined) return undefined;
  const memberships = await membershipsOf(c, deps);
  return { id: sessionIdOf(token), token, members: memberships.map(({ member }) => member.id) };
}
