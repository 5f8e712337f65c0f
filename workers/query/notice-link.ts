// The links in mails that end or confirm a subscription without signing in. A link names the subscription and an act,
// and is signed with a key of the deployment. There is no e-mail address in it. Mail scanners open all links, so
// opening one (GET) changes nothing and shows a button. POST does the act. The button sends it, and so do mail
// programs' own buttons (RFC 8058).

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

/** The link. Undefined where the deployment has not said its address. */
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

/** GET /notice/:token: shows the button. */
export async function getNotice(c: Context, deps: Deps): Promise<Response> {
  const opened = await open(c, deps);
  if (opened === undefined) return page(c, 404, SAYS.gone);
  return page(c, 200, opened.act === "end" ? SAYS.end : SAYS.confirm, true);
}

/** POST /notice/:token: does the act. Sending it twice changes nothing. */
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
  // An old link does not bring back a subscription that was ended since.
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

/** A page without script, so that the browsers of mail programs show it as well. */
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
  const [own, other] = [Buffer.from(a), Buffer.from(b)]; // equal texts have equal bytes
  return own.length === other.length && timingSafeEqual(own, other);
}
