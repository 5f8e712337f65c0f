// Texts that stand where a visitor's id should be and are none. Programs send them when they know no id. Taken for ids,
// they would make one visitor of many people. So an event with such a text is counted as if it had no id, by a
// cookieless visitor.

/** Such texts, in lower case and without blanks, quotes and brackets around them. */
const JUNK: ReadonlySet<string> = new Set([
  "",
  "undefined",
  "null",
  "nil",
  "none",
  "nan",
  "void",
  "true",
  "false",
  "object object",
  "object",
  "string",
  "number",
  "not set",
  "not_set",
  "notset",
  "not provided",
  "not available",
  "not_available",
  "not authenticated",
  "not_authenticated",
  "n/a",
  "na",
  "unknown",
  "unset",
  "empty",
  "blank",
  "default",
  "anonymous",
  "anonymous user",
  "anonymous_user",
  "anonymoususer",
  "anon",
  "guest",
  "id",
  "uid",
  "uuid",
  "guid",
  "user",
  "userid",
  "user id",
  "user_id",
  "client_id",
  "clientid",
  "visitor_id",
  "visitorid",
  "anonymous_id",
  "anonymousid",
  "distinct_id",
  "distinctid",
  "device_id",
  "deviceid",
  "email",
  "undefined.undefined",
  "null.null",
  "nan.nan",
]);

/** Only zeros and signs ("0", "00000000-0000-0000-0000-000000000000", "-", "???"), and the UUIDs of examples. */
const NO_SIGN = /^(?:[0\s!-/:-@[-`{-~]*|-1|f{8}(?:-f{4}){3}-f{12}|x{8}-x{4}-[4x]x{3}-[xy]x{3}-x{12})$/;
/** A placeholder that was not filled in: "{{user_id}}", "${uid}", "%USER_ID%", "{uid}", "<id>". */
const UNFILLED = /^(?:\{\{.*\}\}|\$\{.*\}|\{[a-z_. ]+\}|%\w+%|<.*>)$/s;

/** Whether a text says that there is no id. */
export function isNoId(text: string): boolean {
  if (text.length > JUNK_LENGTH_MAX) return false;
  const plain = text.trim().toLowerCase();
  return NO_SIGN.test(plain) || UNFILLED.test(plain) || JUNK.has(plain.replace(/^["'(<[\s]+|["')>\]\s]+$/g, ""));
}

/** A longer text is taken for an id. */
const JUNK_LENGTH_MAX = 80;
