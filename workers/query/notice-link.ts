// The links in mails that end a subscription or agree to it, without signing in. A link names the subscription and what
// it does, signed under a key of the deployment; no address is in it. Opening it (GET) changes nothing, because
// scanners of mail open all links: it shows a button. The button, and mail programs for their own (RFC 8058), send
// POST.

import { timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { NOTICE_LINK_LENGTH_MAX } from "../../core/limits.ts";
import { findMerchantByNumber } from "../../storage/directory/merchants.ts";
import {
  changeSubscription,
  readSubscriptions,
  type StoredSubscription,
} from "../../storage/directory/subscriptions.ts";
import { deriveKey, hmac } from "../../storage/secret.ts";
import type { Deps } from "./deps.ts";
import { dueOf } from "./report-schedule.ts";

/** What a link does. */
const LINK_ACTS = ["end", "confirm"] as const;
export type LinkAct = (typeof LINK_ACTS)[number];

/** Undefined where the deployment has not said its address. */
export function noticeLink(
  id: string,
  act: LinkAct,
  { dashboardUrl, sealSecrets }: Pick<Deps, "dashboardUrl" | "sealSecrets">,
): string | undefined {
  if (dashboardUrl === undefined) return undefined;
  return `${dashboardUrl}/notice/${id}.${act}.${macOf(sealSecrets[0] ?? "", id, act)}`;
}

interface Opened {
  readonly act: LinkAct;
  readonly subscription: StoredSubscription;
}

async function open(c: Context, deps: Deps): Promise<Opened | undefined> {
  const token = c.req.param("token") ?? "";
  if (token.length > NOTICE_LINK_LENGTH_MAX) return undefined;
  const [id = "", named = "", mac = ""] = token.split(".");
  const act = LINK_ACTS.find((one) => one === named);
  if (act === undefined || !deps.sealSecrets.some((secret) => areEqual(mac, macOf(secret, id, act)))) return undefined;
  const subscription = (await readSubscriptions(deps.directory, [id])).get(id);
  return subscription && { act, subscription };
}

/** GET /notice/:token */
export async function getNotice(c: Context, deps: Deps): Promise<Response> {
  const opened = await open(c, deps);
  if (opened === undefined) return page(c, 404, SAYS.gone);
  return page(c, 200, opened.act === "end" ? SAYS.end : SAYS.confirm, true);
}

/** POST /notice/:token. Sending it twice changes nothing. */
export async function postNotice(c: Context, deps: Deps): Promise<Response> {
  const opened = await open(c, deps);
  if (opened === undefined) return page(c, 404, SAYS.gone);
  const { act, subscription } = opened;
  const { merchant, id, state } = subscription;
  if (act === "end") {
    const off = { state: "off", reason: "unsubscribed by its reader", reportAt: null, lookAt: null } as const;
    await changeSubscription(deps.directory, { merchant, id, ...off });
    return page(c, 200, SAYS.ended);
  }
  // Who has ended it since is not brought back by an old link.
  if (state === "unconfirmed") {
    const shop = await findMerchantByNumber(deps.directory, merchant);
    const due = shop && dueOf({ ...subscription, state: "on" }, shop, deps.now());
    await changeSubscription(deps.directory, {
      merchant,
      id,
      state: "on",
      ...(due ?? { reportAt: null, lookAt: null }),
    });
  }
  return page(c, 200, state === "off" ? SAYS.ended : SAYS.confirmed);
}

const SAYS = {
  gone: { says: "This link leads nowhere any more.", button: "" },
  end: { says: "Do you want no more of these messages?", button: "No more of them" },
  ended: { says: "You get no more of these messages.", button: "" },
  confirm: { says: "Do you want these messages?", button: "Yes, send them" },
  confirmed: { says: "You get these messages from now on. Each has a link that ends them.", button: "" },
} as const;

const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/** A page without script, which mail programs' browsers show as well. */
function page(
  c: Context,
  status: 200 | 404,
  { says, button }: { says: string; button: string },
  isForm = false,
): Response {
  const form = isForm ? `<form method="post"><button>${button}</button></form>` : "";
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>Footfall</title></head>
<body style="font-family:sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem"><p>${says}</p>${form}</body></html>`;
  return c.body(html, status, {
    ...{ "content-type": "text/html; charset=utf-8", "cache-control": "no-store", "content-security-policy": POLICY },
    ...{ "referrer-policy": "no-referrer", "x-content-type-options": "nosniff" },
  });
}

function macOf(secret: string, id: string, act: LinkAct): string {
  return hmac(deriveKey(secret, "notice"), `${id} ${act}`).toString("base64url");
}

function areEqual(a: string, b: string): boolean {
  const [own, other] = [Buffer.from(a), Buffer.from(b)]; // a text is as long as another and its bytes are not
  return own.length === other.length && timingSafeEqual(own, other);
}
