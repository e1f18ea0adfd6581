import { Type } from 'typebox';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { askerOf, sendMovement } from '../../../http/movement.ts';
import { limits } from '../../../http/limits.ts';
import { originOf } from '../../../http/origin.ts';
import { sendPageHeaders } from '../../../http/paging.ts';
import { keyHeadersSchema, movementAnswerSchema } from '../grants/schemas.ts';
import { resolveIdempotencyKey } from '../resolve-idempotency-key.ts';
import { pageQuerySchema } from '../schemas.ts';
import { createCode } from './create-code.ts';
import { listCodes } from './list-codes.ts';
import { redeemCode } from './redeem-code.ts';
import { revokeCode } from './revoke-code.ts';
import * as schemas from './schemas.ts';

const common = { tags: ['credits'], security: [{ bearer: [] }] };

/** Gift and promo codes: made, listed and withdrawn by administrators, redeemed by anybody. */
export function addCodeRoutes(app: App, ctx: Ctx): void {
  addAdministrationRoutes(app, ctx);
  addRedeemRoute(app, ctx);
}

function addAdministrationRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const createOptions = {
    preHandler,
    schema: {
      ...common,
      summary: 'Make a gift or promo code (administrators)',
      description: 'Without a text of your own the code is a secret, shown this once.',
      body: schemas.createCodeBodySchema,
      response: { 201: schemas.newCodeSchema },
    },
    config: { refusals: ['auth.admin_required', 'credits.code_taken'] as const },
  };
  app.post('/api/v1/credits/codes', createOptions, async (request, reply) =>
    reply.status(201).send(await createCode(ctx, callerOf(request), request.body, originOf(request))),
  );

  const listOptions = {
    preHandler,
    schema: {
      ...common,
      summary: 'List the codes (administrators)',
      description: 'Newest first. `X-Total-Count` counts all, `Link` leads to the next page.',
      querystring: pageQuerySchema,
      response: { 200: Type.Array(schemas.codeSchema) },
    },
    config: { refusals: ['auth.admin_required'] as const },
  };
  app.get('/api/v1/credits/codes', listOptions, async (request, reply) => {
    const { items, total, nextOffset } = await listCodes(ctx, callerOf(request), request.query);
    const next = nextOffset === undefined ? undefined : { offset: String(nextOffset) };
    sendPageHeaders(request, reply, { total, next });
    return items;
  });

  const revokeOptions = {
    preHandler,
    schema: {
      ...common,
      summary: 'Withdraw a code (administrators)',
      description: 'Nobody redeems it from now on; what has been redeemed stays.',
      params: schemas.codeParamsSchema,
      response: { 200: schemas.codeSchema },
    },
    config: { refusals: ['auth.admin_required', 'request.not_found'] as const },
  };
  app.delete('/api/v1/credits/codes/:codeId', revokeOptions, (request) =>
    revokeCode(ctx, callerOf(request), request.params.codeId, originOf(request)),
  );
}

function addRedeemRoute(app: App, ctx: Ctx): void {
  const options = {
    preHandler: authenticate(ctx),
    schema: {
      ...common,
      summary: 'Redeem a code',
      description: 'Its credits are in your wallet when this returns.',
      headers: keyHeadersSchema,
      body: schemas.redeemBodySchema,
      response: { 200: movementAnswerSchema },
    },
    config: {
      limit: limits.redeemCode,
      refusals: [
        'idempotency.mismatch',
        'credits.wallet_inactive',
        'credits.code_invalid',
        'credits.code_redeemed',
        'credits.too_many',
      ] as const,
    },
  };
  app.post('/api/v1/credits/codes/redeem', options, async (request, reply) => {
    const { body, headers } = request;
    const key = resolveIdempotencyKey(headers['idempotency-key'], body.idempotencyKey);
    return sendMovement(reply, await redeemCode(ctx, askerOf(request), { ...body, ...key }));
  });
}
