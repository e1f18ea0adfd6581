import type { FastifyRequest } from 'fastify';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import type { ErrorCode } from '../../../errors.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { sendRows } from '../../../http/export.ts';
import { originOf } from '../../../http/origin.ts';
import { sendPageHeaders } from '../../../http/paging.ts';
import { doneSchema } from '../schemas.ts';
import { banUser } from './ban-user.ts';
import type { Administrator } from './change-account.ts';
import { changeRole } from './change-role.ts';
import { deactivateAccount } from './deactivate-account.ts';
import { exportAccounts } from './export-accounts.ts';
import { listAccounts } from './list-accounts.ts';
import { reactivateAccount } from './reactivate-account.ts';
import { readAccount } from './read-account.ts';
import * as schemas from './schemas.ts';
import type { ReadCreditsOf } from './to-account.ts';
import { updateAccount } from './update-account.ts';

const common = { tags: ['users'], security: [{ bearer: [] }] };
const response = { 200: schemas.accountSchema };
const params = schemas.userIdSchema;
const forAdmins = ['auth.admin_required'] as const satisfies ErrorCode[];
const ofOne = [...forAdmins, 'request.not_found'] as const satisfies ErrorCode[];

/** The columns of the CSV. */
const columns = {
  id: (account: schemas.Account) => account.id,
  email: (account: schemas.Account) => account.email,
  emailVerified: (account: schemas.Account) => account.emailVerified,
  name: (account: schemas.Account) => account.name,
  username: (account: schemas.Account) => account.username,
  role: (account: schemas.Account) => account.role,
  credits: (account: schemas.Account) => account.credits,
  isActive: (account: schemas.Account) => account.isActive,
  banReason: (account: schemas.Account) => account.ban?.reason ?? null,
  banUntil: (account: schemas.Account) => account.ban?.until ?? null,
  createdAt: (account: schemas.Account) => account.createdAt,
  updatedAt: (account: schemas.Account) => account.updatedAt,
};

const administratorOf = (request: FastifyRequest): Administrator => ({
  caller: callerOf(request),
  origin: originOf(request),
});

/** Everybody's accounts, for administrators of the service, as the Moxie clients call them. */
export function addUserAdministrationRoutes(app: App, ctx: Ctx, readCreditsOf: ReadCreditsOf): void {
  addListRoutes(app, ctx, readCreditsOf);
  addAccountRoutes(app, ctx, readCreditsOf);
  addActivityRoutes(app, ctx, readCreditsOf);
}

function addListRoutes(app: App, ctx: Ctx, readCreditsOf: ReadCreditsOf): void {
  const preHandler = authenticate(ctx);
  const config = { refusals: forAdmins };
  const listSchema = {
    ...common,
    summary: 'List and search people (administrators)',
    description:
      'Newest first. `Link` leads to the next page, by cursor. `X-Total-Count` counts up to ten thousand; beyond, it ' +
      'is an estimate and `X-Total-Count-Estimated: true` says so. `credits` are as of when each wallet was last ' +
      'looked at.',
    querystring: schemas.accountsQuerySchema,
    response: { 200: schemas.accountsSchema },
  };
  app.get('/api/v1/users', { preHandler, config, schema: listSchema }, async (request, reply) => {
    const page = await listAccounts(ctx, callerOf(request), readCreditsOf, request.query);
    const next = page.nextCursor === undefined ? undefined : { cursor: page.nextCursor };
    sendPageHeaders(request, reply, { total: page.total, next });
    if (page.isEstimate) reply.header('x-total-count-estimated', 'true');
    return page.accounts;
  });

  const exportSchema = {
    ...common,
    summary: 'Export the list of people (administrators)',
    description: 'Streamed as it is read. The export stands in the audit trail.',
    querystring: schemas.exportQuerySchema,
    response: { 200: schemas.exportedLinesSchema },
  };
  app.get('/api/v1/users/export', { preHandler, config, schema: exportSchema }, async (request, reply) => {
    const { format, ...filters } = request.query;
    const pages = await exportAccounts(ctx, administratorOf(request), readCreditsOf, filters);
    return sendRows(reply, { pages, format, name: 'users', columns });
  });
}

function addAccountRoutes(app: App, ctx: Ctx, readCreditsOf: ReadCreditsOf): void {
  const preHandler = authenticate(ctx);
  const path = '/api/v1/users/:userId';
  const readSchema = { ...common, summary: "Read somebody's account (administrators)", params, response };
  app.get(path, { preHandler, config: { refusals: ofOne }, schema: readSchema }, (request) =>
    readAccount(ctx, callerOf(request), readCreditsOf, request.params.userId),
  );

  const updateSchema = {
    ...common,
    summary: "Change somebody's profile (administrators)",
    params,
    body: schemas.accountChangesSchema,
    response,
  };
  const updateConfig = { refusals: [...ofOne, 'users.username_taken'] as const };
  app.put(path, { preHandler, config: updateConfig, schema: updateSchema }, (request) =>
    updateAccount(ctx, administratorOf(request), readCreditsOf, { ...request.body, ...request.params }),
  );

  const roleSchema = {
    ...common,
    summary: "Change somebody's role (administrators)",
    description: 'Counts from their next request on. The last active administrator stays one.',
    params,
    body: schemas.roleBodySchema,
    response,
  };
  const roleConfig = { refusals: [...ofOne, 'users.last_admin'] as const };
  app.put(`${path}/role`, { preHandler, config: roleConfig, schema: roleSchema }, (request) =>
    changeRole(ctx, administratorOf(request), readCreditsOf, { ...request.body, ...request.params }),
  );
}

function addActivityRoutes(app: App, ctx: Ctx, readCreditsOf: ReadCreditsOf): void {
  const preHandler = authenticate(ctx);
  const path = '/api/v1/users/:userId';
  const endConfig = { refusals: [...ofOne, 'users.last_admin'] as const };
  const deactivateSchema = {
    ...common,
    summary: 'Deactivate an account (administrators)',
    description:
      'Sessions, tokens, API keys and consents are dead at once; what the account owns stays. A ban for a time does ' +
      'not end by itself any more.',
    params,
    querystring: schemas.reasonQuerySchema,
    response: { 200: doneSchema },
  };
  app.delete(path, { preHandler, config: endConfig, schema: deactivateSchema }, async (request) => {
    await deactivateAccount(ctx, administratorOf(request), { ...request.query, ...request.params });
    return { success: true as const, message: 'The account is deactivated.' };
  });

  const activateSchema = {
    ...common,
    summary: 'Activate an account again (administrators)',
    description: 'Lifts a ban, too. What ended with the account stays ended.',
    params,
    body: schemas.reasonBodySchema,
    response,
  };
  const activateConfig = { refusals: ofOne };
  app.post(`${path}/reactivate`, { preHandler, config: activateConfig, schema: activateSchema }, (request) =>
    reactivateAccount(ctx, administratorOf(request), readCreditsOf, { ...request.body, ...request.params }),
  );

  const banSchema = {
    ...common,
    summary: 'Ban a person (administrators)',
    description:
      'The account is not active, until a time or for good. One that is deactivated besides stays so afterwards.',
    params,
    body: schemas.banBodySchema,
    response,
  };
  app.post(`${path}/ban`, { preHandler, config: endConfig, schema: banSchema }, (request) =>
    banUser(ctx, administratorOf(request), readCreditsOf, { ...request.body, ...request.params }),
  );
}
