import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';

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
