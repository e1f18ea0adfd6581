import { Type } from 'typebox';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { originOf } from '../../../http/origin.ts';
import { nextOffset, pageQuery, sendPageHeaders } from '../../../http/paging.ts';
import { doneSchema } from '../schemas.ts';
import { userIdSchema } from '../../users/index.ts';
import { listGrants, listGrantsOf } from './list-grants.ts';
import { revokeGrant } from './revoke-grant.ts';
import * as schemas from './schemas.ts';

const common = { tags: ['users'], security: [{ bearer: [] }] };
const base = '/api/v1/users/me/grants';

/** Connected apps: which applications a person has let in, and how to put one out. */
export function addGrantRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);

  const listSchema = {
    ...common,
    summary: 'List your connected apps',
    description: 'Newest first. `X-Total-Count` counts all, `Link` leads to the next page.',
    querystring: Type.Object(pageQuery),
    response: { 200: schemas.grantsSchema },
  };
  app.get(base, { preHandler, schema: listSchema }, async (request, reply) => {
    const { items, total } = await listGrants(ctx, callerOf(request), request.query);
    sendPageHeaders(request, reply, { total, next: nextOffset(request.query, total) });
    return { grants: items };
  });

  const listOfSchema = {
    ...common,
    tags: ['users'],
    summary: "List somebody's connected apps (administrators)",
    description: 'Newest first. `X-Total-Count` counts all, `Link` leads to the next page.',
    params: userIdSchema,
    querystring: Type.Object(pageQuery),
    response: { 200: schemas.grantsSchema },
  };
  const listOfConfig = { refusals: ['auth.admin_required', 'request.not_found'] as const };
  const listOfOptions = { preHandler: authenticate(ctx), config: listOfConfig, schema: listOfSchema };
  app.get('/api/v1/users/:userId/grants', listOfOptions, async (request, reply) => {
    const page = { ...request.query, ...request.params };
    const { items, total } = await listGrantsOf(ctx, callerOf(request), page);
    sendPageHeaders(request, reply, { total, next: nextOffset(request.query, total) });
    return { grants: items };
  });

  const revokeOptions = {
    preHandler,
    config: { refusals: ['request.not_found'] as const },
    schema: {
      ...common,
      summary: 'Disconnect an app',
      description: 'Its tokens are dead at once, and it spends nothing more. It may ask you again.',
      params: schemas.grantIdSchema,
      response: { 200: doneSchema },
    },
  };
  app.delete(`${base}/:id`, revokeOptions, async (request) => {
    await revokeGrant(ctx, callerOf(request), request.params.id, originOf(request));
    return { success: true as const, message: 'The app is disconnected.' };
  });
}
