import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import type { ErrorCode } from '../../../errors.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { originOf } from '../../../http/origin.ts';
import { sendPageHeaders } from '../../../http/paging.ts';
import { reasonQuerySchema, userIdSchema } from '../../users/index.ts';
import { doneSchema, revokedSchema, securityEventsQuerySchema } from '../schemas.ts';
import { securityEventsSchema, sessionsSchema } from '../schemas.ts';
import { endSessionsOf } from './end-sessions-of.ts';
import { impersonateUser } from './impersonate-user.ts';
import { listSecurityEventsOf, readSessionsOf } from './read-trail-of.ts';
import { resetFactorsOf } from './reset-factors-of.ts';
import { impersonationTokenSchema, reasonBodySchema, sessionOfUserSchema } from './schemas.ts';

const common = { tags: ['users'], security: [{ bearer: [] }] };
const config = { refusals: ['auth.admin_required', 'request.not_found'] as const satisfies ErrorCode[] };
const path = '/api/v1/users/:userId';

/** Sessions, factors and trails of other people, for administrators. */
export function addAuthAdministrationRoutes(app: App, ctx: Ctx): void {
  addSessionRoutes(app, ctx);
  addTrailRoute(app, ctx);
  addFactorsRoute(app, ctx);
  addImpersonationRoute(app, ctx);
}

function addSessionRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const listSchema = {
    ...common,
    summary: "List somebody's devices (administrators)",
    params: userIdSchema,
    response: { 200: sessionsSchema },
  };
  app.get(`${path}/sessions`, { preHandler, config, schema: listSchema }, async (request) => ({
    sessions: await readSessionsOf(ctx, callerOf(request), request.params.userId),
  }));

  const endAllSchema = {
    ...common,
    summary: 'Sign somebody out everywhere (administrators)',
    params: userIdSchema,
    querystring: reasonQuerySchema,
    response: { 200: revokedSchema },
  };
  app.delete(`${path}/sessions`, { preHandler, config, schema: endAllSchema }, async (request) => {
    const which = { ...request.query, ...request.params };
    const revoked = await endSessionsOf(ctx, callerOf(request), which, originOf(request));
    return { success: true as const, revoked };
  });

  const endOneSchema = {
    ...common,
    summary: 'Sign somebody out on one device (administrators)',
    params: sessionOfUserSchema,
    querystring: reasonQuerySchema,
    response: { 200: doneSchema },
  };
  app.delete(`${path}/sessions/:sessionId`, { preHandler, config, schema: endOneSchema }, async (request) => {
    const which = { ...request.query, ...request.params };
    await endSessionsOf(ctx, callerOf(request), which, originOf(request));
    return { success: true as const, message: 'The session has ended.' };
  });
}

function addTrailRoute(app: App, ctx: Ctx): void {
  const schema = {
    ...common,
    summary: "Read somebody's security trail (administrators)",
    description: 'The newest first. `X-Total-Count` counts all, `Link` leads to the next page.',
    params: userIdSchema,
    querystring: securityEventsQuerySchema,
    response: { 200: securityEventsSchema },
  };
  app.get(
    `${path}/security-events`,
    { preHandler: authenticate(ctx), config, schema },
    async (request, reply) => {
      const page = await listSecurityEventsOf(ctx, callerOf(request), {
        ...request.query,
        ...request.params,
      });
      const next = page.nextCursor === null ? undefined : { cursor: page.nextCursor };
      sendPageHeaders(request, reply, { total: page.total, next });
      return page;
    },
  );
}

function addFactorsRoute(app: App, ctx: Ctx): void {
  const schema = {
    ...common,
    summary: "Remove somebody's second factors (administrators)",
    description:
      'For who lost them all, once you know by other means who is asking. Passkeys and remembered devices go, too, ' +
      'their sessions end, and their address is told. Nobody removes their own here; those of another administrator ' +
      'take a recent sign-in.',
    params: userIdSchema,
    body: reasonBodySchema,
    response: { 200: doneSchema },
  };
  const refusals = [...config.refusals, 'users.reset_refused', 'auth.step_up_required'] as const;
  app.post(
    `${path}/reset-factors`,
    { preHandler: authenticate(ctx), config: { refusals }, schema },
    async (request) => {
      const whose = { ...request.body, ...request.params };
      await resetFactorsOf(ctx, callerOf(request), whose, originOf(request));
      return { success: true as const, message: 'The second factors are removed.' };
    },
  );
}

function addImpersonationRoute(app: App, ctx: Ctx): void {
  const schema = {
    ...common,
    summary: 'See the service as somebody does (administrators)',
    description:
      'An access token with the claim `act`, for a quarter of an hour and for reading only: GET and HEAD, and signing ' +
      'out. The person sees it in their trail and among their devices. Administrators cannot be impersonated.',
    params: userIdSchema,
    body: reasonBodySchema,
    response: { 200: impersonationTokenSchema },
  };
  app.post(
    `${path}/impersonate`,
    {
      preHandler: authenticate(ctx),
      config: { refusals: [...config.refusals, 'users.impersonation_refused'] as const },
      schema,
    },
    (request) =>
      impersonateUser(ctx, callerOf(request), { ...request.body, ...request.params }, originOf(request)),
  );
}
