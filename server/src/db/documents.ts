import { getTableColumns, type Column, type Table } from 'drizzle-orm';

/** A row as `to_jsonb` gives it: by the names of its columns. */
export type RowDocument = Record<string, unknown>;

/** The row that a document of SQL holds, as if it had been selected from `table`. */
export function readDocument<T extends Table>(table: T, document: RowDocument): T['$inferSelect'] {
  const entries = Object.entries(getTableColumns(table)).map(([key, column]) => [
    key,
    readValue(column, document[column.name]),
  ]);
  return Object.fromEntries(entries) as T['$inferSelect'];
}

function readValue({ dataType, columnType }: Column, value: unknown): unknown {
  if (typeof value !== 'string') return value ?? null;
  if (dataType === 'date') return new Date(value);
  return columnType === 'PgCustomColumn' ? readBytes(value) : value;
}

/** A row as `jsonb_populate_record` takes it: of all columns, those without a value null. */
export function writeDocument<T extends Table>(table: T, row: T['$inferInsert']): string {
  const given = row as Record<string, unknown>;
  const entries = Object.entries(getTableColumns(table)).map(([key, column]) => [column.name, given[key]]);
  return JSON.stringify(Object.fromEntries(entries), function asText(this: RowDocument, key, value: unknown) {
    const raw = this[key];
    return Buffer.isBuffer(raw) ? `\\x${raw.toString('hex')}` : value;
  });
}

/** Bytes as JSON holds them: `\x` and hexadecimal digits. */
export function readBytes(text: string): Buffer {
  return Buffer.from(text.slice(2), 'hex');
}
