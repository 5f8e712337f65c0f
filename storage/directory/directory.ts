// The directory: the one D1 of who is who. Its type differs from a ledger's, so the compiler refuses the one where the
// other is meant.

export type Directory = D1Database & { readonly is?: "directory" };
