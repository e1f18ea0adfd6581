import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { askerOf, sendMovement } from '../../../http/movement.ts';
import { originOf } from '../../../http/origin.ts';
import { sendPageHeaders } from '../../../http/paging.ts';
import { userIdSchema } from '../../users/index.ts';
import { keyHeadersSchema, movementAnswerSchema } from '../grants/schemas.ts';
import { resolveIdempotencyKey } from '../resolve-idempotency-key.ts';
import { adjustCreditsOf } from './adjust-credits-of.ts';
import { readCreditsWithHistory } from './read-credits-with-history.ts';
import {
  adjustmentOfUserSchema,
  creditsWithHistorySchema,
  historyQuerySchema,
  thawedWalletSchema,
  thawSchema,
} from './schemas.ts';
import { thawWallet } from './thaw-wallet.ts';

const common = { tags: ['users'], security: [{ bearer: [] }] };

/** The wallet, as the Moxie clients call it: one's own, and for administrators everybody's. */
export function addCreditAdministrationRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const ownSchema = {
    ...common,
    summary: 'Read your credits and their history',
    description:
      'The history is the newest first; `X-Total-Count` counts all, `Link` leads to the next page.',
    querystring: historyQuerySchema,
    response: { 200: creditsWithHistorySchema },
  };
  app.get('/api/v1/users/credits', { preHandler, schema: ownSchema }, async (request, reply) => {
    const { total, nextCursor, ...own } = await readCreditsWithHistory(ctx, callerOf(request), request.query);
    sendPageHeaders(request, reply, { total, next: nextCursor ? { cursor: nextCursor } : undefined });
    return own;
  });

  const adjustSchema = {
    ...common,
    summary: 'Give somebody credits, or take them away (administrators)',
    description:
      'Once per idempotency key. What is taken and not there becomes debt, which the next credits to come in repay.',
    params: userIdSchema,
    headers: keyHeadersSchema,
    body: adjustmentOfUserSchema,
    response: { 200: movementAnswerSchema },
  };
  app.post(
    '/api/v1/users/:userId/credits',
    { preHandler, config: { refusals: adjustRefusals }, schema: adjustSchema },
    async (request, reply) => {
      const { headers, body, params } = request;
      const key = resolveIdempotencyKey(headers['idempotency-key'], body.idempotencyKey);
      return sendMovement(
        reply,
        await adjustCreditsOf(ctx, askerOf(request), { ...params, ...body, ...key }),
      );
    },
  );
  addThawRoute(app, ctx);
}

function addThawRoute(app: App, ctx: Ctx): void {
  const options = {
    preHandler: authenticate(ctx),
    config: { refusals: thawRefusals },
    schema: {
      ...common,
      summary: 'Thaw a wallet (administrators)',
      description:
        'Lets a wallet take part again that was frozen, as after a warning of a stolen card (`STRIPE_FRAUD_WARNINGS`).',
      params: userIdSchema,
      body: thawSchema,
      response: { 200: thawedWalletSchema },
    },
  };
  app.post('/api/v1/users/:userId/credits/thaw', options, (request) =>
    thawWallet(ctx, callerOf(request), { ...request.body, ...request.params }, originOf(request)),
  );
}

const thawRefusals = ['auth.admin_required', 'request.not_found', 'credits.wallet_not_frozen'] as const;

const adjustRefusals = [
  'auth.admin_required',
  'request.not_found',
  'idempotency.mismatch',
  'credits.wallet_inactive',
  'credits.too_many',
] as const;
