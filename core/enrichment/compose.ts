// Unicode's composed forms. Composing sorts the accents behind a letter, in time that grows with the square of their
// number. So only the first accents of a row are read.

import { MARKS_IN_ROW_MAX } from "../limits.ts";

/** A text in a composed form, without accents beyond MARKS_IN_ROW_MAX in a row. */
export function compose(text: string, form: "NFC" | "NFKC" = "NFC"): string {
  return withoutMore(withoutMore(text).normalize(form)); // composing may take a mark apart into several
}

const MORE_MARKS = new RegExp(`(\\p{M}{${MARKS_IN_ROW_MAX}})\\p{M}+`, "gu");

function withoutMore(text: string): string {
  return text.replace(MORE_MARKS, "$1");
}
