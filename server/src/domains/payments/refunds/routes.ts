import { Type } from 'typebox';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { limits } from '../../../http/limits.ts';
import { originOf } from '../../../http/origin.ts';
import { nextOffset, sendPageHeaders } from '../../../http/paging.ts';
import { resolveIdempotencyKey } from '../../credits/index.ts';
import { keyHeadersSchema } from '../schemas.ts';
import { decideRefund } from './decide-refund.ts';
import { listOwnRefunds, listRefunds } from './list-refunds.ts';
import { refundPurchase } from './refund-purchase.ts';
import { requestRefund } from './request-refund.ts';
import * as schemas from './schemas.ts';

const common = { tags: ['payments'], security: [{ bearer: [] }] };
const ofBegun = [
  'request.not_found',
  'idempotency.mismatch',
  'payments.refund_open',
  'payments.not_refundable',
  'payments.refund_exceeds',
] as const;
const ofDecided = [
  'auth.admin_required',
  'request.not_found',
  'payments.refund_decided',
  'payments.not_refundable',
  'payments.refund_exceeds',
] as const;

/** Money on its way back: what buyers ask for, and what administrators decide. */
export function addRefundRoutes(app: App, ctx: Ctx): void {
  addBuyerRoutes(app, ctx);
  addListForAdministrators(app, ctx);
  addDecisionRoutes(app, ctx);
}

function addBuyerRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const ask = {
    preHandler,
    schema: {
      ...common,
      summary: 'Ask for a refund',
      description:
        "Up to what the purchase's own unspent credits are worth. They leave the wallet at once, and come back when the " +
        'refund is denied or fails. There is one open request per purchase.',
      headers: keyHeadersSchema,
      body: schemas.refundBodySchema,
      response: { 201: schemas.refundSchema },
    },
    config: { limit: limits.purchase, refusals: ofBegun },
  };
  app.post('/api/v1/payments/refunds', ask, async (request, reply) => {
    const { body, headers } = request;
    const key = resolveIdempotencyKey(headers['idempotency-key'], body.idempotencyKey);
    const { refund, isReplay } = await requestRefund(ctx, callerOf(request), { ...body, ...key });
    if (isReplay) reply.header('idempotency-replayed', 'true');
    return reply.code(201).send(refund);
  });

  const list = {
    preHandler,
    schema: {
      ...common,
      summary: 'List your refunds',
      description: 'The youngest first, with those that were made at the provider.',
      querystring: schemas.ownRefundsQuerySchema,
      response: { 200: Type.Array(schemas.refundSchema) },
    },
  };
  app.get('/api/v1/payments/refunds', list, async (request, reply) => {
    const { items, total } = await listOwnRefunds(ctx, callerOf(request), request.query);
    sendPageHeaders(request, reply, { total, next: nextOffset(request.query, total) });
    return items;
  });
}

function addListForAdministrators(app: App, ctx: Ctx): void {
  const options = {
    preHandler: authenticate(ctx),
    schema: {
      ...common,
      summary: "List everybody's refunds (administrators)",
      description: 'The youngest first, with those that were made at the provider.',
      querystring: schemas.refundsQuerySchema,
      response: { 200: Type.Array(schemas.refundDetailSchema) },
    },
    config: { refusals: ['auth.admin_required'] as const },
  };
  app.get('/api/v1/payments/refunds/all', options, async (request, reply) => {
    const { items, total } = await listRefunds(ctx, callerOf(request), request.query);
    sendPageHeaders(request, reply, { total, next: nextOffset(request.query, total) });
    return items;
  });

  const make = {
    ...options,
    schema: {
      ...common,
      summary: 'Refund a purchase (administrators)',
      description:
        'Any purchase, whole or in part, without a request. Credits that are spent become debt, which the next credits ' +
        'repay. While the provider does not answer the refund stays `approved`, and is sent again by itself.',
      headers: keyHeadersSchema,
      params: schemas.purchaseParamsSchema,
      body: schemas.purchaseRefundBodySchema,
      response: { 201: schemas.refundDetailSchema },
    },
    config: { refusals: [...ofBegun, 'auth.admin_required'] as const },
  };
  app.post('/api/v1/payments/purchases/:purchaseId/refunds', make, async (request, reply) => {
    const { body, headers, params } = request;
    const key = resolveIdempotencyKey(headers['idempotency-key'], body.idempotencyKey);
    const order = { ...body, ...params, ...key };
    const { refund, isReplay } = await refundPurchase(ctx, callerOf(request), order, originOf(request));
    if (isReplay) reply.header('idempotency-replayed', 'true');
    return reply.code(201).send(refund);
  });
}

function addDecisionRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const config = { refusals: ofDecided };
  const schema = {
    ...common,
    params: schemas.refundParamsSchema,
    response: { 200: schemas.refundDetailSchema },
  };
  const approve = {
    preHandler,
    config,
    schema: {
      ...schema,
      summary: 'Approve a refund (administrators)',
      description: 'The provider sends the money back. Of two who decide at once one does.',
      body: schemas.approvalBodySchema,
    },
  };
  app.post('/api/v1/payments/refunds/:refundId/approve', approve, (request) => {
    const decision = { ...request.body, ...request.params, isApproved: true };
    return decideRefund(ctx, callerOf(request), decision, originOf(request));
  });

  const deny = {
    preHandler,
    config,
    schema: {
      ...schema,
      summary: 'Deny a refund (administrators)',
      description: 'The credits come back.',
      body: schemas.denialBodySchema,
    },
  };
  app.post('/api/v1/payments/refunds/:refundId/deny', deny, (request) => {
    const decision = { ...request.body, ...request.params, isApproved: false };
    return decideRefund(ctx, callerOf(request), decision, originOf(request));
  });
}
