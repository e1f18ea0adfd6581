import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: ['./server/src/db/columns.ts', './server/src/domains/*/*tables.ts'],
  out: './server/src/db/migrations',
  breakpoints: false,
  ...(process.env.DATABASE_URL ? { dbCredentials: { url: process.env.DATABASE_URL } } : {}),
});
