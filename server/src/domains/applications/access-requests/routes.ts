import { Type } from 'typebox';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import type { ErrorCode } from '../../../errors.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { limits } from '../../../http/limits.ts';
import { originOf } from '../../../http/origin.ts';
import { nextOffset, pageQuery, sendPageHeaders } from '../../../http/paging.ts';
import { approveRequest } from './approve-request.ts';
import { denyRequest } from './deny-request.ts';
import { listOwnRequests, listRequests } from './list-requests.ts';
import { requestAccess } from './request-access.ts';
import * as schemas from './schemas.ts';
import { withdrawRequest } from './withdraw-request.ts';

const common = { tags: ['applications'], security: [{ bearer: [] }] };
const base = '/api/v1/access-requests';
const paging = '`X-Total-Count` counts all, `Link` leads to the next page.';
const forDeciders: ErrorCode[] = ['request.not_found', 'access.own_request', 'access.request_decided'];

/** Asking to be let into a closed application, and deciding on it: contract §4. */
export function addAccessRequestRoutes(app: App, ctx: Ctx): void {
  addAskingRoutes(app, ctx);
  addOwnRoutes(app, ctx);
  addDecidingRoutes(app, ctx);
}

const askOptions = {
  config: {
    limit: limits.requestAccess,
    refusals: [
      'request.not_found',
      'access.already_member',
      'access.not_needed',
      'access.request_open',
    ] satisfies ErrorCode[],
  },
  schema: {
    ...common,
    summary: 'Ask for access to an application',
    description: 'Its administrators are told by mail, and you of what they decide.',
    body: schemas.newRequestSchema,
    response: { 201: schemas.requestSchema },
  },
};

function addAskingRoutes(app: App, ctx: Ctx): void {
  app.post(base, { ...askOptions, preHandler: authenticate(ctx) }, async (request, reply) => {
    const accessRequest = await requestAccess(ctx, callerOf(request), request.body, originOf(request));
    return reply.code(201).send({ accessRequest });
  });
}

const ownOptions = {
  schema: {
    ...common,
    summary: 'List what you asked for',
    description: `Newest first. ${paging}`,
    querystring: Type.Object(pageQuery),
    response: { 200: schemas.requestsSchema },
  },
};

const withdrawalOptions = {
  config: { refusals: ['request.not_found', 'access.request_decided'] satisfies ErrorCode[] },
  schema: {
    ...common,
    summary: 'Withdraw your request for access',
    params: schemas.requestIdSchema,
    response: { 200: schemas.requestSchema },
  },
};

function addOwnRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);

  app.get(`${base}/mine`, { ...ownOptions, preHandler }, async (request, reply) => {
    const { items, total } = await listOwnRequests(ctx, callerOf(request), request.query);
    sendPageHeaders(request, reply, { total, next: nextOffset(request.query, total) });
    return { accessRequests: items };
  });

  app.delete(`${base}/:id`, { ...withdrawalOptions, preHandler }, async (request) => ({
    accessRequest: await withdrawRequest(ctx, callerOf(request), request.params.id, originOf(request)),
  }));
}

const listOptions = {
  schema: {
    ...common,
    summary: 'List the requests for access that you decide on',
    description: `The open ones, for applications that you administer, oldest first. ${paging}`,
    querystring: Type.Object(pageQuery),
    response: { 200: schemas.receivedListSchema },
  },
};

const approvalOptions = {
  config: {
    refusals: [...forDeciders, 'applications.role_unknown', 'applications.last_admin'] satisfies ErrorCode[],
  },
  schema: {
    ...common,
    summary: 'Approve a request for access',
    description: 'For administrators of the application. Nobody approves their own.',
    params: schemas.requestIdSchema,
    body: schemas.approvalSchema,
    response: { 200: schemas.receivedSchema },
  },
};

const denialOptions = {
  config: { refusals: forDeciders },
  schema: {
    ...common,
    summary: 'Deny a request for access',
    description: 'For administrators of the application. Whoever asked reads the reason.',
    params: schemas.requestIdSchema,
    body: schemas.denialSchema,
    response: { 200: schemas.receivedSchema },
  },
};

function addDecidingRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);

  app.get(base, { ...listOptions, preHandler }, async (request, reply) => {
    const { items, total } = await listRequests(ctx, callerOf(request), request.query);
    sendPageHeaders(request, reply, { total, next: nextOffset(request.query, total) });
    return { accessRequests: items };
  });

  app.put(`${base}/:id/approve`, { ...approvalOptions, preHandler }, async (request) => {
    const approval = { id: request.params.id, role: request.body?.role };
    return { accessRequest: await approveRequest(ctx, callerOf(request), approval, originOf(request)) };
  });

  app.put(`${base}/:id/deny`, { ...denialOptions, preHandler }, async (request) => {
    const denial = { id: request.params.id, reason: request.body?.reason };
    return { accessRequest: await denyRequest(ctx, callerOf(request), denial, originOf(request)) };
  });
}
