import type { Statement } from './read-statement.ts';

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
  yield `${from},opening,,,,${opening},,${openingHead.sequence},${openingHead.hash}\r\n`;
  for await (const page of movements) {
    yield page
      .map((movement) => `${csvColumns.map((column) => toCell(movement[column])).join(',')}\r\n`)
      .join('');
  }
  yield `${to},closing,,,,${closing},,${closingHead.sequence},${closingHead.hash}\r\n`;
}

/**
 * A text that a spreadsheet would take for a formula gets an apostrophe in front: descriptions come from
 * apps.
 */
function toCell(value: string | number | null): string {
  if (typeof value !== 'string') return value === null ? '' : String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
