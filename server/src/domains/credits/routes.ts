import { Type } from 'typebox';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import { authenticate, callerOf } from '../../http/authenticate.ts';
import { sendPageHeaders } from '../../http/paging.ts';
import { spenderOf } from '../../http/spender.ts';
import { addGrantRoutes } from './grants/routes.ts';
import { addCodeRoutes } from './codes/routes.ts';
import { addHistoryRoutes } from './history/routes.ts';
import { addHoldRoutes } from './holds/routes.ts';
import { listPackages } from './list-packages.ts';
import { listPurchases } from './list-purchases.ts';
import type { AssertRecent } from './mandates/change-mandate.ts';
import { addMandateRoutes } from './mandates/routes.ts';
import { spendUnderMandate } from './mandates/spend-under-mandate.ts';
import { addPackageRoutes } from './packages/routes.ts';
import { readBalance } from './read-balance.ts';
import { resolveIdempotencyKey } from './resolve-idempotency-key.ts';
import { isOwnWallet } from './resolve-wallet.ts';
import * as schemas from './schemas.ts';
import { spendCredits } from './spend-credits.ts';
import { createSpendQueue } from './spend-queue.ts';
import { addTeamRoutes } from './teams/routes.ts';

const common = { tags: ['credits'], security: [{ bearer: [] }] };

/** The wallet: balance, spending, history, and what can be bought. `assertRecent`: see `changeMandate`. */
export function addCreditRoutes(app: App, ctx: Ctx, assertRecent: AssertRecent): void {
  addSpendRoute(app, ctx);
  addHoldRoutes(app, ctx);
  addMandateRoutes(app, ctx, assertRecent);
  addHistoryRoutes(app, ctx);
  addSalesRoutes(app, ctx);
  addPackageRoutes(app, ctx);
  addGrantRoutes(app, ctx);
  addCodeRoutes(app, ctx);
  addTeamRoutes(app, ctx);

  app.get(
    '/api/v1/credits/balance',
    {
      preHandler: authenticate(ctx, { scope: 'credits:read' }),
      config: { refusals: ['request.not_found', 'server.busy'] },
      schema: {
        ...common,
        summary: 'Read your balance',
        description: 'An application reads it with a token that carries `credits:read`.',
        response: { 200: schemas.balanceSchema },
      },
    },
    (request) => readBalance(ctx, callerOf(request)),
  );
}

const spendOptions = {
  schema: {
    ...common,
    security: [{ bearer: [] }, { application: [] }],
    summary: 'Spend credits',
    description:
      'One effect per idempotency key: a repeated request gets the first answer again, refusals included, ' +
      'with `Idempotency-Replayed: true`. With too few credits: 402, `required`, `available`, and in `topUp` ' +
      'how to get more. An application asks with its own credentials and `onBehalfOf`, under a mandate; beyond ' +
      'it: 402, and `raiseUrl`, where the person can allow more.',
    headers: schemas.spendHeadersSchema,
    body: schemas.spendBodySchema,
    response: { 200: schemas.spendAnswerSchema },
  },
  config: {
    refusals: [
      'idempotency.mismatch',
      'credits.wallet_inactive',
      'mandate.required',
      'mandate.exceeded',
      'credits.insufficient',
      'server.busy',
    ] as const,
  },
};

function addSpendRoute(app: App, ctx: Ctx): void {
  const queue = createSpendQueue(ctx);
  ctx.metrics.observe('obol_spends_waiting', 'Spends waiting for their turn', () => queue.waiting());
  ctx.turns.countWith(() => queue.waiting());
  app.addHook('onClose', async () => {
    await Promise.all([queue.drain(), ctx.turns.drain()]);
  });
  const preHandler = authenticate(ctx, { scope: 'credits:spend', application: true });
  const options = { ...spendOptions, preHandler };

  app.post('/api/v1/credits/use', options, async (request, reply) => {
    const { body, headers } = request;
    const key = resolveIdempotencyKey(headers['idempotency-key'], body.idempotencyKey);
    const spender = spenderOf(request);
    const { answer, isReplay } = isOwnWallet(spender, body)
      ? await spendCredits(ctx, queue, spender, { ...body, ...key })
      : await spendUnderMandate(ctx, spender, { ...body, ...key });
    if (isReplay) reply.header('idempotency-replayed', 'true');
    return answer;
  });
}

function addSalesRoutes(app: App, ctx: Ctx): void {
  app.get(
    '/api/v1/credits/packages',
    {
      schema: {
        tags: common.tags,
        summary: 'List what is for sale',
        response: { 200: Type.Array(schemas.packageSchema) },
      },
    },
    async (request, reply) => {
      const packages = await listPackages(ctx);
      sendPageHeaders(request, reply, { total: packages.length });
      return packages;
    },
  );

  const options = {
    preHandler: authenticate(ctx),
    schema: {
      ...common,
      summary: 'List your purchases',
      description: 'Newest first. `X-Total-Count` counts all, `Link` leads to the next page.',
      querystring: schemas.pageQuerySchema,
      response: { 200: Type.Array(schemas.purchaseSchema) },
    },
  };
  app.get('/api/v1/credits/purchases', options, async (request, reply) => {
    const { items, total, nextOffset } = await listPurchases(ctx, callerOf(request), request.query);
    const next = nextOffset === undefined ? undefined : { offset: String(nextOffset) };
    sendPageHeaders(request, reply, { total, next });
    return items;
  });
}
