import { formatStatement } from './format-statement.ts';
import type { Statement } from './read-statement.ts';

/** A statement as a text that is made while it is read, with the name of its file. */
export function exportStatement(
  statement: Statement,
  format: 'json' | 'csv',
): { content: AsyncIterable<string>; format: 'json' | 'csv'; name: string } {
  const { month, from, to } = statement;
  const period = month ?? `${from.slice(0, 10)}-to-${to.slice(0, 10)}`;
  return { content: formatStatement(statement, format), format, name: `statement-${period}` };
}
