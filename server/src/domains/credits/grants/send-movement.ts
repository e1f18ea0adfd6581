import type { FastifyReply, FastifyRequest } from 'fastify';
import { originOf } from '../../../http/origin.ts';
import type { Asker } from './move-credits.ts';
import type { MovementAnswer } from './schemas.ts';

/** Who asks on a route that takes people and, where it says so, applications. */
export function askerOf(request: FastifyRequest): Asker {
  const asker = request.application ?? request.caller;
  if (!asker) throw new Error(`${request.url} is not guarded by authenticate`);
  return { ...asker, ipAddress: originOf(request).ipAddress };
}

/** Answers with the movement, and says whether it is the answer to an earlier request. */
export function sendMovement(
  reply: FastifyReply,
  { answer, isReplay }: { answer: MovementAnswer; isReplay: boolean },
): MovementAnswer {
  if (isReplay) reply.header('idempotency-replayed', 'true');
  return answer;
}
