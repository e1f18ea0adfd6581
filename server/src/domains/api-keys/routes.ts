import { Type } from 'typebox';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import type { ErrorCode } from '../../errors.ts';
import { authenticate, callerOf } from '../../http/authenticate.ts';
import { originOf } from '../../http/origin.ts';
import { changeApiKey } from './change-api-key.ts';
import { createApiKey } from './create-api-key.ts';
import { listApiKeys } from './list-api-keys.ts';
import { revokeApiKey } from './revoke-api-key.ts';
import { rotateApiKey } from './rotate-api-key.ts';
import * as schemas from './schemas.ts';
import { addVerificationRoutes } from './verification/routes.ts';

const common = { tags: ['api-keys'], security: [{ bearer: [] }] };
const forAdmins: ErrorCode[] = ['request.not_found', 'applications.admin_required'];
const revoked = { success: true as const, message: 'The key is revoked.' };
const listSchema = Type.Object({ apiKeys: Type.Array(schemas.keyObjectSchema) });

/**
 * Keys of people (contract §3) and of applications, and their verification. No key opens these but the last.
 */
export function addApiKeyRoutes(app: App, ctx: Ctx): void {
  addOwnRoutes(app, ctx);
  addOwnKeyRoutes(app, ctx);
  addApplicationRoutes(app, ctx);
  addApplicationKeyRoutes(app, ctx);
  addVerificationRoutes(app, ctx);
}

const own = '/api/v1/users/api-keys';

function addOwnRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const listOptions = {
    preHandler,
    schema: { ...common, summary: 'List your API keys', response: { 200: listSchema } },
  };
  app.get(own, listOptions, async (request) => ({ apiKeys: await listApiKeys(ctx, callerOf(request), {}) }));

  const createOptions = {
    preHandler,
    config: { refusals: ['auth.step_up_required', 'api_keys.too_many'] as const },
    schema: {
      ...common,
      summary: 'Make an API key',
      description: 'The key is shown this once. Without `scopes` it opens all that a key may.',
      body: schemas.newPersonKeySchema,
      response: { 201: schemas.createdKeySchema },
    },
  };
  app.post(own, createOptions, async (request, reply) => {
    const created = await createApiKey(ctx, callerOf(request), request.body, originOf(request));
    return reply.code(201).send(created);
  });
}

const changeOptions = {
  config: { refusals: ['request.not_found', 'auth.step_up_required', 'api_keys.no_budget'] as const },
  schema: {
    ...common,
    summary: 'Rename an API key, or change its budget',
    description: 'Raising the budget needs a recent sign-in.',
    params: schemas.keyParamsSchema,
    body: schemas.keyChangesSchema,
    response: { 200: schemas.keyObjectSchema },
  },
};

const rotateOptions = {
  config: { refusals: ['request.not_found', 'auth.step_up_required'] as const },
  schema: {
    ...common,
    summary: 'Rotate an API key',
    description: 'The new key is shown this once; the one so far stays valid for the overlap.',
    params: schemas.keyParamsSchema,
    body: schemas.keyRotationSchema,
    response: { 200: schemas.rotatedKeySchema },
  },
};

const revokeOptions = {
  config: { refusals: ['request.not_found'] as const },
  schema: {
    ...common,
    summary: 'Revoke an API key',
    description: 'For good, and at once.',
    params: schemas.keyParamsSchema,
    response: { 200: schemas.doneSchema },
  },
};

function addOwnKeyRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const path = `${own}/:keyId`;
  app.patch(path, { ...changeOptions, preHandler }, (request) =>
    changeApiKey(ctx, callerOf(request), { ...request.body, ...request.params }, originOf(request)),
  );
  app.post(`${path}/rotate`, { ...rotateOptions, preHandler }, (request) =>
    rotateApiKey(ctx, callerOf(request), { ...request.body, ...request.params }, originOf(request)),
  );
  app.delete(path, { ...revokeOptions, preHandler }, async (request) => {
    await revokeApiKey(ctx, callerOf(request), request.params, originOf(request));
    return revoked;
  });
}

const ofApplication = '/api/v1/applications/:id/api-keys';

function addApplicationRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const params = schemas.applicationParamsSchema;
  const listOptions = {
    preHandler,
    config: { refusals: forAdmins },
    schema: {
      ...common,
      summary: 'List the API keys of an application',
      description: 'For its administrators.',
      params,
      response: { 200: listSchema },
    },
  };
  app.get(ofApplication, listOptions, async (request) => ({
    apiKeys: await listApiKeys(ctx, callerOf(request), { applicationId: request.params.id }),
  }));

  const createOptions = {
    preHandler,
    config: { refusals: [...forAdmins, 'auth.step_up_required' as const, 'api_keys.too_many' as const] },
    schema: {
      ...common,
      summary: 'Make an API key of an application',
      description:
        'For its administrators. It may do what the client secret may, as far as its scopes go: it spends only ' +
        'under the mandates that people gave the application. The key is shown this once.',
      params,
      body: schemas.newApplicationKeySchema,
      response: { 201: schemas.createdKeySchema },
    },
  };
  app.post(ofApplication, createOptions, async (request, reply) => {
    const given = { ...request.body, applicationId: request.params.id };
    return reply.code(201).send(await createApiKey(ctx, callerOf(request), given, originOf(request)));
  });
}

/** What is refused to whoever does not administer the application, besides what is refused to all. */
function forApplication({ config }: { config: { refusals: readonly ErrorCode[] } }) {
  return { config: { refusals: ['applications.admin_required', ...config.refusals] satisfies ErrorCode[] } };
}

function addApplicationKeyRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const path = `${ofApplication}/:keyId`;
  const params = schemas.applicationKeyParamsSchema;
  const description = 'For administrators of the application.';

  const change = {
    ...changeOptions.schema,
    params,
    summary: 'Change an API key of an application',
    description: `${description} Raising the budget needs a recent sign-in.`,
  };
  app.patch(path, { ...forApplication(changeOptions), preHandler, schema: change }, (request) => {
    const { id: applicationId, keyId } = request.params;
    return changeApiKey(ctx, callerOf(request), { ...request.body, applicationId, keyId }, originOf(request));
  });

  const rotate = {
    ...rotateOptions.schema,
    params,
    summary: 'Rotate an API key of an application',
    description,
  };
  app.post(`${path}/rotate`, { ...forApplication(rotateOptions), preHandler, schema: rotate }, (request) => {
    const { id: applicationId, keyId } = request.params;
    return rotateApiKey(ctx, callerOf(request), { ...request.body, applicationId, keyId }, originOf(request));
  });

  const revoke = {
    ...revokeOptions.schema,
    params,
    summary: 'Revoke an API key of an application',
    description,
  };
  app.delete(path, { ...forApplication(revokeOptions), preHandler, schema: revoke }, async (request) => {
    const { id: applicationId, keyId } = request.params;
    await revokeApiKey(ctx, callerOf(request), { applicationId, keyId }, originOf(request));
    return revoked;
  });
}
