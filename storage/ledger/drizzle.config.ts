// Where drizzle-kit finds the ledger's schema and keeps its migrations (`npm run db:generate`).

import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: "./storage/ledger/schema.ts",
  out: "./storage/ledger/migrations",
});
