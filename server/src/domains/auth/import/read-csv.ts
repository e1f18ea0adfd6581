import { CsvError, parse } from 'csv-parse';
import { pipeline, Readable } from 'node:stream';
import { ImportFileError, type FileRecord } from './import-file-error.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads CSV (RFC 4180) whose first record names the columns. Cells are texts and nothing else: no formula is
 * computed, an empty cell is an absent field. A record that is not UTF-8 or has another number of cells is a
 * problem of its own. Where quotes do not fit, or a record is larger than `recordMaxBytes`, nobody knows what
 * the rest means: then, as without column names, throws ImportFileError.
 */
export async function* readCsv(
  chunks: AsyncIterable<Buffer>,
  recordMaxBytes: number,
): AsyncGenerator<FileRecord> {
  const found: Row[] = [];
  const parser = createParser(found, recordMaxBytes);
  pipeline(Readable.from(chunks), parser, () => {});
  let names: string[] | undefined;
  let record = 0;
  let lastLine = 0;
  const take = function* (): Generator<FileRecord> {
    for (const { line, cells } of found.splice(0)) {
      lastLine = line;
      if (names === undefined) names = readNames(cells);
      else yield { record: ++record, line, ...readCells(names, cells) };
    }
  };
  try {
    for await (const _ of parser) yield* take();
    yield* take();
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new ImportFileError(
      `The record behind line ${Math.max(lastLine, found.at(-1)?.line ?? 0)} cannot be read: its quotes do not ` +
        `fit, or it has more than ${recordMaxBytes} bytes.`,
    );
  }
  if (names === undefined)
    throw new ImportFileError('The file is empty: its first line has to name columns.');
}

type Row = { line: number; cells: Buffer[] };

function createParser(found: Row[], recordMaxBytes: number): ReturnType<typeof parse> {
  return parse({
    bom: true,
    encoding: null,
    max_record_size: recordMaxBytes,
    relax_column_count: true,
    skip_empty_lines: true,
    on_record: (cells: string[], { lines }) => {
      // Without an encoding cells are bytes, which the types do not know.
      found.push({ line: lines, cells: cells as unknown as Buffer[] });
      return cells;
    },
  });
}

function readNames(cells: Buffer[]): string[] {
  const names = cells.map((cell) => cell.toString('utf8').trim());
  if (names.length < 2 && !names.some((name) => /mail/i.test(name))) {
    throw new ImportFileError('The first line has to name the columns, separated by commas.');
  }
  return names;
}

function readCells(
  names: string[],
  cells: Buffer[],
): { fields: Record<string, unknown> } | { problem: string } {
  if (cells.length !== names.length) return { problem: 'other_number_of_cells' };
  try {
    const texts = cells.map((cell) => decoder.decode(cell));
    return { fields: Object.fromEntries(names.map((name, index) => [name, texts[index] || undefined])) };
  } catch {
    return { problem: 'not_utf8' };
  }
}
