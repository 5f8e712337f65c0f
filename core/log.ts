// What the Workers log: one list of events with their fields, and how an entry is written. Nothing else writes to the
// console. docs/log.md shows the list to operators. No field holds a secret, an address or what a visitor sent. A field
// is a number, a name that Footfall gave, or a text from which everything of that kind is taken out (`withoutSecrets`).

/**
 * What a field's value is. A "cause" is a text that others wrote in part, such as an error's message or a path that was
 * asked.
 */
type Kind = "count" | "name" | "cause";

/** Every field that a line may have. */
export const LOG_FIELDS = {
  act: "name",
  added: "count",
  attempt: "count",
  attempts: "count",
  backup: "name",
  bytes: "count",
  changed: "count",
  day: "name",
  days: "count",
  duty: "name",
  entry: "count",
  erasure: "name",
  error: "cause",
  events: "count",
  failures: "count",
  files: "count",
  from: "name",
  generation: "count",
  job: "name",
  key: "name",
  ledger: "count",
  lost: "count",
  merchant: "count",
  merchants: "count",
  message: "name",
  name: "name",
  noted: "count",
  of: "count",
  partition: "name",
  partitions: "count",
  path: "cause",
  queue: "name",
  reason: "cause",
  receiver: "name",
  retry_in_seconds: "count",
  rows: "count",
  says: "cause",
  severity: "name",
  state: "name",
  step: "name",
  subscription: "name",
} as const satisfies Readonly<Record<string, Kind>>;

export type LogField = keyof typeof LOG_FIELDS;

/** "info": all is well. "warning": it is tried again or repairs itself. "error": somebody should look. */
export type LogLevel = "info" | "warning" | "error";

interface LogEventShape {
  readonly level: LogLevel;
  readonly fields: readonly LogField[];
  /** What has happened, and its consequence, for operators. */
  readonly means: string;
}

/** Every event that is logged, by its name. */
export const LOG_EVENTS = {
  // The collector, and partitions, which run in it
  collect_failed: {
    level: "error",
    fields: ["path", "error"],
    means: "a request with hits was answered 503; its client sends it again",
  },
  look_up_failed: {
    level: "warning",
    fields: ["error"],
    means: "the directory did not say whose a hostname or key is; what was known of it was used",
  },
  cache_failed: {
    level: "warning",
    fields: ["error"],
    means: "the platform's cache of answers did not answer or take one; the answer is read anew",
  },
  key_use_failed: { level: "warning", fields: ["error"], means: "when a key was last used could not be noted" },
  rate_limit_failed: {
    level: "warning",
    fields: ["error"],
    means: "a rate limit gave no answer; the request was let in",
  },
  append_failed: {
    level: "warning",
    fields: ["partition", "attempt", "error"],
    means: "a partition did not take events; they are tried again, then overflow",
  },
  partition_overloaded: {
    level: "warning",
    fields: ["partition", "events"],
    means: "a partition had too much to do; the events overflow",
  },
  overflow_queue_failed: {
    level: "warning",
    fields: ["queue", "error"],
    means: "an overflow queue did not take a message; the next one is tried",
  },
  overflow_failed: {
    level: "error",
    fields: ["partition", "events", "error"],
    means: "no overflow queue took events; the client was told to send them again",
  },
  overflow_unnoted: {
    level: "warning",
    fields: ["error"],
    means: "that events wait in an overflow queue could not be noted; `as_of` is too late for a while",
  },
  duty_failed: {
    level: "warning",
    fields: ["partition", "duty", "failures", "error"],
    means: "a partition could not do a duty; it tries again, every five minutes at last",
  },
  settings_unread: {
    level: "warning",
    fields: ["partition", "error"],
    means: "a partition could not read settings of merchants that are new to it; their hits wait",
  },
  settings_refresh_failed: {
    level: "warning",
    fields: ["partition", "error"],
    means: "a partition goes on with the settings that it has",
  },
  merchants_unknown: {
    level: "warning",
    fields: ["partition", "merchants"],
    means: "the directory does not speak of merchants that were given numbers; their hits wait",
  },
  partition_unclaimed: {
    level: "warning",
    fields: ["partition", "error"],
    means:
      "a partition could not ask its ledger whether its storage is the right one; hits of one that is new wait in the overflow queue",
  },
  partition_lost: {
    level: "error",
    fields: ["partition", "events", "of"],
    means:
      "a partition has the storage of no or of fewer events than it has had: its hits wait in the overflow queue until `footfall recover partition` is run",
  },
  merchant_slowed: {
    level: "warning",
    fields: ["partition", "merchant", "bytes", "of"],
    means:
      "a merchant's hits without a key are refused (429): its open Days hold too much memory (`bytes`), or all of its partition do (`of`)",
  },
  merchant_too_hot: {
    level: "warning",
    fields: ["partition", "merchant", "reason"],
    means: "a merchant sends too much for its partitions and cannot be spread further",
  },
  merchant_spread: {
    level: "info",
    fields: ["partition", "merchant", "partitions", "from"],
    means: "a merchant has more partitions from an instant on",
  },
  spread_failed: {
    level: "warning",
    fields: ["partition", "merchant", "error"],
    means: "a merchant could not be spread; it is tried again",
  },

  // The query Worker
  request_failed: { level: "error", fields: ["path", "error"], means: "a request was answered 503" },
  file_failed: { level: "error", fields: ["path", "error"], means: "an export or file broke off while it was sent" },
  later_failed: {
    level: "warning",
    fields: ["step", "error"],
    means: "work that nobody waits for was not done; `step` says which. A later request does it",
  },
  live_retried: {
    level: "info",
    fields: ["partition", "error"],
    means: "a partition did not say what it has, and was asked once more",
  },
  batch_failed: { level: "error", fields: ["error"], means: "several questions together could not be answered" },
  batch_question_failed: { level: "error", fields: ["error"], means: "one question of several could not be answered" },
  settings_push_failed: {
    level: "warning",
    fields: ["partition", "merchant", "error"],
    means: "a partition was not told of changed settings; it reads them itself within minutes",
  },
  audit_incomplete: {
    level: "error",
    fields: ["entry", "act", "error"],
    means: "how a change ended could not be written to the audit log; that it was begun is there",
  },
  merchant_number_in_use: {
    level: "error",
    fields: ["merchant"],
    means: "a number for a new merchant has numbers or events already; another was taken",
  },
  month_files_recovered: {
    level: "info",
    fields: ["ledger", "partition", "noted", "lost"],
    means: "a recovery noted month files that its ledger did not know, and gave up those that are gone",
  },

  bundle_unreadable: {
    level: "error",
    fields: ["key", "error"],
    means: "a bundle of the archive could not be read; a recovery went by its name alone",
  },

  // The background Worker
  message_failed: {
    level: "warning",
    fields: ["queue", "message", "attempts", "retry_in_seconds", "error"],
    means: "a message of a queue could not be handled; it is tried again, and laid into the dead letters at last",
  },
  dead_letter: {
    level: "error",
    fields: ["queue", "message", "key", "bytes"],
    means: "a message that could not be handled lies in R2 until it is redriven",
  },
  overflow_of_unknown_merchant: {
    level: "warning",
    fields: ["partition", "events"],
    means: "events of merchants that the directory says do not exist were left out",
  },
  seal_in_doubt: {
    level: "error",
    fields: ["day", "partition", "reason"],
    means: "a Day could not be sealed; its numbers stay as they were counted live",
  },
  seal_adopted: {
    level: "warning",
    fields: ["day", "partition", "generation"],
    means: "a Day's sealed files were in the archive and not in its ledger, as after a recovery",
  },
  events_lost: {
    level: "error",
    fields: ["day", "partition", "merchants", "events"],
    means: "after the bucket was lost, the archive has fewer events of a Day than were counted; its numbers stay",
  },
  seal_not_derived: {
    level: "warning",
    fields: ["day", "partition", "merchant", "reason"],
    means: "a merchant's rows could not be derived; the Day is sealed, and questions read its rows",
  },
  replay_waits: {
    level: "warning",
    fields: ["job", "error"],
    means: "a replay could not go on; the next cron tries again",
  },
  replay_part_failed: {
    level: "error",
    fields: ["job", "partition", "reason"],
    means: "a part of a replay was given up",
  },
  erasure_waits: {
    level: "warning",
    fields: ["erasure", "partition", "error"],
    means: "an erasure could not go on in a partition; the next cron tries again",
  },
  cron_step_failed: {
    level: "error",
    fields: ["step", "error"],
    means:
      "a step of the cron (`workers/background/index.ts`) failed, and the others were done; the next cron, five minutes later, tries it again",
  },
  ledger_failed: {
    level: "error",
    fields: ["ledger", "error"],
    means: "a ledger failed in something that is done for all of them; the others were done",
  },
  directory_failed: { level: "error", fields: ["error"], means: "the directory did not say where it stands" },
  directory_behind: {
    level: "error",
    fields: [],
    means: "the directory is one of before: nothing is made that gets a number until it is recovered",
  },
  directory_backed_up: {
    level: "info",
    fields: ["backup", "rows", "bytes"],
    means: "a backup of the directory is complete",
  },
  alert_raised: {
    level: "error",
    fields: ["name", "severity", "says"],
    means: "an alert was raised; [the runbook](runbook.md) has its name",
  },
  alert_ended: { level: "info", fields: ["name", "says"], means: "an alert is over" },
  tell_failed: {
    level: "error",
    fields: ["receiver", "name", "error"],
    means: "a receiver did not take an alert; the next cron sends it again",
  },
  heartbeat_failed: { level: "warning", fields: ["error"], means: "the heartbeat's address did not take a request" },
  resolver_failed: {
    level: "warning",
    fields: ["error"],
    means: "the resolver (DNS_URL) did not say what stands at a name; a merchant could not prove a hostname just then",
  },
  notice_not_sent: {
    level: "warning",
    fields: ["message", "state", "attempts", "error"],
    means: "a message to a merchant was not taken (`waiting`), and after three days given up (`failed`)",
  },
  report_failed: { level: "error", fields: ["subscription", "error"], means: "a report to a merchant was not written" },
  look_failed: {
    level: "error",
    fields: ["merchant", "error"],
    means: "a merchant's numbers were not looked at for alarms",
  },
  goal_not_asked: {
    level: "warning",
    fields: ["message", "error"],
    means: "what an alarm compares could not be asked, such as a goal that was deleted",
  },
  rates_fetched: { level: "info", fields: ["days", "added", "changed"], means: "exchange rates were fetched" },
  rates_fetch_failed: {
    level: "warning",
    fields: ["error"],
    means: "exchange rates could not be fetched; the last ones hold for 14 Days, and the next cron tries again",
  },
  merchant_narrowed: {
    level: "info",
    fields: ["merchant", "partitions", "from"],
    means: "a merchant has fewer partitions from an instant on",
  },
  narrow_failed: {
    level: "warning",
    fields: ["merchant", "error"],
    means: "a merchant's partitions were not made fewer",
  },
  months_moved: { level: "info", fields: ["ledger", "files"], means: "old Days were moved to so many files in R2" },
  meter_failed: {
    level: "warning",
    fields: ["error"],
    means: "what was counted for the month's cost could not be added up; it is added with the next",
  },
} as const satisfies Readonly<Record<string, LogEventShape>>;

export type LogEventName = keyof typeof LOG_EVENTS;

type ValueOf<Field extends LogField> = (typeof LOG_FIELDS)[Field] extends "count" ? number : string;

/** An event with exactly its fields. */
export type LogEntry = {
  readonly [Name in LogEventName]: { readonly event: Name } & {
    readonly [Field in (typeof LOG_EVENTS)[Name]["fields"][number]]: ValueOf<Field>;
  };
}[LogEventName];

export type Log = (line: LogEntry) => void;

/** A line as it is written: JSON, with the event's level, its own fields and no others. */
export function encodeLogEntry(line: LogEntry): string {
  const { level, fields }: LogEventShape = LOG_EVENTS[line.event];
  const values = line as unknown as Readonly<Record<string, string | number>>;
  const written = fields.map((field) => [field, writtenOf(LOG_FIELDS[field], values[field])]);
  return JSON.stringify({ event: line.event, level, ...Object.fromEntries(written) });
}

/** What is written for a field's value, even if the value does not have its type at run time. */
function writtenOf(kind: Kind, value: string | number | undefined): string | number | undefined {
  if (value === undefined || kind === "count") return typeof value === "number" ? value : undefined;
  const text = String(value).slice(0, TEXT_LENGTH_MAX);
  if (kind === "name") return NAME.test(text) ? text : "(not a name)";
  return withoutSecrets(text);
}

const TEXT_LENGTH_MAX = 300;

/** What Footfall names things with: partitions, queues, steps, rows, objects in R2, dates. */
const NAME = /^[\w.:/=+ -]*$/;

/**
 * A text without anything that could open something or name somebody. It loses addresses of mail and of the network,
 * all of a URL behind its host, our own tokens, and long texts of hexadecimal digits or of mixed letters and digits.
 */
export function withoutSecrets(text: string): string {
  return HIDDEN.reduce((left, [what, instead]) => left.replace(what, instead), text);
}

const HIDDEN: readonly (readonly [RegExp, string])[] = [
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)(?:[^\s/@"']{0,200}@)?([^\s/?#@"'<>]{1,200})[^\s"'<>]*/gi, "$1$2/…"],
  [/[^\s@"'<>(),:;=]{1,100}@[^\s@"'<>(),;]{1,200}/g, "(address)"],
  [/(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)/g, "(address)"],
  [/(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}(?![\w:])/gi, "(address)"],
  [
    /(?<![\w:)])(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?(?![\w:])/gi,
    "(address)",
  ],
  [/\b(?:ff[a-z]|whsec)_[\w+=-]+/g, "(secret)"],
  [/(?<![\w-])[0-9a-f-]{16,}(?![\w-])/gi, "(hidden)"],
  [/(?<![\w+/=-])(?=[\w+=-]*[a-z])(?=[\w+=-]*[A-Z])(?=[\w+=-]*\d)[\w+=-]{16,}/g, "(hidden)"],
];
