import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import { authenticate, callerOf } from '../../http/authenticate.ts';
import { limits } from '../../http/limits.ts';
import { originOf } from '../../http/origin.ts';
import { sendLinkToNext } from '../../http/paging.ts';
import { resolveIdempotencyKey } from '../credits/index.ts';
import { createRefusedDeliveryKeeper, type KeepRefusedDelivery } from './create-refused-delivery-keeper.ts';
import type { ProviderName } from './fact.ts';
import { listPaymentEvents, readPaymentEvent } from './list-payment-events.ts';
import { listRefusedDeliveries } from './list-refused-deliveries.ts';
import { purchaseCredits } from './purchase-credits.ts';
import { readPurchase } from './read-purchase.ts';
import { receiveDelivery } from './receive-delivery.ts';
import { replayPaymentEvent } from './replay-payment-event.ts';
import { addReversalRoutes } from './reversal-routes.ts';
import * as schemas from './schemas.ts';

const common = { tags: ['payments'], security: [{ bearer: [] }] };
const forAdmins = ['auth.admin_required'] as const;
const ofOne = ['auth.admin_required', 'request.not_found'] as const;
const providerTitles = { stripe: 'Stripe', paypal: 'PayPal' } as const;
/** An event of a provider with all that it is about. */
const deliveryBytesMax = 1_048_576;

/** Buying credits, and what payment providers tell. */
export function addPaymentRoutes(app: App, ctx: Ctx): void {
  ctx.metrics.observe('obol_payment_events_waiting', 'Deliveries of payment providers that wait', () =>
    ctx.payments.waiting(),
  );
  addPurchaseRoutes(app, ctx);
  addDeliveryRoutes(app, ctx);
  addEventRoutes(app, ctx);
  addReversalRoutes(app, ctx);
}

function addPurchaseRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const purchaseOptions = {
    preHandler,
    schema: {
      ...common,
      summary: 'Buy credits',
      description:
        'Begins the purchase of a package. Lead the person to `checkoutUrl`; the credits are there once it is paid, and ' +
        '`GET /credits/purchase/:id` says so.',
      headers: schemas.keyHeadersSchema,
      body: schemas.purchaseBodySchema,
      response: { 200: schemas.openedPurchaseSchema },
    },
    config: {
      limit: limits.purchase,
      refusals: [
        'request.not_found',
        'idempotency.mismatch',
        'credits.wallet_inactive',
        'payments.provider_not_set_up',
        'payments.package_unavailable',
        'payments.currency_unavailable',
        'payments.limit_reached',
        'payments.provider_unavailable',
        'payments.provider_refused',
      ] as const,
    },
  };
  app.post('/api/v1/credits/purchase', purchaseOptions, async (request, reply) => {
    const { body, headers } = request;
    const key = resolveIdempotencyKey(headers['idempotency-key'], body.idempotencyKey);
    const { isReplay, ...opened } = await purchaseCredits(ctx, callerOf(request), { ...body, ...key });
    if (isReplay) reply.header('idempotency-replayed', 'true');
    return opened;
  });

  const readOptions = {
    preHandler,
    schema: {
      ...common,
      summary: 'Read a purchase',
      description:
        'Brings a pending purchase up to what its provider says, so it may be asked until it is paid.',
      params: schemas.purchaseParamsSchema,
      response: { 200: schemas.purchaseDetailSchema },
    },
    config: { refusals: ['request.not_found'] as const },
  };
  app.get('/api/v1/credits/purchase/:purchaseId', readOptions, (request) =>
    readPurchase(ctx, callerOf(request), request.params.purchaseId),
  );
}

/** The bodies are kept as they came: the signature is over these very bytes. */
function addDeliveryRoutes(app: App, ctx: Ctx): void {
  const keepRefused = createRefusedDeliveryKeeper(ctx);
  void app.register(async (scope) => {
    const routes = scope as unknown as App;
    routes.removeAllContentTypeParsers();
    routes.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    addDeliveryRoute(routes, ctx, keepRefused, 'stripe');
    addDeliveryRoute(routes, ctx, keepRefused, 'paypal');
  });
}

function addDeliveryRoute(
  app: App,
  ctx: Ctx,
  keepRefused: KeepRefusedDelivery,
  provider: ProviderName,
): void {
  const options = {
    bodyLimit: deliveryBytesMax,
    schema: {
      tags: common.tags,
      summary: `Receive an event of ${providerTitles[provider]}`,
      description: 'For the provider alone, which signs what it sends. A repeat changes nothing.',
      response: { 200: schemas.deliveryAnswerSchema },
    },
    config: {
      limit: false as const,
      refusals: [
        'request.not_found',
        'payments.signature_invalid',
        'payments.delivery_too_old',
        'payments.wrong_mode',
        'server.busy',
      ] as const,
    },
  };
  app.post(`/api/v1/webhooks/${provider}`, options, async (request) => {
    const delivery = { provider, ...deliveryOf(request), ipAddress: originOf(request).ipAddress };
    await receiveDelivery(ctx, delivery, keepRefused);
    return { received: true as const };
  });
}

function deliveryOf({ body, headers }: FastifyRequest) {
  const single = Object.entries(headers).map(([name, value]) => [name, [value].flat()[0]]);
  return {
    body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
    headers: Object.fromEntries(single) as Record<string, string | undefined>,
  };
}

function addEventRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const listSchema = {
    ...common,
    summary: 'List what payment providers have told (administrators)',
    description: 'The youngest first. `Link` leads to the next page, by cursor.',
    querystring: schemas.eventsQuerySchema,
    response: { 200: Type.Array(schemas.eventSchema) },
  };
  const forList = { preHandler, config: { refusals: forAdmins }, schema: listSchema };
  app.get('/api/v1/payments/events', forList, async (request, reply) => {
    const { items, nextCursor } = await listPaymentEvents(ctx, callerOf(request), request.query);
    if (nextCursor !== undefined) sendLinkToNext(request, reply, { cursor: nextCursor });
    return items;
  });

  const readSchema = {
    ...common,
    summary: 'Read what a payment provider has told (administrators)',
    params: schemas.eventParamsSchema,
    response: { 200: schemas.eventDetailSchema },
  };
  const forOne = { preHandler, config: { refusals: ofOne }, schema: readSchema };
  app.get('/api/v1/payments/events/:eventId', forOne, (request) =>
    readPaymentEvent(ctx, callerOf(request), request.params.eventId),
  );

  const replaySchema = {
    ...readSchema,
    summary: 'Apply an event once more (administrators)',
    description: 'What is in place already does not happen again.',
  };
  app.post('/api/v1/payments/events/:eventId/replay', { ...forOne, schema: replaySchema }, (request) =>
    replayPaymentEvent(ctx, callerOf(request), request.params.eventId, originOf(request)),
  );

  const refusedSchema = {
    ...common,
    summary: 'List deliveries that were refused (administrators)',
    description: 'The youngest first; only so many are kept.',
    querystring: schemas.refusedDeliveriesQuerySchema,
    response: { 200: Type.Array(schemas.refusedDeliverySchema) },
  };
  const forRefused = { preHandler, config: { refusals: forAdmins }, schema: refusedSchema };
  app.get('/api/v1/payments/refused-deliveries', forRefused, (request) =>
    listRefusedDeliveries(ctx, callerOf(request), request.query),
  );
}
