import type { FastifyRequest } from 'fastify';
import type { Spender } from '../domains/credits/index.ts';

/** Who spends, on a route that takes people, apps that act for them, and applications. */
export function spenderOf(request: FastifyRequest): Spender {
  if (request.application) return request.application;
  if (!request.caller) throw new Error(`${request.url} is not guarded by authenticate`);
  const { userId, sessionId, clientId, isBudgeted = false } = request.caller;
  return { userId, sessionId, isBudgeted, ...(clientId === undefined ? {} : { clientId }) };
}
