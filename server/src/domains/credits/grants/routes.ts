import type { FastifyRequest } from 'fastify';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { authenticate } from '../../../http/authenticate.ts';
import { askerOf, sendMovement } from '../../../http/movement.ts';
import { resolveIdempotencyKey } from '../resolve-idempotency-key.ts';
import { clawBackCredits } from './claw-back-credits.ts';
import { grantCredits } from './grant-credits.ts';
import { refundCredits } from './refund-credits.ts';
import * as schemas from './schemas.ts';
import { takeCredits } from './take-credits.ts';

const common = {
  tags: ['credits'],
  security: [{ bearer: [] }],
  headers: schemas.keyHeadersSchema,
  response: { 200: schemas.movementAnswerSchema },
};
const administration = ['auth.admin_required', 'request.not_found', 'idempotency.mismatch'] as const;

/**
 * Credits given, taken away, given back and taken back: by administrators and, for refunds, by
 * applications.
 */
export function addGrantRoutes(app: App, ctx: Ctx): void {
  addGrantRoute(app, ctx);
  addAdjustmentRoute(app, ctx);
  addRefundRoute(app, ctx);
  addClawbackRoute(app, ctx);
}

/** The body with the idempotency key that the header or the body names. */
function keyed<Body extends { idempotencyKey?: string }>(
  request: FastifyRequest & { body: Body; headers: { 'idempotency-key'?: string } },
): Body & { idempotencyKey?: string } {
  const { body, headers } = request;
  return { ...body, ...resolveIdempotencyKey(headers['idempotency-key'], body.idempotencyKey) };
}

function addGrantRoute(app: App, ctx: Ctx): void {
  const options = {
    preHandler: authenticate(ctx),
    schema: {
      ...common,
      summary: 'Give credits (administrators)',
      description: 'As a lot of its own. A debt of the wallet is repaid first.',
      body: schemas.grantBodySchema,
    },
    config: {
      refusals: [
        ...administration,
        'credits.wallet_inactive',
        'credits.expires_in_past',
        'credits.too_many',
      ] as const,
    },
  };
  app.post('/api/v1/credits/grants', options, async (request, reply) =>
    sendMovement(reply, await grantCredits(ctx, askerOf(request), keyed(request))),
  );
}

function addAdjustmentRoute(app: App, ctx: Ctx): void {
  const options = {
    preHandler: authenticate(ctx),
    schema: {
      ...common,
      summary: 'Take credits away (administrators)',
      description: 'In the order of consumption; what the wallet does not have becomes debt.',
      body: schemas.adjustmentBodySchema,
    },
    config: { refusals: [...administration, 'credits.too_many'] as const },
  };
  app.post('/api/v1/credits/adjustments', options, async (request, reply) =>
    sendMovement(reply, await takeCredits(ctx, askerOf(request), keyed(request))),
  );
}

function addRefundRoute(app: App, ctx: Ctx): void {
  const options = {
    preHandler: authenticate(ctx, { application: true, keyScope: 'credits:refund' }),
    schema: {
      ...common,
      security: [{ bearer: [] }, { application: [] }],
      summary: 'Give a spend back',
      description:
        'Whole or in parts, to the very lots that it was taken from. For administrators, and for the application ' +
        'that charged. A person cannot refund themselves: what they spent, the app has delivered.',
      body: schemas.refundBodySchema,
      response: { 200: schemas.refundAnswerSchema },
    },
    config: {
      refusals: [
        ...administration,
        'credits.wallet_inactive',
        'credits.refund_exceeds',
        'credits.too_many',
      ] as const,
    },
  };
  app.post('/api/v1/credits/refunds', options, async (request, reply) =>
    sendMovement(reply, await refundCredits(ctx, askerOf(request), keyed(request))),
  );
}

function addClawbackRoute(app: App, ctx: Ctx): void {
  const options = {
    preHandler: authenticate(ctx),
    schema: {
      ...common,
      summary: 'Take a grant or purchase back (administrators)',
      description: 'What has been spent of it becomes debt, which the next credits to come in repay.',
      body: schemas.clawbackBodySchema,
    },
    config: { refusals: [...administration, 'credits.clawback_exceeds', 'credits.too_many'] as const },
  };
  app.post('/api/v1/credits/clawbacks', options, async (request, reply) =>
    sendMovement(reply, await clawBackCredits(ctx, askerOf(request), keyed(request))),
  );
}
