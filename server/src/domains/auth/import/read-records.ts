import type { FileRecord } from './import-file-error.ts';
import { readCsv } from './read-csv.ts';
import { readJsonLines } from './read-json-lines.ts';

export const importFormats = ['jsonl', 'csv'] as const;
export type ImportFormat = (typeof importFormats)[number];

/** A person with many accounts elsewhere has a few kilobytes. */
const recordMaxBytes = 256 * 1024;

/** Reads a file record by record, holding one at a time. Throws ImportFileError. */
export function readRecords(chunks: AsyncIterable<Buffer>, format: ImportFormat): AsyncGenerator<FileRecord> {
  return format === 'csv' ? readCsv(chunks, recordMaxBytes) : readJsonLines(chunks, recordMaxBytes);
}
