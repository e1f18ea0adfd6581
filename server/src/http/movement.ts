import type { FastifyReply, FastifyRequest } from 'fastify';
import { originOf } from './origin.ts';

/**
 * Who asks for a movement of credits, and from where, on a route that takes people and, where it says so,
 * applications.
 */
export function askerOf(request: FastifyRequest) {
  const asker = request.application ?? request.caller;
  if (!asker) throw new Error(`${request.url} is not guarded by authenticate`);
  return { ...asker, ipAddress: originOf(request).ipAddress };
}

/** Answers with a movement, and says whether it is the answer to an earlier request. */
export function sendMovement<Answer>(
  reply: FastifyReply,
  { answer, isReplay }: { answer: Answer; isReplay: boolean },
): Answer {
  if (isReplay) reply.header('idempotency-replayed', 'true');
  return answer;
}
