import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import { authenticate, callerOf } from '../../http/authenticate.ts';
import { listPackages } from './list-packages.ts';
import { readBalance } from './read-balance.ts';
import {
  balanceSchema,
  packageSchema,
  spendAnswerSchema,
  spendBodySchema,
  spendHeadersSchema,
} from './schemas.ts';
import { resolveIdempotencyKey } from './resolve-idempotency-key.ts';
import { spendCredits } from './spend-credits.ts';
import { createSpendQueue } from './spend-queue.ts';

const common = { tags: ['credits'], security: [{ bearer: [] }] };

/** The wallet: balance, spending, and what can be bought. */
export function addCreditRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const queue = createSpendQueue(ctx);
  ctx.metrics.observe('obol_spends_waiting', 'Spends waiting for their turn', () => queue.waiting());

  app.get(
    '/api/v1/credits/balance',
    {
      preHandler,
      schema: { ...common, summary: 'Read your balance', response: { 200: balanceSchema } },
    },
    (request) => readBalance(ctx, callerOf(request)),
  );

  const spendSchema = {
    ...common,
    summary: 'Spend credits',
    description:
      'One effect per idempotency key: a repeated request gets the first answer again, with `Idempotency-Replayed: true`.',
    headers: spendHeadersSchema,
    body: spendBodySchema,
    response: { 200: spendAnswerSchema },
  };
  app.post(
    '/api/v1/credits/use',
    {
      preHandler,
      schema: spendSchema,
      config: {
        refusals: ['credits.insufficient', 'credits.wallet_inactive', 'idempotency.mismatch', 'server.busy'],
      },
    },
    async (request, reply) => {
      const spend = {
        ...request.body,
        ...resolveIdempotencyKey(request.headers['idempotency-key'], request.body.idempotencyKey),
      };
      const { answer, isReplay } = await spendCredits(ctx, queue, callerOf(request), spend);
      if (isReplay) markReplayed(reply);
      return answer;
    },
  );

  app.get(
    '/api/v1/credits/packages',
    {
      schema: {
        tags: ['credits'],
        summary: 'List what is for sale',
        response: { 200: Type.Array(packageSchema) },
      },
    },
    () => listPackages(ctx),
  );
}

function markReplayed(reply: FastifyReply): void {
  reply.header('idempotency-replayed', 'true');
}
