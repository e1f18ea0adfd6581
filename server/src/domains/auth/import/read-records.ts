import { readCsv } from './read-csv.ts';
import { readJsonLines } from './read-json-lines.ts';

export const importFormats = ['jsonl', 'csv'] as const;
export type ImportFormat = (typeof importFormats)[number];

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

/** A person with many accounts elsewhere has a few kilobytes. */
const recordMaxBytes = 256 * 1024;

/** Reads a file record by record, holding one at a time. Throws ImportFileError. */
export function readRecords(chunks: AsyncIterable<Buffer>, format: ImportFormat): AsyncGenerator<FileRecord> {
  return format === 'csv' ? readCsv(chunks, recordMaxBytes) : readJsonLines(chunks, recordMaxBytes);
}
