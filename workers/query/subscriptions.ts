// Admin requests about subscriptions. A subscription sends messages on some topics to one address. A preview shows what
// it would send, and a test message can be sent. The crons write the messages (reports-due.ts, alarms-due.ts), and the
// background Worker sends them.

import type { Context } from "hono";
import { isObject } from "../../core/formats/field.ts";
import {
  ALARM_PREVIEW_DAYS,
  ALARM_PREVIEW_FROM_DAYS,
  CONFIRMATIONS_DAY_MAX,
  DELIVERIES_SHOWN_MAX,
  ID_LENGTH_MAX,
  NAME_LENGTH_MAX,
  RATE_LIMIT_PERIOD_SECONDS,
  SUBSCRIPTION_PAUSE_MAX_MS,
  SUBSCRIPTIONS_COUNT_MAX,
  TARGET_LENGTH_MAX,
  TARGET_VALUE_MAX,
  TESTS_WAITING_MAX,
  WEBHOOK_ROTATION_MS,
} from "../../core/limits.ts";
import { zoneAt } from "../../core/merchant.ts";
import { sayAlarm, TOPIC_OF } from "../../core/notice/alarm-message.ts";
import { LANGUAGES } from "../../core/notice/language.ts";
import { CONFIRMATION, type Message, toChatBody, toWebhookBody, unlinked } from "../../core/notice/message.ts";
import { pastAlarms } from "../../core/notice/past-alarm.ts";
import { periodBefore } from "../../core/notice/period.ts";
import { toHtml, toReport, toText } from "../../core/notice/report.ts";
import {
  CHANNELS,
  type Channel,
  isPaused,
  type QuietHours,
  REPORT_TOPICS,
  TARGET_METRICS,
  type Target,
  TOPICS,
  type Topic,
} from "../../core/notice/subscription.ts";
import { refusalOfUrl } from "../../core/notice/target.ts";
import { fill, WORDS } from "../../core/notice/text.ts";
import { DAY_MS, dateOf, dayAt, hourAfter, isoLocal } from "../../core/time.ts";
import { API_KEY_RANDOM_BYTES, ID_RANDOM_BYTES, subscriptionId } from "../../storage/directory/credential.ts";
import { listMembers, parseEmail } from "../../storage/directory/members.ts";
import { type Merchant, zonesOf } from "../../storage/directory/merchants.ts";
import {
  changeSubscription,
  createSubscription,
  deleteSubscription as dropSubscription,
  findSubscription,
  listSubscriptions,
  type StoredSubscription,
} from "../../storage/directory/subscriptions.ts";
import { type Delivery, listDeliveries, writeMessages, writeWithin } from "../../storage/ledger/outbox.ts";
import { webhookSecret } from "../../storage/webhook-signature.ts";
import { readHours } from "./alarms-due.ts";
import { readingAs } from "./asker.ts";
import type { Deps } from "./deps.ts";
import { type Field, INSTANT, oneOf, required } from "./field.ts";
import { merchantOf } from "./merchants.ts";
import { noticeLink } from "./notice-link.ts";
import { actorOf, principalOf } from "./principal.ts";
import { type Checked, problem } from "./problem.ts";
import { readReportNumbers } from "./report-numbers.ts";
import { dueOf } from "./report-schedule.ts";
import { linksOf } from "./reports-due.ts";
import { bodyOf, parametersOf, type Reply } from "./request.ts";

const TARGET: Field<string, false> = {
  required: false,
  expected: `an address of mail, or one that begins with https://, of at most ${TARGET_LENGTH_MAX} characters`,
  schema: { type: "string" },
  parse: (value) => (typeof value === "string" && value.length <= TARGET_LENGTH_MAX ? value.trim() : undefined),
  hidden: true, // a target may contain a chat's secret, or be a person's address
};
const TOPIC_LIST: Field<readonly Topic[], false> = {
  required: false,
  expected: `a list of one or more of ${TOPICS.join(", ")}, each once`,
  schema: { type: "array", items: { type: "string", enum: TOPICS }, minItems: 1, uniqueItems: true },
  parse: (value) => {
    if (!Array.isArray(value) || value.length === 0 || value.length > TOPICS.length) return undefined;
    const known = TOPICS.filter((topic) => value.includes(topic));
    return known.length === value.length ? known : undefined;
  },
};
const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$/;
const QUIET: Field<QuietHours | null, false> = {
  required: false,
  expected: 'null, or the local hours in which nothing is sent, such as {"from":"22:00","to":"07:00"}',
  schema: { anyOf: [{ type: "null" }, { type: "object" }] },
  parse: (value) => {
    if (value === null) return null;
    if (!isObject(value) || Object.keys(value).some((key) => key !== "from" && key !== "to")) return undefined;
    const { from, to } = value as Record<string, unknown>;
    return typeof from === "string" && typeof to === "string" && CLOCK.test(from) && CLOCK.test(to)
      ? { from, to }
      : undefined;
  },
};
const PERIODS = ["day", "week", "month"] as const;
const GOAL: Field<Target | null, false> = {
  required: false,
  expected: `null, or what is to be reached, such as {"metric":"orders","value":100,"period":"week","goal":null}; metrics: ${TARGET_METRICS.join(", ")}`,
  schema: { anyOf: [{ type: "null" }, { type: "object" }] },
  parse: (value) => {
    if (value === null) return null;
    if (!isObject(value) || Object.keys(value).some((key) => !["metric", "value", "period", "goal"].includes(key)))
      return undefined;
    const { metric, value: least, period, goal = null } = value as Record<string, unknown>;
    const known = TARGET_METRICS.find((one) => one === metric);
    const of = PERIODS.find((one) => one === period);
    const isNumber = typeof least === "number" && least > 0 && least <= TARGET_VALUE_MAX;
    const isName = goal === null || (typeof goal === "string" && goal !== "" && goal.length <= NAME_LENGTH_MAX);
    return known !== undefined && of !== undefined && isNumber && isName
      ? { metric: known, value: least, period: of, goal: goal as string | null }
      : undefined;
  },
};

const PAUSE: Field<number | null, false> = {
  ...INSTANT,
  expected: `null, or ${INSTANT.expected}`,
  schema: { anyOf: [{ type: "null" }, INSTANT.schema] },
  parse: (value) => (value === null ? null : INSTANT.parse(value)),
};

const SETTINGS = { topics: TOPIC_LIST, language: oneOf(LANGUAGES), quiet: QUIET, goal: GOAL };
export const NEW_SUBSCRIPTION = {
  channel: required(oneOf(CHANNELS)),
  target: required(TARGET),
  ...SETTINGS,
  topics: required(TOPIC_LIST),
};
export const CHANGED_SUBSCRIPTION = { ...SETTINGS, state: oneOf(["on", "off"]), paused_until: PAUSE };
export const NOTICE_PREVIEW = {
  topic: required(oneOf(REPORT_TOPICS)),
  channel: oneOf(CHANNELS),
  language: oneOf(LANGUAGES),
};

export const ALARM_PREVIEW = { language: oneOf(LANGUAGES) };

/** POST /api/v1/merchants/:id/subscriptions: a webhook's secret is in this answer and is never shown again. */
export async function postSubscription(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, NEW_SUBSCRIPTION);
  if (!body.ok) return body;
  const { channel, topics, language = "en", quiet = null, goal = null } = body.value;
  const refusal = refusalOfGoal(topics, goal);
  if (refusal !== undefined) return problem("invalid_field", refusal, "goal");
  const target = targetOf(channel, body.value.target);
  if ("refusal" in target) return problem("invalid_field", target.refusal, "target");
  if (channel === "email" && deps.dashboardUrl === undefined)
    return problem(
      "conflict",
      "This deployment has not said its address (DASHBOARD_URL), which mails need to be ended by.",
    );
  const now = deps.now();
  const id = subscriptionId(deps.random(ID_RANDOM_BYTES));
  const isOwn = channel !== "email" || (await isVouched(merchant.value, target.target, deps));
  const state = isOwn ? "on" : "unconfirmed";
  const subscription: StoredSubscription = {
    ...{ id, merchant: merchant.value.number, channel, target: target.target, topics, language, quiet, goal },
    ...{ state, reason: "", previousSecret: null, previousUntil: null, pausedUntil: null, createdAt: now },
    secret: channel === "webhook" ? webhookSecret(deps.random(API_KEY_RANDOM_BYTES)) : null,
    ...dueOf({ id, topics, state, pausedUntil: null }, merchant.value, now),
  };
  const made = await createSubscription(deps.directory, subscription);
  if (made === "full") return problem("conflict", `A merchant has at most ${SUBSCRIPTIONS_COUNT_MAX} subscriptions.`);
  if (made === "taken") return problem("conflict", "The merchant has a subscription of this target.", "target");
  if (state === "unconfirmed" && !(await writeConfirmation(subscription, merchant.value, deps))) {
    await dropSubscription(deps.directory, { merchant: merchant.value.number, id });
    return ASKED_MANY;
  }
  const { secret } = subscription;
  return { ok: true, value: { status: 201, body: { ...shown(subscription), ...(secret !== null && { secret }) } } };
}

/** GET /api/v1/merchants/:id/subscriptions: all subscriptions, without secrets. */
export async function getSubscriptions(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const rows = await listSubscriptions(deps.directory, merchant.value.number);
  return { ok: true, value: { body: { subscriptions: rows.map(shown), next: null } } };
}

/** GET /api/v1/merchants/:id/subscriptions/:subscription_id, with the state of its latest messages. */
export async function getSubscription(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const found = await subscriptionOf(c, deps);
  if (!found.ok) return found;
  const { merchant, subscription } = found.value;
  const read = { merchant: merchant.number, subscription: subscription.id, rowsMax: DELIVERIES_SHOWN_MAX };
  const deliveries = await listDeliveries(deps.ledgers.ofMerchant(merchant.number), read);
  return { ok: true, value: { body: { ...shown(subscription), deliveries: deliveries.map(shownDelivery) } } };
}

/**
 * PATCH …/:subscription_id: changes it, or switches it on again. If the receiver ended it by mail, the address is asked
 * again.
 */
export async function patchSubscription(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const shop = await merchantOf(c, deps);
  if (!shop.ok) return shop;
  const body = await bodyOf(c, CHANGED_SUBSCRIPTION);
  if (!body.ok) return body;
  const found = await subscriptionOf(c, deps);
  if (!found.ok) return found;
  const { merchant, subscription } = found.value;
  const { topics = subscription.topics, language = subscription.language, quiet, goal, state: asked } = body.value;
  const { paused_until: pausedUntil = subscription.pausedUntil } = body.value;
  const now = deps.now();
  if (body.value.paused_until !== undefined && !isPause(pausedUntil, now))
    return problem("invalid_field", '"paused_until" must lie ahead, and within a year.', "paused_until");
  const next = {
    ...{ topics, language, pausedUntil },
    quiet: quiet === undefined ? subscription.quiet : quiet,
    goal: goal === undefined ? subscription.goal : goal,
  };
  const refusal = refusalOfGoal(topics, next.goal);
  if (refusal !== undefined) return problem("invalid_field", refusal, "goal");
  const isAsking = asked === "on" && subscription.state === "off" && subscription.channel === "email";
  const isOwn = !isAsking || (await isVouched(merchant, subscription.target, deps));
  const state =
    isAsking && !isOwn
      ? "unconfirmed"
      : subscription.state === "unconfirmed"
        ? "unconfirmed"
        : (asked ?? subscription.state);
  const { id } = subscription;
  const reason = state === "off" ? subscription.reason || "switched off" : "";
  const due = dueOf({ id, topics, state, pausedUntil }, merchant, now);
  if (isAsking && !isOwn && !(await writeConfirmation({ ...subscription, ...next }, merchant, deps))) return ASKED_MANY;
  const changed = await changeSubscription(deps.directory, {
    merchant: merchant.number,
    id,
    ...next,
    state,
    reason,
    ...due,
  });
  if (changed === undefined) return NO_SUBSCRIPTION;
  return { ok: true, value: { body: shown(changed) } };
}

/** DELETE …/:subscription_id: nothing is sent to it from now on. */
export async function deleteSubscription(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const id = c.req.param("subscription_id") ?? "";
  if (!(await dropSubscription(deps.directory, { merchant: merchant.value.number, id }))) return NO_SUBSCRIPTION;
  return { ok: true, value: { body: { id, deleted: true } } };
}

/**
 * POST …/:subscription_id/rotate: makes a new secret, which is in this answer. For 24 hours messages are signed with
 * the old one as well.
 */
export async function postSubscriptionRotation(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const found = await subscriptionOf(c, deps);
  if (!found.ok) return found;
  const { merchant, id, channel, secret: previousSecret } = found.value.subscription;
  if (channel !== "webhook") return problem("conflict", "Only webhooks are signed.");
  const secret = webhookSecret(deps.random(API_KEY_RANDOM_BYTES));
  const previousUntil = deps.now() + WEBHOOK_ROTATION_MS;
  const changed = await changeSubscription(deps.directory, { merchant, id, secret, previousSecret, previousUntil });
  if (changed === undefined) return NO_SUBSCRIPTION;
  const previous_until = new Date(previousUntil).toISOString();
  return { ok: true, value: { body: { ...shown(changed), secret, previous_until } } };
}

/** POST …/:subscription_id/test: writes a message that says that it is a test. At most one a minute is allowed. */
export async function postSubscriptionTest(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const found = await subscriptionOf(c, deps);
  if (!found.ok) return found;
  const { merchant, subscription } = found.value;
  if (subscription.state !== "on") return problem("conflict", `The subscription is ${subscription.state}.`);
  if (isPaused(subscription, deps.now())) return problem("conflict", "The subscription is paused.");
  const read = { merchant: merchant.number, subscription: subscription.id, rowsMax: DELIVERIES_SHOWN_MAX };
  const latest = await listDeliveries(deps.ledgers.ofMerchant(merchant.number), read);
  const part = `${subscription.id}${TEST_PART}`;
  const waiting = latest.filter(({ id, state }) => id.startsWith(part) && state === "waiting");
  if (waiting.length >= TESTS_WAITING_MAX)
    return problem(
      "conflict",
      `${waiting.length} test messages wait already. Try again when one was sent or given up.`,
    );
  const now = deps.now();
  const id = `${part}${new Date(now).toISOString().slice(0, 16)}`;
  const words = WORDS[subscription.language];
  const message = saying(
    { type: "subscription.test", subject: words.test, text: words.testSays },
    { merchant, subscription, now, deps },
  );
  const written = { merchant: merchant.number, id, subscription: subscription.id, message, notBefore: now };
  await writeMessages(deps.ledgers.ofMerchant(merchant.number), [written]);
  return { ok: true, value: { status: 202, body: { id } } };
}

/**
 * GET /api/v1/merchants/:id/alarms: the alarms that would have been told in the last 30 Days, each with the numbers it
 * was made from.
 */
export async function getAlarms(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const asked = parametersOf(c, ALARM_PREVIEW);
  if (!asked.ok) return asked;
  const { language = "en" } = asked.value;
  const now = deps.now();
  const zone = zoneAt(zonesOf(merchant.value), now);
  const paying = readingAs({ id: actorOf(principalOf(c)), merchant: merchant.value, isShared: false }, deps);
  const read = await readHours(merchant.value, { zone, daysBack: ALARM_PREVIEW_FROM_DAYS }, paying);
  const refusal = paying.reading?.refusal;
  if (refusal !== undefined) {
    c.header("Retry-After", String(RATE_LIMIT_PERIOD_SECONDS));
    return problem("rate_limited", refusal);
  }
  if (!read.ok) return problem("invalid_field", read.rejection.message);
  const { hours, asOf } = read.value;
  const today = dayAt(zone, now);
  // A look of the cron waits for the hits of an Hour. Here such an Hour is left out.
  const counted = hours.filter((hour) => hourAfter(zone, hour.start) <= asOf);
  const { id, name, currency } = merchant.value;
  const writing = { language, links: {}, now };
  const alarms = pastAlarms(counted, today).map(({ alarm, endedAt }) => {
    const { kind, since, finding } = alarm;
    const { subject, says } = sayAlarm({ alarm, endedAt: undefined }, { id, name, zone, currency }, writing);
    const until = endedAt === undefined ? null : isoLocal(zone, endedAt);
    return { kind, topic: TOPIC_OF[kind], since: isoLocal(zone, since), until, subject, says, finding };
  });
  const from = dateOf(today - ALARM_PREVIEW_DAYS + 1);
  return { ok: true, value: { body: { from, to: dateOf(today), as_of: new Date(asOf).toISOString(), alarms } } };
}

/** POST /api/v1/merchants/:id/subscriptions/preview: exactly what would be sent for the latest period. */
export async function postNoticePreview(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, NOTICE_PREVIEW);
  if (!body.ok) return body;
  const { topic, channel = "email", language = "en" } = body.value;
  const now = deps.now();
  const zone = zoneAt(zonesOf(merchant.value), now);
  const period = periodBefore(topic, dayAt(zone, now));
  const who = { id: actorOf(principalOf(c)), merchant: merchant.value, isShared: false };
  const paying = readingAs(who, deps);
  const numbers = await readReportNumbers({ topic, period }, merchant.value, paying);
  const refusal = paying.reading?.refusal;
  if (refusal !== undefined) {
    c.header("Retry-After", String(RATE_LIMIT_PERIOD_SECONDS));
    return problem("rate_limited", refusal);
  }
  if (numbers === "incomplete")
    return problem("conflict", "Hits of this period wait to be counted. Ask again in a few minutes.");
  if (!numbers.ok) return problem("invalid_field", numbers.rejection.message);
  const dashboard = linksOf({ id: "" }, merchant.value, deps).dashboard;
  const message = toReport(numbers.value, { language, links: { dashboard }, now });
  return { ok: true, value: { body: formOf(channel, message) } };
}

function formOf(channel: Channel, message: Message): Readonly<Record<string, unknown>> {
  const { subject, text, html } = message;
  if (channel === "email") return { channel, subject, text, html };
  const body = channel === "webhook" ? toWebhookBody(message) : toChatBody(channel, message);
  return { channel, body: JSON.parse(body) as unknown };
}

interface Saying {
  readonly merchant: Merchant;
  readonly subscription: StoredSubscription;
  readonly now: number;
  readonly deps: Pick<Deps, "dashboardUrl" | "sealSecrets">;
}

/** A short message with one paragraph. */
function saying(
  { type, subject: said, text: words }: { readonly type: string; readonly subject: string; readonly text: string },
  { merchant, subscription, now, deps }: Saying,
): Message {
  const shop = unlinked(merchant.name); // strangers get these messages too
  const subject = fill(said, { shop });
  const sections = [{ rows: [[fill(words, { shop })]] }];
  const link = type === CONFIRMATION ? noticeLink(subscription.id, "confirm", deps) : undefined;
  const ends = link === undefined ? [] : [link];
  return {
    ...{ type, subject, text: toText(sections, ends), data: { merchant: merchant.id, name: merchant.name }, at: now },
    html: toHtml({ title: subject, sections, ends, language: subscription.language }),
    ...(type !== CONFIRMATION && { unsubscribe: noticeLink(subscription.id, "end", deps) }),
  };
}

/**
 * Asks an address that nobody vouches for whether it wants messages, at most once a Day. False if the merchant has
 * asked too often. A limit for one subscription is not enough, since a subscription that is deleted and made again has
 * a new id.
 */
async function writeConfirmation(subscription: StoredSubscription, merchant: Merchant, deps: Deps): Promise<boolean> {
  const now = deps.now();
  const words = WORDS[subscription.language];
  const asked = { type: CONFIRMATION, subject: words.confirm, text: words.confirmSays };
  const message = saying(asked, { merchant, subscription, now, deps });
  const id = `${subscription.id}${CONFIRM_PART}${new Date(now).toISOString().slice(0, 10)}`;
  const written = { merchant: merchant.number, id, subscription: subscription.id, message, notBefore: now };
  const quota = { part: CONFIRM_PART, since: now - DAY_MS, max: CONFIRMATIONS_DAY_MAX };
  return writeWithin(deps.ledgers.ofMerchant(merchant.number), written, quota);
}

/** What the ids of these messages have in common. */
const CONFIRM_PART = ":confirm:";
const TEST_PART = ":test:";
const ASKED_MANY = problem(
  "conflict",
  `${CONFIRMATIONS_DAY_MAX} addresses are asked in 24 hours whether they want mail. Try again tomorrow.`,
  "target",
);

/**
 * Whether it is known that a member reads mail of an address. Cloudflare Access vouches for addresses. An invite by
 * password does not. Its token goes to the owner, who may use it with any address and so subscribe a stranger.
 */
async function isVouched(merchant: Merchant, email: string, deps: Deps): Promise<boolean> {
  if (deps.access === undefined) return false;
  return (await listMembers(deps.directory, merchant.number)).some((member) => member.email === email);
}

function isPause(until: number | null, now: number): boolean {
  return until === null || (until > now && until <= now + SUBSCRIPTION_PAUSE_MAX_MS);
}

function refusalOfGoal(topics: readonly Topic[], goal: Target | null): string | undefined {
  return topics.includes("goal") && goal === null
    ? 'The topic "goal" needs a "goal" that says what is to be reached.'
    : undefined;
}

function targetOf(channel: Channel, target: string): { readonly target: string } | { readonly refusal: string } {
  if (channel === "email") {
    const email = parseEmail(target);
    return email === undefined
      ? { refusal: '"target" must be an e-mail address such as "anna@shop.example".' }
      : { target: email };
  }
  const refusal = refusalOfUrl(URL.parse(target), channel);
  return refusal === undefined ? { target } : { refusal: `"target" ${refusal}.` };
}

async function subscriptionOf(
  c: Context,
  deps: Deps,
): Promise<Checked<{ readonly merchant: Merchant; readonly subscription: StoredSubscription }>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const id = (c.req.param("subscription_id") ?? "").slice(0, ID_LENGTH_MAX);
  const subscription = await findSubscription(deps.directory, { merchant: merchant.value.number, id });
  if (subscription === undefined) return NO_SUBSCRIPTION;
  return { ok: true, value: { merchant: merchant.value, subscription } };
}

const NO_SUBSCRIPTION = problem("not_found", "The merchant has no subscription with this id.");

function shown({
  id,
  channel,
  target,
  topics,
  language,
  quiet,
  goal,
  state,
  reason,
  createdAt,
  pausedUntil,
  reportAt,
}: StoredSubscription) {
  const settings = { id, channel, target, topics, language, quiet, goal, state, reason };
  return {
    ...settings,
    paused_until: instant(pausedUntil),
    created_at: instant(createdAt),
    next_report_at: instant(reportAt),
  };
}

function instant(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function shownDelivery({ id, state, created_at, next_at, ended_at, attempts, error }: Delivery) {
  return {
    id,
    state,
    created_at: instant(created_at),
    next_at: instant(next_at),
    ended_at: instant(ended_at),
    attempts,
    error,
  };
}
