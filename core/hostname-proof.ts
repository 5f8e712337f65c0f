// Whether DNS says that a hostname is a merchant's. What a merchant's own people call a hostname is only said: it may
// be the neighbour's. It is proven by a TXT record beside it that names the merchant by one of its tracking IDs. Those
// stand in every page, so the record hides nothing, and it is good for the merchant that it names and for nobody else.
// A hostname changes hands only when the record of its holder is gone, so of two that both have a record none can take
// it from the other. Who asks DNS is workers/background/resolve.ts, what is kept of it storage/directory/streams.ts.

import { PROOF_TEXTS_MAX } from "./limits.ts";
import { type Sign, verifyTrackingId } from "./tracking-id.ts";

/** How a hostname is known to be a merchant's: the deployment gave it, or a record of DNS named the merchant. */
export const HOSTNAME_PROOFS = ["given", "dns"] as const;

export type HostnameProof = (typeof HOSTNAME_PROOFS)[number];

/** A record of DNS, as its form at a registrar asks for it. */
export interface ProofRecord {
  readonly name: string;
  readonly type: "TXT";
  readonly text: string;
}

const LABEL = "_footfall";
const PREFIX = "footfall=";

/** The record that proves a hostname of a merchant, which has this tracking ID. */
export function proofRecordOf(hostname: string, trackingId: string): ProofRecord {
  return { name: `${LABEL}.${hostname}`, type: "TXT", text: PREFIX + trackingId };
}

/**
 * "missing": no text names the merchant. "held": one names it and another one the holder, who keeps the hostname until
 * that is taken away.
 */
export type ProofVerdict = "proven" | "missing" | "held";

export interface ProofCase {
  /** The merchant that wants the hostname, by its number. */
  readonly merchant: number;
  /** The merchant whose hostname it is now; undefined where it is proven for nobody. */
  readonly holder: number | undefined;
  readonly signs: readonly Sign[];
}

/** What the texts of the records at a hostname prove (MER-12, MER-13). */
export function judgeProof(texts: readonly string[], { merchant, holder, signs }: ProofCase): ProofVerdict {
  const named = new Set(texts.slice(0, PROOF_TEXTS_MAX).map((text) => merchantNamed(text, signs)));
  if (!named.has(merchant)) return "missing";
  return holder !== undefined && holder !== merchant && named.has(holder) ? "held" : "proven";
}

function merchantNamed(text: string, signs: readonly Sign[]): number | undefined {
  const said = text.trim();
  if (!said.toLowerCase().startsWith(PREFIX)) return undefined;
  return verifyTrackingId(said.slice(PREFIX.length).trim(), signs)?.merchant;
}

/**
 * The text of a TXT record. A resolver that answers in JSON writes it as a zone file does, in one or more quoted parts
 * (`"footfall=" "0000…"`), or bare.
 */
export function parseTxt(data: string): string {
  if (!data.startsWith('"')) return data;
  // Sticky, so that a part which is never closed is looked for once and not from each quote in it.
  const parts = [...data.matchAll(/\s*"((?:[^"\\]|\\[\s\S])*)"/gy)].map(([, part = ""]) => part);
  return parts.join("").replace(/\\(\d{3}|[\s\S])/g, (_, escaped: string) => {
    return escaped.length === 3 ? String.fromCharCode(Number(escaped)) : escaped;
  });
}
