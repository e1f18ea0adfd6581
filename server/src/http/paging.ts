import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';

/** Query parameters of every list. */
export const pageQuery = {
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'At most this many.' }),
  offset: Type.Integer({
    minimum: 0,
    maximum: 1_000_000,
    default: 0,
    description: 'Skip this many; for long lists use `cursor`.',
  }),
};

/** Where the next page of a list with `limit` and `offset` begins, unless this is the last. */
export function nextOffset(
  { limit, offset }: { limit: number; offset: number },
  total: number,
): { offset: string } | undefined {
  return offset + limit < total ? { offset: String(offset + limit) } : undefined;
}

/**
 * Says in `X-Total-Count` how many there are in all, and in `Link` where the next page is: the same query
 * with `next` in place of what it names. @see RFC 8288 §3
 */
export function sendPageHeaders(
  request: FastifyRequest,
  reply: FastifyReply,
  { total, next }: { total: number; next?: Record<string, string> | undefined },
): void {
  reply.header('x-total-count', String(total));
  if (next) sendLinkToNext(request, reply, next);
}

/** Says in `Link` where the next page is: the same query with `next` in place of what it names. */
export function sendLinkToNext(
  request: FastifyRequest,
  reply: FastifyReply,
  next: Record<string, string>,
): void {
  const [path = '', query] = request.url.split('?');
  const parameters = new URLSearchParams(query);
  parameters.delete('offset');
  for (const [name, value] of Object.entries(next)) parameters.set(name, value);
  reply.header('link', `<${path}?${parameters.toString()}>; rel="next"`);
}
