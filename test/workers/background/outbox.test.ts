// Notices on their way: an outbox on real databases, and receivers that are real HTTP servers.

import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CONFIRMATION, type Message } from "../../../core/notice/message.ts";
import { causeOf } from "../../../core/outcome.ts";
import {
  createSubscription,
  findSubscription,
  type StoredSubscription,
} from "../../../storage/directory/subscriptions.ts";
import { listDeliveries, writeMessages } from "../../../storage/ledger/outbox.ts";
import { webhookSecret } from "../../../storage/webhook-signature.ts";
import { type EmailBinding, type MailEnv, mailerOf } from "../../../workers/background/mailer.ts";
import { sendNotices } from "../../../workers/background/outbox.ts";
import { resolverOf } from "../../../workers/background/resolve.ts";
import { type Databases, dyingStorage, makeDatabases } from "../../support/databases.ts";
import { type Receiver, startReceiver } from "../../support/receiver.ts";

const AT = Date.parse("2026-11-29T12:00:00Z");
const MINUTE = 60_000;
const HOOK = "https://hook.shop.example.com/in";
const SECRET = webhookSecret(new Uint8Array(32).fill(7));
const message: Message = {
  ...{ type: "report.weekly", subject: "Your week", text: "41 visitors", html: "<p>41 visitors</p>" },
  ...{ data: { visitors: 41 }, at: AT, unsubscribe: "https://stats.example.com/notice/token" },
};
const subscription: StoredSubscription = {
  ...{ id: "sub_a", merchant: 7, channel: "webhook", target: HOOK, topics: ["weekly"], language: "en" },
  ...{ quiet: null, goal: null, state: "on", reason: "", secret: SECRET, previousSecret: null, previousUntil: null },
  pausedUntil: null,
  ...{ createdAt: AT, reportAt: null, lookAt: null },
};

let databases: Databases;
let hook: Receiver;
let resolver: Receiver;
beforeEach(async () => {
  databases = makeDatabases(2);
  [hook, resolver] = await Promise.all([startReceiver(), startReceiver()]);
  resolves("1.1.1.1");
});
afterEach(() => {
  hook.close();
  resolver.close();
});

/** Names resolve to this. */
function resolves(...addresses: string[]): void {
  resolver.answers.answer = (to) => {
    const Answer = addresses.map((data) => ({ type: data.includes(":") ? 28 : 1, data }));
    to.writeHead(200).end(JSON.stringify({ Status: 0, Answer }));
  };
}

/** The cron, whose requests to the hook and to the provider go to the stub. */
function cron(storage: Pick<Databases, "directory" | "ledgers"> = databases, mail: MailEnv = {}) {
  const lines: object[] = [];
  const asked: string[] = [];
  const ask = (url: string, init?: RequestInit) => {
    asked.push(url);
    return fetch(url.startsWith(resolver.url) ? url : `${hook.url}${new URL(url).pathname}`, init);
  };
  const run = (now: number) =>
    sendNotices({
      ...{ directory: storage.directory, ledgers: storage.ledgers, fetch: ask, now: () => now },
      mailer: mailerOf(mail, { fetch: ask, now: () => now }),
      resolve: resolverOf(`${resolver.url}/dns-query`, ask).addresses,
      log: (line) => void lines.push(line),
    });
  return { run, lines, asked };
}

async function given(changes: Partial<StoredSubscription> = {}, ids = ["sub_a:weekly:2026-W48"]): Promise<void> {
  const own = { ...subscription, ...changes };
  await createSubscription(databases.directory, own);
  const common = { merchant: 7, subscription: own.id, message, notBefore: AT };
  await write(ids.map((id) => ({ ...common, id })));
}

function write(messages: Parameters<typeof writeMessages>[1]): Promise<void> {
  return writeMessages(databases.ledgers.ofMerchant(7), messages);
}

async function states(): Promise<readonly string[]> {
  const read = { merchant: 7, subscription: "sub_a", rowsMax: 10 };
  return (await listDeliveries(databases.ledgers.ofMerchant(7), read)).map(({ state }) => state);
}

test("[NTC-23] what waits for a subscription that is paused meanwhile is not sent, nor after the pause", async () => {
  await given({ pausedUntil: AT + MINUTE });
  await cron().run(AT);
  await cron().run(AT + 2 * MINUTE);
  expect([hook.taken.length, await states()]).toEqual([0, ["dropped"]]);
});

describe("[NTC-6] the outbox", () => {
  test("sends what is due, once, in the order in which it was due", async () => {
    await given({}, ["sub_a:1"]);
    await write([{ merchant: 7, subscription: "sub_a", message, id: "sub_a:2", notBefore: AT - 1 }]);
    await write([{ merchant: 7, subscription: "sub_a", message, id: "sub_a:3", notBefore: AT + 1 }]);
    await write([{ merchant: 7, subscription: "sub_a", message, id: "sub_a:1", notBefore: AT - 2 }]);
    await cron().run(AT);
    await cron().run(AT);
    expect(hook.taken.map(({ headers }) => headers["webhook-id"])).toEqual(["sub_a:2", "sub_a:1"]);
    expect(await states()).toEqual(["sent", "sent", "waiting"]);
  });

  test("tries again what was not taken, under the same id; the others of its subscription wait meanwhile", async () => {
    await given({}, ["sub_a:1", "sub_a:2"]);
    hook.answers.status = 503;
    const { run, lines } = cron();
    await run(AT);
    expect(hook.taken).toHaveLength(1);
    expect(lines).toEqual([
      expect.objectContaining({ event: "notice_not_sent", message: "sub_a:1", state: "waiting" }),
    ]);
    hook.answers.status = 200;
    await run(AT + 4 * MINUTE);
    await run(AT + 5 * MINUTE);
    expect(hook.taken.map(({ headers }) => headers["webhook-id"])).toEqual(["sub_a:1", "sub_a:2", "sub_a:1"]);
    expect(await states()).toEqual(["sent", "sent"]);
  });

  test("gives up after three days, and switches the subscription off with the reason", async () => {
    await given();
    hook.answers.status = 500;
    let now = AT;
    for (let attempt = 0; (await states())[0] === "waiting" && attempt < 100; attempt++) {
      await cron().run(now);
      now += 60 * MINUTE;
    }
    expect(hook.taken).toHaveLength(9);
    expect(await states()).toEqual(["failed"]);
    const off = await findSubscription(databases.directory, { merchant: 7, id: "sub_a" });
    expect(off).toMatchObject({ state: "off", reason: "answered 500" });
    await write([{ merchant: 7, subscription: "sub_a", message, id: "sub_a:2", notBefore: now }]);
    await cron().run(now);
    expect(hook.taken).toHaveLength(9);
    expect((await states()).toSorted()).toEqual(["dropped", "failed"]);
  });

  test("asks no more who answers 410, and sends nothing for a subscription that is gone or another merchant's", async () => {
    await given();
    hook.answers.status = 410;
    await cron().run(AT);
    expect(await states()).toEqual(["failed"]);
    await write([{ merchant: 7, subscription: "sub_gone", message, id: "sub_gone:1", notBefore: AT }]);
    await createSubscription(databases.directory, { ...subscription, id: "sub_b", merchant: 8 });
    await write([{ merchant: 7, subscription: "sub_b", message, id: "sub_b:1", notBefore: AT }]);
    await cron().run(AT);
    expect(hook.taken).toHaveLength(1);
  });

  test.each([false, true])("loses nothing wherever the cron dies (after the call took effect: %s)", async (isAfter) => {
    const tellings = new Set<number>();
    for (let fatal = 0, died = true; died; fatal++) {
      databases = makeDatabases(2);
      hook.taken.length = 0;
      await given({}, ["sub_a:1", "sub_a:2"]);
      const dying = dyingStorage(databases, { fatal, isAfter });
      const { run, lines } = cron(dying);
      await run(AT).catch((error: unknown) => expect(causeOf(error)).toMatch(/killed|Failed query/));
      died = dying.calls() > fatal;
      if (died) expect(lines.length, `death at call ${fatal}`).toBeLessThanOrEqual(3);
      for (let minutes = 5; minutes < 30; minutes += 5) await cron().run(AT + minutes * MINUTE);
      const ids = hook.taken.map(({ headers }) => headers["webhook-id"]);
      expect([...new Set(ids)].toSorted(), `death at call ${fatal}`).toEqual(["sub_a:1", "sub_a:2"]);
      expect(await states()).toEqual(["sent", "sent"]);
      tellings.add(ids.length);
    }
    // Twice only where it died between the delivery and the note of it, and then under the same id.
    expect([...tellings].toSorted()).toEqual(isAfter ? [2] : [2, 3]);
  });

  test("is read by two crons at once, and sends once", async () => {
    await given({}, ["sub_a:1", "sub_a:2", "sub_a:3"]);
    await Promise.all([cron().run(AT), cron().run(AT)]);
    await cron().run(AT + 5 * MINUTE);
    expect(hook.taken.map(({ headers }) => headers["webhook-id"]).toSorted()).toEqual([
      "sub_a:1",
      "sub_a:2",
      "sub_a:3",
    ]);
  });
});

describe("[NTC-7] a webhook", () => {
  test("is signed as Standard Webhooks are, by both secrets while one is rotated", async () => {
    const before = webhookSecret(new Uint8Array(32).fill(9));
    await given({ previousSecret: before, previousUntil: AT + MINUTE }, ["sub_a:1"]);
    await cron().run(AT);
    await write([{ merchant: 7, subscription: "sub_a", message, id: "sub_a:2", notBefore: AT }]);
    await cron().run(AT + 2 * MINUTE);
    const [rotating, after] = hook.taken;
    const sign = (secret: string, id: string, at: number, body = "") =>
      `v1,${createHmac("sha256", Buffer.from(secret.slice(6), "base64"))
        .update(`${id}.${at}.${body}`)
        .digest("base64")}`;
    const at = AT / 1_000;
    expect(rotating?.headers["webhook-timestamp"]).toBe(String(at));
    expect(rotating?.headers["webhook-signature"]).toBe(
      `${sign(SECRET, "sub_a:1", at, rotating?.body)} ${sign(before, "sub_a:1", at, rotating?.body)}`,
    );
    expect(after?.headers["webhook-signature"]).toBe(sign(SECRET, "sub_a:2", at + 120, after?.body));
    expect(JSON.parse(after?.body ?? "")).toMatchObject({ type: "report.weekly", data: { visitors: 41 } });
  });

  test.each(["slack", "discord", "teams"] as const)("of %s gets its form, unsigned", async (channel) => {
    const targets = {
      slack: "https://hooks.slack.com/services/x",
      discord: "https://discord.com/api/webhooks/x",
      teams: "https://shop.webhook.office.com/x",
    };
    await given({ channel, target: targets[channel], secret: null });
    await cron().run(AT);
    expect(await states()).toEqual(["sent"]);
    expect(hook.taken[0]?.headers).not.toHaveProperty("webhook-signature");
    expect(hook.taken[0]?.body).toContain("41 visitors");
  });
});

describe("[NTC-9] no request goes to a private address", () => {
  test.each([
    [["10.0.0.1"]],
    [["1.1.1.1", "127.0.0.1"]],
    [["1.1.1.1", "::1"]],
    [["169.254.169.254"]],
    [["::ffff:10.0.0.1"]],
    [[]],
  ])("whose name resolves to %j", async (addresses) => {
    resolves(...addresses);
    await given();
    const { run, asked } = cron();
    await run(AT);
    expect(asked.filter((url) => url.startsWith("https://hook"))).toEqual([]);
    expect(await states()).toEqual(["waiting"]);
  });

  test("and none where the resolver does not answer", async () => {
    resolver.answers.answer = (to) => void to.writeHead(500).end();
    await given();
    await cron().run(AT);
    expect([hook.taken.length, await states()]).toEqual([0, ["waiting"]]);
    resolver.answers.answer = (to) => void to.writeHead(200).end(JSON.stringify({ Status: 3 }));
    await cron().run(AT + 5 * MINUTE);
    expect([hook.taken.length, await states()]).toEqual([0, ["waiting"]]);
  });

  test("nor does a resolver that is silent for days switch its subscription off", async () => {
    resolver.answers.answer = (to) => void to.writeHead(500).end();
    await given();
    let now = AT;
    for (let attempt = 0; (await states())[0] === "waiting" && attempt < 100; attempt++) {
      await cron().run(now);
      now += 60 * MINUTE;
    }
    expect(await states()).toEqual(["failed"]);
    const own = { merchant: 7, id: "sub_a" };
    expect(await findSubscription(databases.directory, own)).toMatchObject({ state: "on" });
  });

  test("nor to where a redirect leads", async () => {
    hook.answers.status = 307;
    hook.answers.headers = { location: "/elsewhere" };
    await given();
    const { run, lines } = cron();
    await run(AT);
    expect(hook.taken.map(({ path }) => path)).toEqual(["/in"]);
    expect(lines).toEqual([expect.objectContaining({ error: "answered 307; redirects are not followed" })]);
  });

  test("nor to a target that is refused, however it came into the table", async () => {
    await given({ target: "http://127.0.0.1:8787/" });
    const { run, asked } = cron();
    await run(AT);
    expect([asked, await states()]).toEqual([[], ["failed"]]);
  });
});

describe("[NTC-10] mail", () => {
  const API = {
    MAIL_FROM: "Footfall <stats@example.com>",
    MAIL_URL: "https://api.mail.example.com/emails",
    MAIL_KEY: "k",
  };
  const mail = { channel: "email", target: "anna@shop.example.com", secret: null } as const;

  test("goes to a provider's API with a key by which it knows a repetition, and ends with one click", async () => {
    await given(mail);
    hook.answers.status = 429;
    hook.answers.headers = { "retry-after": "600" };
    await cron(databases, API).run(AT);
    hook.answers.status = 200;
    await cron(databases, API).run(AT + 9 * MINUTE);
    await cron(databases, API).run(AT + 10 * MINUTE);
    expect(hook.taken.map(({ headers }) => headers["idempotency-key"])).toEqual(Array(2).fill("sub_a:weekly:2026-W48"));
    const [{ headers, body }] = hook.taken as [(typeof hook.taken)[number]];
    expect(headers).toMatchObject({ authorization: "Bearer k" });
    expect(JSON.parse(body)).toEqual({
      ...{ from: API.MAIL_FROM, to: ["anna@shop.example.com"], subject: "Your week" },
      ...{ text: "41 visitors", html: "<p>41 visitors</p>" },
      headers: {
        "X-Footfall-Message": "sub_a:weekly:2026-W48",
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": "<https://stats.example.com/notice/token>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
      },
    });
    expect(await states()).toEqual(["sent"]);
  });

  test("goes to Cloudflare's binding where no API is set", async () => {
    const sent: Parameters<EmailBinding["send"]>[0][] = [];
    const EMAIL: EmailBinding = {
      send: async (one) => {
        sent.push(one);
        if (sent.length === 1) throw new Error("E_RATE_LIMITED");
      },
    };
    await given(mail);
    const { run, lines } = cron(databases, { MAIL_FROM: API.MAIL_FROM, EMAIL });
    await run(AT);
    await run(AT + 5 * MINUTE);
    expect(lines).toEqual([expect.objectContaining({ error: "the e-mail binding refused: Error: E_RATE_LIMITED" })]);
    expect(sent[1]).toMatchObject({ from: API.MAIL_FROM, to: "anna@shop.example.com", subject: "Your week" });
    expect(await states()).toEqual(["sent"]);
  });

  test("that cannot be sent, because nothing is set, waits and says why; an address that is refused is not tried again", async () => {
    await given(mail);
    const { run, lines } = cron();
    await run(AT);
    expect(lines).toEqual([expect.objectContaining({ error: "this deployment sends no mail (MAIL_FROM)" })]);
    hook.answers.status = 422;
    await cron(databases, API).run(AT + 5 * MINUTE);
    expect(await states()).toEqual(["failed"]);
    expect(JSON.stringify(lines)).not.toContain("anna@");
  });

  test("that the provider takes from nobody, because the key is wrong, is given up after three days; no subscription goes with it", async () => {
    await given(mail);
    hook.answers.status = 401;
    let now = AT;
    for (let attempt = 0; (await states())[0] === "waiting" && attempt < 100; attempt++) {
      await cron(databases, API).run(now);
      now += 60 * MINUTE;
    }
    expect([hook.taken.length, await states()]).toEqual([9, ["failed"]]);
    const own = { merchant: 7, id: "sub_a" };
    expect(await findSubscription(databases.directory, own)).toMatchObject({ state: "on", reason: "" });
    hook.answers.status = 422;
    await write([{ merchant: 7, subscription: "sub_a", message, id: "sub_a:2", notBefore: now }]);
    await cron(databases, API).run(now);
    expect(await findSubscription(databases.directory, own)).toMatchObject({ state: "off" });
  });

  test("to somebody who has not agreed is the question alone", async () => {
    await given({ ...mail, state: "unconfirmed" }, ["sub_a:1"]);
    const question = { ...message, type: CONFIRMATION };
    await write([{ merchant: 7, subscription: "sub_a", message: question, id: "sub_a:confirm", notBefore: AT }]);
    await cron(databases, API).run(AT);
    expect(hook.taken.map(({ headers }) => headers["idempotency-key"])).toEqual(["sub_a:confirm"]);
    expect((await states()).toSorted()).toEqual(["dropped", "sent"]);
  });
});
