// How mail leaves the deployment: by Cloudflare's e-mail binding, or by a provider's HTTPS API, both behind one
// interface. The API is that of Resend. MAIL_URL names it, or any service that takes the same requests. The API
// recognizes a repeated mail by its idempotency key. The binding does not. So after a crash between a delivery and the
// note of it, the mail comes twice. Both copies have the same header X-Footfall-Message.

import { OUTBOX_SEND_MS } from "../../core/limits.ts";
import { type Attempted, parseRetryAfter } from "../../core/notice/attempt.ts";
import { causeOf } from "../../core/outcome.ts";

export interface Mail {
  /** The mail's id, the same for each attempt. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string | undefined;
  /** The address whose one request ends such mails. Undefined where there is none. */
  readonly unsubscribe: string | undefined;
}

export interface Mailer {
  send(mail: Mail): Promise<Attempted>;
}

/** The arguments of Cloudflare's binding. */
export interface EmailBinding {
  send(message: {
    readonly from: string;
    readonly to: string;
    readonly subject: string;
    readonly text: string;
    readonly html?: string;
    readonly headers?: Readonly<Record<string, string>>;
  }): Promise<unknown>;
}

/** Settings of the background Worker. All are absent where no mail is sent. */
export interface MailEnv {
  /** The sender's address of all mails. */
  readonly MAIL_FROM?: string;
  /** The address of a provider's API, such as "https://api.resend.com/emails". */
  readonly MAIL_URL?: string;
  /** A secret: the provider's key. */
  readonly MAIL_KEY?: string;
  /** Cloudflare's binding (`[[send_email]]`). It is used if MAIL_URL is not set. */
  readonly EMAIL?: EmailBinding;
}

interface MailerDeps {
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  readonly now: () => number;
}

/** What sends mail. Undefined where no setting says how to. */
export function mailerOf(env: MailEnv, deps: MailerDeps): Mailer | undefined {
  const from = env.MAIL_FROM ?? "";
  const url = env.MAIL_URL ?? "";
  if (from === "") return undefined;
  if (url !== "") return apiMailer({ from, url, key: env.MAIL_KEY ?? "" }, deps);
  return env.EMAIL && bindingMailer(from, env.EMAIL);
}

/** Headers by which a receiver can end the mails with one click (RFC 8058). Only that click ends them. */
function mailHeaders({ id, unsubscribe }: Pick<Mail, "id" | "unsubscribe">): Readonly<Record<string, string>> {
  const ending = unsubscribe !== undefined && {
    "List-Unsubscribe": `<${unsubscribe}>`,
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
  };
  return { "X-Footfall-Message": id, "Auto-Submitted": "auto-generated", ...ending };
}

function apiMailer(
  { from, url, key }: { readonly from: string; readonly url: string; readonly key: string },
  { fetch, now }: MailerDeps,
): Mailer {
  return {
    async send(mail) {
      const { id, to, subject, text, html } = mail;
      const body = JSON.stringify({ from, to: [to], subject, text, html, headers: mailHeaders(mail) });
      const headers = { "content-type": "application/json", authorization: `Bearer ${key}`, "idempotency-key": id };
      const signal = AbortSignal.timeout(OUTBOX_SEND_MS);
      const response = await fetch(url, { method: "POST", redirect: "manual", signal, headers, body });
      await response.body?.cancel();
      // 409: the provider has a mail of this id with another text. So the receiver was told.
      if (response.ok || response.status === 409) return { kind: "taken" };
      const error = `the mail provider answered ${response.status}`;
      // 422: the provider cannot take this mail. Its address is then the cause. All other failures may be mended here.
      if (response.status === 422) return { kind: "refused", error };
      return { kind: "failed", error, retryAfterMs: parseRetryAfter(response.headers.get("retry-after"), now()) };
    },
  };
}

function bindingMailer(from: string, binding: EmailBinding): Mailer {
  return {
    async send(mail) {
      const { to, subject, text, html } = mail;
      const message = { from, to, subject, text, ...(html !== undefined && { html }), headers: mailHeaders(mail) };
      try {
        await binding.send(message);
        return { kind: "taken" };
      } catch (error) {
        return { kind: "failed", error: `the e-mail binding refused: ${causeOf(error)}` };
      }
    },
  };
}
