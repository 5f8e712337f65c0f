// How an API key looks. Where a protocol has room for one public ID only (Segment's write key, Umami's website), a
// server may put its API key there, so formats must tell the two apart; what a key opens is looked up by storage/.

/** Whether a text can be an API key at all; others are refused without asking the database. */
export function isApiKeyShaped(text: string): boolean {
  return /^ffk_[A-Za-z0-9_-]{43}$/.test(text);
}
