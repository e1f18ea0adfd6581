import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const wellFormed = /^[A-Za-z0-9][A-Za-z0-9._~-]{7,63}$/;

/**
 * The id of a request, in the log and in `X-Request-Id`: the caller's own when it is a UUID or a short token
 * of 8 to 64 harmless characters, so that a trace can be followed through several services, else a new UUID.
 */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && wellFormed.test(given) ? given : randomUUID();
}
