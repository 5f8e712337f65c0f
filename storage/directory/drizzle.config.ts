// Where drizzle-kit finds the directory's schema and keeps its migrations (`npm run db:generate`).

import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: "./storage/directory/schema.ts",
  out: "./storage/directory/migrations",
});
