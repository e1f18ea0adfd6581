import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { authenticate } from '../../../http/authenticate.ts';
import { sendPageHeaders } from '../../../http/paging.ts';
import { spenderOf } from '../../../http/spender.ts';
import { resolveIdempotencyKey } from '../resolve-idempotency-key.ts';
import { spendHeadersSchema } from '../schemas.ts';
import { captureHold } from './capture-hold.ts';
import { extendHold } from './extend-hold.ts';
import { listHolds } from './list-holds.ts';
import { placeHold } from './place-hold.ts';
import { readHold } from './read-hold.ts';
import * as schemas from './schemas.ts';
import { voidHold } from './void-hold.ts';

const common = { tags: ['credits'], security: [{ bearer: [] }, { application: [] }] };
const taking = [
  'request.not_found',
  'idempotency.mismatch',
  'credits.wallet_inactive',
  'mandate.required',
  'mandate.exceeded',
  'credits.insufficient',
] as const;
const path = '/api/v1/credits/holds';

/** Credits set aside for work whose cost is not known yet. */
export function addHoldRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx, { scope: 'credits:spend', application: true });
  addPlaceRoute(app, ctx, preHandler);
  addReadRoutes(app, ctx, preHandler);
  addExtendRoute(app, ctx, preHandler);
  addCaptureRoute(app, ctx, preHandler);
  addVoidRoute(app, ctx, preHandler);
}

type PreHandler = ReturnType<typeof authenticate>;

/** The body with the idempotency key that the header or the body names. */
function keyed<Body extends { idempotencyKey?: string }>(
  request: FastifyRequest & { body: Body; headers: { 'idempotency-key'?: string } },
): Body & { idempotencyKey?: string } {
  const { body, headers } = request;
  return { ...body, ...resolveIdempotencyKey(headers['idempotency-key'], body.idempotencyKey) };
}

function send<Answer>(reply: FastifyReply, done: { answer: Answer; isReplay: boolean }): Answer {
  if (done.isReplay) reply.header('idempotency-replayed', 'true');
  return done.answer;
}

function addPlaceRoute(app: App, ctx: Ctx, preHandler: PreHandler): void {
  const schema = {
    ...common,
    summary: 'Set credits aside',
    description:
      'For work whose cost is not known yet. Nobody else can spend them until the hold is captured, voided or ' +
      'expires by itself. An application asks with its own credentials and `onBehalfOf`, under a mandate.',
    headers: spendHeadersSchema,
    body: schemas.newHoldBodySchema,
    response: { 201: schemas.movedHoldSchema },
  };
  const config = { refusals: [...taking, 'hold.too_many'] as const };
  app.post(path, { preHandler, schema, config }, async (request, reply) => {
    const hold = send(reply, await placeHold(ctx, spenderOf(request), keyed(request)));
    return reply.code(201).send(hold);
  });
}

function addReadRoutes(app: App, ctx: Ctx, preHandler: PreHandler): void {
  const listSchema = {
    ...common,
    summary: 'List holds',
    description:
      'Newest first. An application sees its own, on the wallet of the person that `onBehalfOf` names. ' +
      '`X-Total-Count` counts all that match, `Link` leads to the next page.',
    querystring: schemas.holdsQuerySchema,
    response: { 200: Type.Array(schemas.holdSchema) },
  };
  app.get(path, { preHandler, schema: listSchema }, async (request, reply) => {
    const { items, total, nextOffset } = await listHolds(ctx, spenderOf(request), request.query);
    const next = nextOffset === undefined ? undefined : { offset: String(nextOffset) };
    sendPageHeaders(request, reply, { total, next });
    return items;
  });

  const readSchema = {
    ...common,
    summary: 'Read a hold',
    params: schemas.holdParamsSchema,
    response: { 200: schemas.holdSchema },
  };
  const options = { preHandler, schema: readSchema, config: { refusals: ['request.not_found'] as const } };
  app.get(`${path}/:holdId`, options, (request) => readHold(ctx, spenderOf(request), request.params.holdId));
}

function addExtendRoute(app: App, ctx: Ctx, preHandler: PreHandler): void {
  const schema = {
    ...common,
    summary: 'Extend a hold',
    description:
      'Lets it live longer, never shorter, and sets more credits aside if `amount` is given. However often it is ' +
      'extended, it ends 30 days after it was placed.',
    headers: spendHeadersSchema,
    params: schemas.holdParamsSchema,
    body: schemas.extendBodySchema,
    response: { 200: schemas.movedHoldSchema },
  };
  const config = { refusals: [...taking, 'hold.closed', 'hold.too_long', 'credits.too_many'] as const };
  app.post(`${path}/:holdId/extend`, { preHandler, schema, config }, async (request, reply) =>
    send(reply, await extendHold(ctx, spenderOf(request), request.params.holdId, keyed(request))),
  );
}

function addCaptureRoute(app: App, ctx: Ctx, preHandler: PreHandler): void {
  const schema = {
    ...common,
    summary: 'Spend what the work has cost',
    description:
      'The hold ends and gives the rest back, unless `final` is false. Above the hold the overrun policy counts: ' +
      "that of the mandate, or of the request for a person's own hold.",
    headers: spendHeadersSchema,
    params: schemas.holdParamsSchema,
    body: schemas.captureBodySchema,
    response: { 200: schemas.capturedHoldSchema },
  };
  const config = { refusals: [...taking, 'hold.closed', 'hold.exceeded', 'credits.too_many'] as const };
  app.post(`${path}/:holdId/capture`, { preHandler, schema, config }, async (request, reply) =>
    send(reply, await captureHold(ctx, spenderOf(request), request.params.holdId, keyed(request))),
  );
}

function addVoidRoute(app: App, ctx: Ctx, preHandler: PreHandler): void {
  const schema = {
    ...common,
    summary: 'Give a hold back',
    description: 'To the lots that it came from, and to the allowance of its mandate.',
    headers: spendHeadersSchema,
    params: schemas.holdParamsSchema,
    body: schemas.voidBodySchema,
    response: { 200: schemas.toldHoldSchema },
  };
  const config = { refusals: ['request.not_found', 'idempotency.mismatch', 'hold.closed'] as const };
  app.post(`${path}/:holdId/void`, { preHandler, schema, config }, async (request, reply) =>
    send(reply, await voidHold(ctx, spenderOf(request), request.params.holdId, keyed(request))),
  );
}
