// What no line of a log may have: secrets of the deployment, tokens that open something, addresses of people. Every
// test that starts the Workers hands its log over here, so that the whole suite looks for it.

const TOKEN = /\bff[ksito]_[A-Za-z0-9_-]{43}\b/;
const EMAIL = /[\w.+-]+@[\w-]+(\.[\w-]+)*\.example\b/;
/** The networks that are there for examples (RFC 5737, RFC 3849): what tests say a visitor's address is. */
const ADDRESS = /\b(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+\b|\b2001:db8:/i;

/** What is wrong with a line of the log, or undefined. */
export function leakIn(line: string, secrets: readonly string[]): string | undefined {
  if (secrets.some((secret) => line.includes(secret))) return "a secret of the deployment";
  if (TOKEN.test(line)) return "a token";
  if (EMAIL.test(line)) return "an address of mail";
  return ADDRESS.test(line) ? "a visitor's address" : undefined;
}
