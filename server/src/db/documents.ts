import { getTableColumns, type Column, type Table } from 'drizzle-orm';

/** A row as `to_jsonb` gives it: by the names of its columns. */
export type RowDocument = Record<string, unknown>;

/** What is known of a column when rows are read and written. */
type Cell = { key: string; name: string; kind: 'date' | 'bytes' | 'other' };

const cellsOfTables = new WeakMap<Table, Cell[]>();

function cellsOf(table: Table): Cell[] {
  const known = cellsOfTables.get(table);
  if (known) return known;
  const cells = Object.entries(getTableColumns(table)).map(([key, column]) => ({
    key,
    name: column.name,
    kind: kindOf(column),
  }));
  cellsOfTables.set(table, cells);
  return cells;
}

function kindOf({ dataType, columnType }: Column): Cell['kind'] {
  if (dataType === 'date') return 'date';
  return columnType === 'PgCustomColumn' ? 'bytes' : 'other';
}

/** The row that a document of SQL holds, as if it had been selected from `table`. */
export function readDocument<T extends Table>(table: T, document: RowDocument): T['$inferSelect'] {
  const row: Record<string, unknown> = {};
  for (const { key, name, kind } of cellsOf(table)) row[key] = readValue(kind, document[name]);
  return row;
}

function readValue(kind: Cell['kind'], value: unknown): unknown {
  if (typeof value !== 'string') return value ?? null;
  if (kind === 'date') return new Date(value);
  return kind === 'bytes' ? readBytes(value) : value;
}

/** A row as `json_populate_record` takes it: of all columns, those without a value null. */
export function writeDocument<T extends Table>(table: T, row: T['$inferInsert']): string {
  const given = row as Record<string, unknown>;
  const document: RowDocument = {};
  for (const { key, name } of cellsOf(table)) {
    const value = given[key];
    if (Buffer.isBuffer(value)) document[name] = writeBytes(value);
    else if (value !== undefined) document[name] = value;
  }
  return JSON.stringify(document);
}

/** Bytes as JSON holds them: `\x` and hexadecimal digits. */
export function readBytes(text: string): Buffer {
  return Buffer.from(text.slice(2), 'hex');
}

/** The other way round. */
export function writeBytes(bytes: Buffer): string {
  return `\\x${bytes.toString('hex')}`;
}
