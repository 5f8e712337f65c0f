// The directory: the one D1 of who is who. Its type differs from a ledger's, so that the compiler sees when a function
// is given the other database.

export type Directory = D1Database & { readonly is?: "directory" };
