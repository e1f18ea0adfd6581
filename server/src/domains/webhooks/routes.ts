import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import type { ErrorCode } from '../../errors.ts';
import { authenticate, callerOf } from '../../http/authenticate.ts';
import { originOf } from '../../http/origin.ts';
import { createEndpoint } from './create-endpoint.ts';
import { deleteEndpoint } from './delete-endpoint.ts';
import { listDeliveries, readDelivery } from './list-deliveries.ts';
import { listEndpoints, readEndpoint } from './list-endpoints.ts';
import { pingEndpoint, replayDelivery } from './replay-delivery.ts';
import { rotateEndpointSecret } from './rotate-endpoint-secret.ts';
import * as schemas from './schemas.ts';
import { updateEndpoint } from './update-endpoint.ts';

const common = { tags: ['webhooks'], security: [{ bearer: [] }] };
const base = '/api/v1/webhooks';
const forAdmins: ErrorCode[] = ['request.not_found', 'applications.admin_required'];
const ofEndpoint = { ...common, params: schemas.idSchema };
const config = { refusals: forAdmins };

/** Endpoints that hear of events, and the log of what was sent there: for administrators. */
export function addWebhookRoutes(app: App, ctx: Ctx): void {
  addEndpointRoutes(app, ctx);
  addEndpointChangeRoutes(app, ctx);
  addSecretRoute(app, ctx);
  addDeliveryRoutes(app, ctx);
  addSendRoutes(app, ctx);
}

function addEndpointRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);

  const createOptions = {
    preHandler,
    config: { refusals: [...forAdmins, 'webhooks.too_many_endpoints' as const] },
    schema: {
      ...common,
      summary: 'Register an endpoint',
      description: 'Events of your application are sent there, signed. The secret is shown this once.',
      body: schemas.newEndpointSchema,
      response: { 201: schemas.createdEndpointSchema },
    },
  };
  app.post(`${base}/endpoints`, createOptions, async (request, reply) => {
    const created = await createEndpoint(ctx, callerOf(request), request.body, originOf(request));
    return reply.code(201).send({ endpoint: created });
  });

  const listSchema = {
    ...common,
    summary: 'List the endpoints of an application',
    querystring: schemas.endpointsQuerySchema,
    response: { 200: schemas.endpointsSchema },
  };
  app.get(`${base}/endpoints`, { preHandler, config, schema: listSchema }, async (request) => ({
    endpoints: await listEndpoints(ctx, callerOf(request), request.query.applicationId),
  }));

  const readSchema = {
    ...ofEndpoint,
    summary: 'Read an endpoint',
    response: { 200: schemas.endpointSchema },
  };
  app.get(`${base}/endpoints/:id`, { preHandler, config, schema: readSchema }, async (request) => ({
    endpoint: await readEndpoint(ctx, callerOf(request), request.params.id),
  }));
}

function addEndpointChangeRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);

  const updateSchema = {
    ...ofEndpoint,
    summary: 'Change an endpoint',
    description: 'Also switches it on again after it was switched off for failing.',
    body: schemas.endpointChangesSchema,
    response: { 200: schemas.endpointSchema },
  };
  app.patch(`${base}/endpoints/:id`, { preHandler, config, schema: updateSchema }, async (request) => {
    const change = { id: request.params.id, changes: request.body };
    return { endpoint: await updateEndpoint(ctx, callerOf(request), change, originOf(request)) };
  });

  const deleteSchema = {
    ...ofEndpoint,
    summary: 'Delete an endpoint',
    description: 'With its log. Nothing more is sent to it.',
    response: { 200: schemas.doneSchema },
  };
  app.delete(`${base}/endpoints/:id`, { preHandler, config, schema: deleteSchema }, async (request) => {
    await deleteEndpoint(ctx, callerOf(request), request.params.id, originOf(request));
    return { success: true as const, message: 'The endpoint is deleted.' };
  });
}

function addSecretRoute(app: App, ctx: Ctx): void {
  const schema = {
    ...ofEndpoint,
    summary: 'Rotate the secret of an endpoint',
    description: 'For a while both sign, so that your receiver can change in its own time.',
    body: schemas.rotationSchema,
    response: { 200: schemas.rotatedSecretSchema },
  };
  const options = { preHandler: authenticate(ctx), config, schema };
  app.post(`${base}/endpoints/:id/rotate-secret`, options, (request) => {
    const rotation = { ...request.body, id: request.params.id };
    return rotateEndpointSecret(ctx, callerOf(request), rotation, originOf(request));
  });
}

function addDeliveryRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);

  const listSchema = {
    ...ofEndpoint,
    summary: 'List what was sent to an endpoint',
    description: 'Youngest first; kept for 30 days. `nextCursor` leads to the next page.',
    querystring: schemas.deliveriesQuerySchema,
    response: { 200: schemas.deliveriesSchema },
  };
  const listOptions = { preHandler, config, schema: listSchema };
  app.get(`${base}/endpoints/:id/deliveries`, listOptions, async (request) => {
    const query = { ...request.query, id: request.params.id };
    const { items, nextCursor } = await listDeliveries(ctx, callerOf(request), query);
    return { deliveries: items, nextCursor };
  });

  const readSchema = {
    ...ofEndpoint,
    summary: 'Read a delivery with every attempt',
    response: { 200: schemas.deliveryDetailAnswerSchema },
  };
  app.get(`${base}/deliveries/:id`, { preHandler, config, schema: readSchema }, async (request) => ({
    delivery: await readDelivery(ctx, callerOf(request), request.params.id),
  }));
}

function addSendRoutes(app: App, ctx: Ctx): void {
  const options = {
    preHandler: authenticate(ctx),
    config: {
      refusals: [...forAdmins, 'webhooks.endpoint_disabled' as const, 'webhooks.too_many_pending' as const],
    },
  };
  const response = { 202: schemas.deliverySchema };

  const replaySchema = {
    ...ofEndpoint,
    summary: 'Send an event again',
    description: 'Under the same `webhook-id`, whatever came of it before.',
    response,
  };
  app.post(`${base}/deliveries/:id/replay`, { ...options, schema: replaySchema }, async (request, reply) => {
    const delivery = await replayDelivery(ctx, callerOf(request), request.params.id);
    return reply.code(202).send({ delivery });
  });

  const pingSchema = {
    ...ofEndpoint,
    summary: 'Send a test event',
    description: 'An event `webhook.ping` that means nothing.',
    response,
  };
  app.post(`${base}/endpoints/:id/test`, { ...options, schema: pingSchema }, async (request, reply) => {
    const delivery = await pingEndpoint(ctx, callerOf(request), request.params.id);
    return reply.code(202).send({ delivery });
  });
}
