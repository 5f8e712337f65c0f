// GET /status, /status.json and /status.atom: the state of the deployment, for merchants. They are read from R2 alone,
// so they work while D1 does not. Clients and the isolate keep them for half a minute. Operators report incidents with
// POST and PATCH /api/v1/incidents.

import { createHash } from "node:crypto";
import type { Context } from "hono";
import { INCIDENT_TEXT_LENGTH_MAX, STATUS_KEPT_MS, STATUS_OLD_MS } from "../../core/limits.ts";
import {
  COMPONENT_NAMES,
  COMPONENTS,
  type ComponentState,
  type Incident,
  openIncident,
  type Status,
  type Told,
  updateIncident,
} from "../../core/watch/status.ts";
import { ID_RANDOM_BYTES, incidentId } from "../../storage/directory/credential.ts";
import { changeIncidents } from "../../storage/status.ts";
import type { Deps } from "./deps.ts";
import { type Field, NAME, oneOf, required } from "./field.ts";
import { type Checked, problem } from "./problem.ts";
import { bodyOf, type Reply } from "./request.ts";

const KEPT = { "cache-control": `public, max-age=${STATUS_KEPT_MS / 1_000}`, "access-control-allow-origin": "*" };

/** GET /status.json */
export async function getStatusDocument(c: Context, { told, now }: Deps): Promise<Response> {
  return c.json(documentOf(await told(), now()), 200, KEPT);
}

/** The state as JSON. The state of a component is null where the last status is too old. */
function documentOf({ status, incidents }: Told, now: number) {
  return {
    checked_at: instantOf(status?.at ?? null),
    components: COMPONENTS.map((name) => ({ name, title: COMPONENT_NAMES[name], state: stateOf(status, name, now) })),
    incidents: incidents.map(shown),
    history: (status?.history ?? []).map(({ date, components }) => ({ date, components })),
  };
}

function stateOf(status: Status | undefined, name: (typeof COMPONENTS)[number], now: number): ComponentState | null {
  return status === undefined || now - status.at >= STATUS_OLD_MS ? null : status.components[name];
}

function shown({ openedAt, closedAt, updates, ...incident }: Incident) {
  return {
    ...incident,
    opened_at: instantOf(openedAt),
    closed_at: instantOf(closedAt),
    updates: updates.map(({ at, text }) => ({ at: instantOf(at), text })),
  };
}

function instantOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
li{margin:.3rem 0}time{opacity:.7}.days{letter-spacing:1px;overflow-wrap:anywhere}`;
const POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const WORDS: Readonly<Record<ComponentState | "unknown", string>> = {
  working: "works",
  late: "works, later than usual",
  disturbed: "is disturbed",
  unknown: "nobody has looked lately",
};
/** The mark of a day in a line of 90 days. */
const MARKS: Readonly<Record<ComponentState, string>> = { working: "·", late: "▂", disturbed: "█" };

/** GET /status */
export async function getStatusPage(c: Context, { told, now }: Deps): Promise<Response> {
  const headers = {
    ...KEPT,
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
  };
  return c.body(pageOf(await told(), now()), 200, headers);
}

function pageOf({ status, incidents }: Told, now: number): string {
  const parts = COMPONENTS.map((name) => {
    const state = WORDS[stateOf(status, name, now) ?? "unknown"];
    const days = [...(status?.history ?? [])].reverse().map(({ components }) => MARKS[components[name]]);
    return `<li><strong>${COMPONENT_NAMES[name]}</strong> ${state}<br><span class="days" title="the last 90 days">${days.join("")}</span></li>`;
  });
  const told = incidents.map(({ title, state, updates }) => {
    const lines = updates.map(({ at, text }) => `<li><time>${instantOf(at)}</time> ${escaped(text)}</li>`);
    return `<h3>${escaped(title)} (${state})</h3><ul>${lines.join("")}</ul>`;
  });
  const checked = status === undefined ? "Nobody has looked yet." : `As of <time>${instantOf(status.at)}</time>.`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Status</title><link rel="alternate" type="application/atom+xml" href="/status.atom"><style>${STYLE}</style></head><body><h1>Status</h1><ul>${parts.join("\n")}</ul><p>${checked}</p>
<h2>Incidents</h2>${told.join("\n") || "<p>None is known.</p>"}</body></html>
`;
}

/** GET /status.atom: the reports of incidents, newest first, for feed readers (RFC 4287). */
export async function getStatusFeed(c: Context, { told, now }: Deps): Promise<Response> {
  const { origin } = new URL(c.req.url);
  const headers = {
    ...KEPT,
    "content-type": "application/atom+xml; charset=utf-8",
    "x-content-type-options": "nosniff",
  };
  return c.body(feedOf(await told(), { origin, now: now() }), 200, headers);
}

/** Makes the feed. Each update is an entry of its own, because a reader shows an entry once. */
function feedOf({ incidents }: Told, { origin, now }: { readonly origin: string; readonly now: number }): string {
  const all = incidents.flatMap((incident) => incident.updates.map((update) => ({ incident, ...update })));
  const entries = all
    .toSorted((a, b) => b.at - a.at)
    .map(({ incident: { id, title }, at, text }) => {
      const name = `urn:footfall:${id}:${at}`;
      return `<entry><id>${name}</id><title>${inXml(title)}</title><updated>${instantOf(at)}</updated>
<link href="${inXml(origin)}/status"/><content type="text">${inXml(text)}</content></entry>`;
    });
  const updated = instantOf(Math.max(0, ...all.map(({ at }) => at)) || now);
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><id>${inXml(origin)}/status</id><title>Status</title>
<author><name>Footfall</name></author><updated>${updated}</updated>
<link rel="self" href="${inXml(origin)}/status.atom"/><link href="${inXml(origin)}/status"/>
${entries.join("\n")}</feed>
`;
}

/** Escapes a text for XML. Characters that XML 1.0 cannot express are left out. */
function inXml(text: string): string {
  const known = [...text.toWellFormed()].filter((char) =>
    char >= " " ? char < "\ufffe" || char > "\uffff" : /[\t\n\r]/.test(char),
  );
  return escaped(known.join(""));
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

const WHAT_IS_KNOWN: Field<string, false> = {
  required: false,
  expected: `a text of 1 to ${INCIDENT_TEXT_LENGTH_MAX} characters`,
  schema: { type: "string", minLength: 1, maxLength: INCIDENT_TEXT_LENGTH_MAX },
  parse: (value) => {
    const text = typeof value === "string" ? value.trim() : "";
    return text.length > 0 && text.length <= INCIDENT_TEXT_LENGTH_MAX ? text : undefined;
  },
};

export const NEW_INCIDENT = { title: required(NAME), text: required(WHAT_IS_KNOWN) };
export const INCIDENT_UPDATE = { text: required(WHAT_IS_KNOWN), state: oneOf(["open", "closed"]) };

/** POST /api/v1/incidents {"title","text"} */
export async function postIncident(c: Context, { bucket, now, random, forgetTold }: Deps): Promise<Checked<Reply>> {
  const body = await bodyOf(c, NEW_INCIDENT);
  if (!body.ok) return body;
  const id = incidentId(random(ID_RANDOM_BYTES));
  const after = await changeIncidents(bucket, (all) => openIncident(all, { ...body.value, id, at: now() }));
  forgetTold();
  return replyOf(after, id, 201);
}

/** PATCH /api/v1/incidents/:incident_id {"text","state"?} */
export async function patchIncident(c: Context, { bucket, now, forgetTold }: Deps): Promise<Checked<Reply>> {
  const body = await bodyOf(c, INCIDENT_UPDATE);
  if (!body.ok) return body;
  const id = c.req.param("incident_id") ?? "";
  const { text, state = "open" } = body.value;
  const after = await changeIncidents(bucket, (all) => updateIncident(all, { id, text, state, at: now() }));
  forgetTold();
  return replyOf(after, id);
}

function replyOf(incidents: readonly Incident[] | undefined, id: string, status?: 201): Checked<Reply> {
  const incident = incidents?.find((one) => one.id === id);
  if (incident === undefined) return problem("not_found", "There is no incident with this id.");
  return { ok: true, value: { ...(status === undefined ? {} : { status }), body: shown(incident) } };
}
