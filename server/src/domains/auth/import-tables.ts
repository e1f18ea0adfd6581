import { sql } from 'drizzle-orm';
import { bigint, check, index, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { at, authSchema, bytes } from '../../db/columns.ts';
import { users } from '../users/tables.ts';

const count = (name: string) => bigint(name, { mode: 'number' });

/**
 * A file of people that is taken in, and how far. `digest` is of the file together with how it is read, so
 * that the same command goes on where it was broken off, and does nothing when it had come to the end.
 */
export const imports = authSchema.table(
  'imports',
  {
    id: uuid('id').primaryKey(),
    digest: bytes('digest').notNull(),
    mapping: text('mapping').notNull(),
    recordsDone: count('records_done').notNull(),
    created: count('created').notNull(),
    updated: count('updated').notNull(),
    skipped: count('skipped').notNull(),
    startedAt: at('started_at').notNull(),
    finishedAt: at('finished_at'),
  },
  (table) => [uniqueIndex('imports_digest_key').on(table.digest)],
);

const importId = () =>
  uuid('import_id')
    .notNull()
    .references(() => imports.id, { onDelete: 'cascade' });

/** What there is to say about a record: why it, or what of it, was left out. Repeats nothing of the file. */
export const importNotes = authSchema.table(
  'import_notes',
  {
    importId: importId(),
    record: count('record').notNull(),
    reason: text('reason').notNull(),
    line: count('line').notNull(),
    outcome: text('outcome', { enum: ['created', 'updated', 'skipped'] }).notNull(),
  },
  (table) => [
    primaryKey({ name: 'import_notes_pk', columns: [table.importId, table.record, table.reason] }),
    check('import_notes_outcome_check', sql`${table.outcome} in ('created', 'updated', 'skipped')`),
  ],
);

/** Whom a file brought, and what they were called where they came from. */
export const importedPeople = authSchema.table(
  'imported_people',
  {
    importId: importId(),
    record: count('record').notNull(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    externalId: text('external_id'),
  },
  (table) => [
    primaryKey({ name: 'imported_people_pk', columns: [table.importId, table.record] }),
    index('imported_people_user_idx').on(table.userId),
  ],
);
