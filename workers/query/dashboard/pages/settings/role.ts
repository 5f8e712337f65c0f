// What somebody's role in the shop lets them do.

import { shop } from "../../store.ts";

/**
 * Whether whoever is here changes what an admin may, or an owner alone. The API says the same, and has the last word.
 */
export function isAllowed(least: "viewer" | "admin" | "owner"): boolean {
  const ranks = ["viewer", "admin", "owner"];
  return ranks.indexOf(shop.value?.role ?? "") >= ranks.indexOf(least);
}
