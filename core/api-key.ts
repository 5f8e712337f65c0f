// How an API key looks. Some protocols have room for one public ID only (Segment's write key, Umami's website), and a
// server may put its API key there. So formats must tell the two apart. What a key opens is looked up by storage/.

/** Whether a text can be an API key at all. Any other text is refused without asking the database. */
export function isApiKeyShaped(text: string): boolean {
  return /^ffk_[A-Za-z0-9_-]{43}$/.test(text);
}
