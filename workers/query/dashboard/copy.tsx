// Puts a text on the clipboard, and says so.

import { useState } from "preact/hooks";
import { t } from "./text.ts";

interface CopyProps {
  readonly text: string;
  /** Of what it is, where several stand on a page. */
  readonly name?: string;
  readonly class?: string;
}

/** A button that copies a text. */
export function Copy({ text, name, class: look }: CopyProps) {
  const [copied, setCopied] = useState<string>();
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(text);
  };
  const says = copied === text ? t("copied") : t("copy");
  return (
    <button type="button" class={look} aria-label={name && `${says}: ${name}`} onClick={copy}>
      {says}
    </button>
  );
}
