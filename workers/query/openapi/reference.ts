// The OpenAPI document as a page for people. It has every operation with who may use it, its fields and its answers,
// and every named shape. It is one file without scripts, and loads nothing from anybody else. All texts in it are
// escaped.

import { createHash } from "node:crypto";
import { typeText } from "../../../core/type-text.ts";
import type { Document, DocumentedOperation, Parameter } from "./document.ts";

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 0 auto; max-width: 60rem; padding: 1rem }
nav ul { columns: 20rem; list-style: none; padding: 0 }
section.operation { border-top: 1px solid #8886; padding: .5rem 0 }
code, pre { font: 14px/1.4 ui-monospace, monospace }
pre { background: #8881; overflow-x: auto; padding: .5rem; white-space: pre-wrap }
table { border-collapse: collapse } td, th { padding: .1rem .8rem .1rem 0; text-align: left; vertical-align: top }
h3 code { font-weight: 400 }
`;

/** The page's policy, which allows its own style and nothing else. */
export const REFERENCE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export function referenceOf(document: Document): string {
  const { info, tags, components } = document;
  const operations = operationsOf(document);
  const shapes = Object.entries(
    (components["schemas"] ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(info.title)}: API reference</title><style>${STYLE}</style></head><body>
<h1>${escaped(info.title)}: API reference</h1>
<p>${escaped(info.description)} The same as <a href="/api/openapi.json">OpenAPI 3.1</a>.</p>
<nav><ul>${operations.map(({ operation }) => `<li>${link(operation)}</li>`).join("")}</ul></nav>
${tags
  .map(({ name, description }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name));
    return `<h2>${escaped(name)}</h2><p>${escaped(description)}</p>${own.map(operationText).join("")}`;
  })
  .join("")}
<h2>Shapes</h2>
${shapes.map(([name, schema]) => `<h3 id="${escaped(name)}">${escaped(name)}</h3>${code(typeText(schema))}`).join("")}
</body></html>
`;
}

interface Listed {
  readonly method: string;
  readonly path: string;
  readonly operation: DocumentedOperation;
}

function operationsOf({ paths }: Document): readonly Listed[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

function link({ operationId, summary }: DocumentedOperation): string {
  return `<a href="#${escaped(operationId)}" title="${escaped(summary)}">${escaped(operationId)}</a>`;
}

function operationText({ method, path, operation }: Listed): string {
  const { operationId, summary, description = "", parameters = [], requestBody, responses } = operation;
  const { schema: body, example } = requestBody?.content["application/json"] ?? {};
  const answers = Object.entries(responses).map(([status, { description: what, content }]) => {
    const shown = Object.entries(content).map(([type, { schema }]) => code(`${type}: ${typeText(schema)}`));
    return `<p>${escaped(status)}: ${escaped(what)}</p>${shown.join("")}`;
  });
  return `<section class="operation" id="${escaped(operationId)}">
<h3>${escaped(operationId)} <code>${escaped(method)} ${escaped(path)}</code></h3>
<p>${escaped(summary)} ${escaped(description)}</p>
${parameters.length === 0 ? "" : `<table><tbody>${parameters.map(parameterText).join("")}</tbody></table>`}
${body === undefined ? "" : `<p>Body:</p>${code(typeText(body))}`}
${example === undefined ? "" : `<p>For example:</p><pre>${escaped(JSON.stringify(example, undefined, 2))}</pre>`}
${answers.join("")}</section>
`;
}

function parameterText({ name, in: place, required, description = "", schema }: Parameter): string {
  const cells = [`${name}${required ? "" : "?"}`, place, typeText(schema), description];
  return `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join("")}</tr>`;
}

/** Formats a shape with one line for each field, so that long shapes can be read. */
function code(text: string): string {
  return `<pre>${escaped(text.replaceAll("readonly ", "").replaceAll("; ", ";\n  "))}</pre>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
