/**
 * A record of a file: its number (from 1, blank lines and column names do not count), the line on which it
 * ends, and its fields, or why it has none.
 */
export type FileRecord = { record: number; line: number } & (
  { fields: Record<string, unknown> } | { problem: string }
);

/** The file as a whole cannot be read; the message repeats nothing of it. */
export class ImportFileError extends Error {
  override name = 'ImportFileError';
}
