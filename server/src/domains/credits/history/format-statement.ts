import { toTextCell } from '../../../lib/csv.ts';
import type { Statement } from './read-statement.ts';
import type { Movement } from './schemas.ts';

const csvColumns = [
  'createdAt',
  'type',
  'appId',
  'description',
  'amount',
  'balanceAfter',
  'id',
  'sequence',
  'hash',
  'setAside',
] as const;

/** Writes a statement as JSON or CSV, piece by piece as its movements are read. @see RFC 4180 */
export async function* formatStatement(statement: Statement, format: 'json' | 'csv'): AsyncGenerator<string> {
  yield* format === 'csv' ? toCsv(statement) : toJson(statement);
}

async function* toJson({ movements, ...head }: Statement): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"movements":[`;
  let separator = '';
  for await (const page of movements) {
    yield separator + page.map((movement) => JSON.stringify(movement)).join(',');
    separator = ',';
  }
  yield ']}';
}

async function* toCsv({ movements, ...head }: Statement): AsyncGenerator<string> {
  const { from, to, opening, closing, openingHead, closingHead } = head;
  yield `${csvColumns.join(',')}\r\n`;
  yield `${from},opening,,,,${opening},,${openingHead.sequence},${openingHead.hash},\r\n`;
  for await (const page of movements) {
    yield page
      .map((movement) => `${csvColumns.map((column) => toCell(movement, column)).join(',')}\r\n`)
      .join('');
  }
  yield `${to},closing,,,,${closing},,${closingHead.sequence},${closingHead.hash},\r\n`;
}

function toCell(movement: Movement, column: (typeof csvColumns)[number]): string {
  if (column === 'appId' || column === 'description') return toTextCell(movement[column]);
  return String(movement[column]);
}
