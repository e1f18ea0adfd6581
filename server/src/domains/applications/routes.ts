import { Type } from 'typebox';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import type { ErrorCode } from '../../errors.ts';
import { applicationOf, authenticate, callerOf } from '../../http/authenticate.ts';
import { originOf } from '../../http/origin.ts';
import { nextOffset, pageQuery, sendPageHeaders } from '../../http/paging.ts';
import { changeMember } from './change-member.ts';
import { createApplication } from './create-application.ts';
import { deleteApplication } from './delete-application.ts';
import { listApplications } from './list-applications.ts';
import { listMembers } from './list-members.ts';
import { readApplicationStats } from './read-application-stats.ts';
import { readApplication, readOwnApplication } from './read-application.ts';
import { readStats } from './read-stats.ts';
import { removeMember } from './remove-member.ts';
import { rotateSecret } from './rotate-secret.ts';
import * as schemas from './schemas.ts';
import { updateApplication } from './update-application.ts';
import { verifyApplication } from './verify-application.ts';

const common = { tags: ['applications'], security: [{ bearer: [] }] };
const base = '/api/v1/applications';
const done = (message: string) => ({ success: true as const, message });
const forAdmins: ErrorCode[] = ['request.not_found', 'applications.admin_required'];

/** Applications, their secrets and their members: contract §4. */
export function addApplicationRoutes(app: App, ctx: Ctx): void {
  addReadRoutes(app, ctx);
  addChangeRoutes(app, ctx);
  addOperatingRoutes(app, ctx);
  addSecretRoute(app, ctx);
  addMemberRoutes(app, ctx);
}

const listOptions = {
  schema: {
    ...common,
    summary: 'List your applications',
    description: 'Those in which you have a role. `X-Total-Count` counts all, `Link` leads to the next page.',
    querystring: Type.Object(pageQuery),
    response: { 200: schemas.applicationsSchema },
  },
};

const readOptions = {
  config: { refusals: ['request.not_found'] as const },
  schema: {
    ...common,
    summary: 'Read an application',
    params: schemas.applicationIdSchema,
    response: { 200: schemas.applicationSchema },
  },
};

function addReadRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);

  app.get(base, { ...listOptions, preHandler }, async (request, reply) => {
    const { items, total } = await listApplications(ctx, callerOf(request), request.query);
    sendPageHeaders(request, reply, { total, next: nextOffset(request.query, total) });
    return { applications: items };
  });

  const statsSchema = {
    ...common,
    summary: 'Count your applications',
    response: { 200: schemas.statsSchema },
  };
  app.get(`${base}/stats`, { preHandler, schema: statsSchema }, (request) =>
    readStats(ctx, callerOf(request)),
  );

  const selfOptions = {
    preHandler: authenticate(ctx, { application: 'only' }),
    schema: {
      tags: common.tags,
      security: [{ application: [] }],
      summary: 'Read the application that asks',
      description: 'With its own client id and secret by HTTP Basic: shows whether they are right.',
      response: { 200: schemas.applicationSelfSchema },
    },
  };
  app.get(`${base}/me`, selfOptions, async (request) => ({
    application: await readOwnApplication(ctx, applicationOf(request)),
  }));

  app.get(`${base}/:id`, { ...readOptions, preHandler }, async (request) => ({
    application: await readApplication(ctx, callerOf(request), request.params.id),
  }));
}

const createOptions = {
  config: {
    refusals: [
      'applications.creation_restricted',
      'applications.too_many',
      'applications.resource_taken',
    ] satisfies ErrorCode[],
  },
  schema: {
    ...common,
    summary: 'Register an application',
    description: 'You become its administrator. The secret is shown this once.',
    body: schemas.newApplicationSchema,
    response: { 201: schemas.createdApplicationSchema },
  },
};

function addChangeRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);

  app.post(base, { ...createOptions, preHandler }, async (request, reply) => {
    const created = await createApplication(ctx, callerOf(request), request.body, originOf(request));
    return reply.code(201).send({ application: created });
  });

  const updateOptions = {
    preHandler,
    config: {
      refusals: [...forAdmins, 'applications.role_in_use' as const, 'applications.resource_taken' as const],
    },
    schema: {
      ...common,
      summary: 'Change an application',
      description:
        'For its administrators. One that becomes confidential gets a secret; one that stops being it loses ' +
        'its secrets.',
      params: schemas.applicationIdSchema,
      body: schemas.applicationChangesSchema,
      response: { 200: schemas.changedApplicationSchema },
    },
  };
  app.put(`${base}/:id`, updateOptions, async (request) => {
    const change = { id: request.params.id, changes: request.body };
    return { application: await updateApplication(ctx, callerOf(request), change, originOf(request)) };
  });

  const deleteSchema = {
    ...common,
    summary: 'Delete an application',
    description:
      'For its administrators. Its credentials are dead at once; what it spent stays in histories.',
    params: schemas.applicationIdSchema,
    response: { 200: schemas.doneSchema },
  };
  const deleteOptions = { preHandler, config: { refusals: forAdmins }, schema: deleteSchema };
  app.delete(`${base}/:id`, deleteOptions, async (request) => {
    await deleteApplication(ctx, callerOf(request), request.params.id, originOf(request));
    return done('The application is deleted.');
  });
}

const verificationOptions = {
  config: { refusals: ['auth.admin_required', 'request.not_found'] satisfies ErrorCode[] },
  schema: {
    ...common,
    summary: 'Say whether it is known who is behind an application',
    description: 'For administrators of this service. It lasts until the application changes its looks.',
    params: schemas.applicationIdSchema,
    body: schemas.verificationSchema,
    response: { 200: schemas.applicationSelfSchema },
  },
};

const figuresOptions = {
  config: { refusals: forAdmins },
  schema: {
    ...common,
    summary: 'Count what happens in an application',
    description: 'For its administrators: members, open requests, sign-ins on the last 30 days.',
    params: schemas.applicationIdSchema,
    response: { 200: schemas.applicationStatsSchema },
  },
};

function addOperatingRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);

  app.get(`${base}/:id/stats`, { ...figuresOptions, preHandler }, async (request) => ({
    stats: await readApplicationStats(ctx, callerOf(request), request.params.id),
  }));

  app.put(`${base}/:id/verification`, { ...verificationOptions, preHandler }, async (request) => {
    const verification = { id: request.params.id, isVerified: request.body.isVerified };
    const application = await verifyApplication(ctx, callerOf(request), verification, originOf(request));
    return { application };
  });
}

function addSecretRoute(app: App, ctx: Ctx): void {
  const options = {
    preHandler: authenticate(ctx),
    config: { refusals: [...forAdmins, 'applications.no_secret' as const] },
    schema: {
      ...common,
      summary: 'Rotate the secret of an application',
      description: 'For its administrators. The secrets so far stay valid for a while.',
      params: schemas.applicationIdSchema,
      body: schemas.rotationSchema,
      response: { 200: schemas.rotatedSecretSchema },
    },
  };
  app.post(`${base}/:id/rotate-secret`, options, (request) =>
    rotateSecret(ctx, callerOf(request), { ...request.body, id: request.params.id }, originOf(request)),
  );
}

const membersOptions = {
  config: { refusals: forAdmins },
  schema: {
    ...common,
    summary: 'List the members of an application',
    description: 'For its administrators. `X-Total-Count` counts all, `Link` leads to the next page.',
    params: schemas.applicationIdSchema,
    querystring: Type.Object(pageQuery),
    response: { 200: schemas.membersSchema },
  },
};

const memberOptions = {
  config: {
    refusals: [...forAdmins, 'applications.role_unknown' as const, 'applications.last_admin' as const],
  },
  schema: {
    ...common,
    summary: 'Change the role of a member',
    description: 'For administrators of the application. The last administrator stays one.',
    params: schemas.memberIdSchema,
    body: schemas.memberChangeSchema,
    response: { 200: schemas.memberAnswerSchema },
  },
};

const removalOptions = {
  config: { refusals: [...forAdmins, 'applications.last_admin' as const] },
  schema: {
    ...common,
    summary: 'Remove a member',
    description: 'For administrators of the application. Ends the access of that person, and its tokens.',
    params: schemas.memberIdSchema,
    response: { 200: schemas.doneSchema },
  },
};

function addMemberRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const users = `${base}/:id/users`;

  app.get(users, { ...membersOptions, preHandler }, async (request, reply) => {
    const { params, query } = request;
    const { items, total } = await listMembers(ctx, callerOf(request), { ...query, ...params });
    sendPageHeaders(request, reply, { total, next: nextOffset(query, total) });
    return { users: items };
  });

  app.put(`${users}/:userId`, { ...memberOptions, preHandler }, async (request) => {
    const change = { ...request.params, role: request.body.role };
    return { user: await changeMember(ctx, callerOf(request), change, originOf(request)) };
  });

  app.delete(`${users}/:userId`, { ...removalOptions, preHandler }, async (request) => {
    await removeMember(ctx, callerOf(request), request.params, originOf(request));
    return done('The member is removed.');
  });
}
