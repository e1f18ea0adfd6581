import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { formatStatement } from './format-statement.ts';
import type { Statement } from './read-statement.ts';

export type StatementFormat = 'json' | 'csv';

/** What the client would rather have, when the query does not say. */
export function preferredFormat(request: FastifyRequest): StatementFormat {
  return /\btext\/csv\b/i.test(request.headers.accept ?? '') ? 'csv' : 'json';
}

/** Streams a statement as it is read. */
export function sendStatement(
  reply: FastifyReply,
  statement: Statement,
  format: StatementFormat,
): FastifyReply {
  if (format === 'csv') {
    reply.header(
      'content-disposition',
      `attachment; filename="statement-${statement.month ?? periodOf(statement)}.csv"`,
    );
  }
  return reply
    .header('vary', [reply.getHeader('vary') ?? [], 'Accept'].flat().join(', '))
    .type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json; charset=utf-8')
    .send(Readable.from(formatStatement(statement, format)));
}

function periodOf({ from, to }: Statement): string {
  return `${from.slice(0, 10)}-to-${to.slice(0, 10)}`;
}
