// The notes on the days of the chart. They are asked for after the numbers, because they change none of them.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Dates } from "./address.ts";
import { shareToken } from "./boot.ts";
import { ofShop } from "./get.ts";
import { request } from "./numbers.ts";
import { shop } from "./store.ts";

export interface Note {
  readonly id: string;
  readonly date: string;
  readonly text: string;
  readonly author: string | null;
}

/** Those of the days that were asked for last. */
export const notes = signal<readonly Note[]>([]);
/** Grows when they are to be asked for again. */
export const notesTurn = signal(0);
const AFTER_MS = 1_000;

/** Where the API keeps them. */
export function notesPath(): string {
  return `/api/v1/merchants/${encodeURIComponent(shop.value?.id ?? "")}/notes`;
}

/** Asks for the notes of these days; a share link shows none. */
export function useNotes(shown: Dates | undefined): void {
  const turn = notesTurn.value;
  const range = shown?.join("&to=");
  useEffect(() => {
    if (range === undefined || shop.value === undefined || shareToken !== undefined) return undefined;
    const timer = setTimeout(async () => {
      const reply = await request("GET", `${notesPath()}?from=${range}`, { headers: ofShop() });
      // Without them the chart is whole: what failed is said where notes are written.
      if ("body" in reply) notes.value = (reply.body as { readonly notes: readonly Note[] }).notes;
    }, AFTER_MS);
    return () => {
      clearTimeout(timer);
      notes.value = [];
    };
  }, [range, turn]);
}

/** Texts by the place of the bucket that their day is in, or begins in. */
export function notesAt(labels: readonly string[], all: readonly Note[]): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const { date, text } of all) {
    const first = labels.findIndex((label) => label.slice(0, 10) === date);
    const at = first >= 0 ? first : labels.findLastIndex((label) => label.slice(0, 10) < date);
    if (at >= 0) found.set(at, found.has(at) ? `${found.get(at)} · ${text}` : text);
  }
  return found;
}
