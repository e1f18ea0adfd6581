import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toTextCell } from '../lib/csv.ts';

export type ExportFormat = 'json' | 'csv';

/** What the client would rather have, when the query does not say. */
export function preferredFormat(request: FastifyRequest): ExportFormat {
  return /\btext\/csv\b/i.test(request.headers.accept ?? '') ? 'csv' : 'json';
}

/** Streams an export as it is made; CSV as a file of the given name. */
export function sendExport(
  reply: FastifyReply,
  { content, format, name }: { content: AsyncIterable<string>; format: ExportFormat; name: string },
): FastifyReply {
  if (format === 'csv') reply.header('content-disposition', `attachment; filename="${name}.csv"`);
  return reply
    .header('vary', [reply.getHeader('vary') ?? [], 'Accept'].flat().join(', '))
    .type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json; charset=utf-8')
    .send(Readable.from(content));
}

export type RowsFormat = 'jsonl' | 'csv';

/** Streams rows as they are read, as a file: JSON documents line by line, or CSV under a line of names. */
export function sendRows<Row extends object>(
  reply: FastifyReply,
  file: {
    pages: AsyncIterable<Row[]>;
    format: RowsFormat;
    name: string;
    /** The columns of the CSV. */
    columns: { [name: string]: (row: Row) => string | number | boolean | null };
  },
): FastifyReply {
  const { pages, format, name, columns } = file;
  const isCsv = format === 'csv';
  return reply
    .header('content-disposition', `attachment; filename="${name}.${format}"`)
    .type(isCsv ? 'text/csv; charset=utf-8' : 'application/x-ndjson; charset=utf-8')
    .send(Readable.from(isCsv ? toCsv(pages, columns) : toLines(pages)));
}

async function* toLines(pages: AsyncIterable<object[]>): AsyncGenerator<string> {
  for await (const page of pages) yield page.map((row) => `${JSON.stringify(row)}\n`).join('');
}

async function* toCsv<Row>(
  pages: AsyncIterable<Row[]>,
  columns: { [name: string]: (row: Row) => string | number | boolean | null },
): AsyncGenerator<string> {
  const cells = Object.values(columns);
  yield `${Object.keys(columns).join(',')}\r\n`;
  for await (const page of pages)
    yield page.map((row) => `${cells.map((cell) => toCell(cell(row))).join(',')}\r\n`).join('');
}

function toCell(value: string | number | boolean | null): string {
  return typeof value === 'string' || value === null ? toTextCell(value) : String(value);
}
