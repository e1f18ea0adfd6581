import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import type { ErrorCode } from '../../errors.ts';
import { authenticate, callerOf } from '../../http/authenticate.ts';
import { limits } from '../../http/limits.ts';
import { originOf } from '../../http/origin.ts';
import { forPageCaller } from '../../http/pages/page-caller.ts';
import { addPages } from '../../http/pages/page-scope.ts';
import { collectPersonalData } from './collect-personal-data.ts';
import { formatPersonalDataAsJson, formatPersonalDataAsZip } from './format-personal-data.ts';
import { leave } from './leave.ts';
import * as schemas from './schemas.ts';

const common = { tags: ['users'], security: [{ bearer: [] }] };

/** What a person may have: everything held about them, and that it is forgotten. */
export function addPrivacyRoutes(app: App, ctx: Ctx): void {
  addExportRoute(app, ctx);
  addExportPage(app, ctx);
  addLeaveRoute(app, ctx);
}

function addExportRoute(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const exportSchema = {
    ...common,
    summary: 'Export everything held about you',
    description: 'As JSON, or as a zip with a file of JSON lines for each table (`Accept: application/zip`).',
    querystring: schemas.exportQuerySchema,
    response: { 200: schemas.personalDataSchema },
  };
  app.get(
    '/api/v1/users/me/export',
    { preHandler, config: { limit: limits.exportPerson }, schema: exportSchema },
    async (request, reply) => {
      const sections = await collectPersonalData(ctx, callerOf(request));
      const isZip = wantsZip(request, request.query.format);
      if (!isZip)
        return sendArchive(reply, 'json', Readable.from(formatPersonalDataAsJson(sections, ctx.clock.now())));
      return sendArchive(reply, 'zip', formatPersonalDataAsZip(sections, ctx.clock.now()));
    },
  );
}

/** The same file for who is signed in at a browser. */
function addExportPage(app: App, ctx: Ctx): void {
  const options = { config: { limit: limits.exportPerson }, schema: { hide: true } };
  addPages(app, (pages) => {
    pages.get('/account/export', options, (request, reply) =>
      forPageCaller(ctx, request, reply, {
        next: '/account',
        work: async (caller) => {
          const sections = await collectPersonalData(ctx, caller);
          const file = formatPersonalDataAsJson(sections, ctx.clock.now());
          return sendArchive(reply, 'json', Readable.from(file));
        },
      }),
    );
  });
}

function addLeaveRoute(app: App, ctx: Ctx): void {
  const leaveSchema = {
    ...common,
    summary: 'Deactivate your account, or erase it for good',
    description:
      'Sessions, tokens, API keys and consents are dead at once; what the account owns stays, and an administrator ' +
      'can activate it again. With `erase=true`, memberships end, too, and who you were is forgotten: what the books ' +
      'have to keep stays without your name.',
    querystring: schemas.erasureQuerySchema,
    body: schemas.erasureBodySchema,
    response: { 200: schemas.erasedSchema },
  };
  const refusals = [
    'users.last_admin',
    'auth.password_wrong',
    'auth.sign_in_again',
    'users.erasure_blocked',
    'server.busy',
  ] satisfies ErrorCode[];
  const preHandler = authenticate(ctx);
  // Who deactivates need not send anything.
  const preValidation = mayBeEmpty;
  app.delete(
    '/api/v1/users/me',
    { preHandler, preValidation, config: { limit: limits.changePassword, refusals }, schema: leaveSchema },
    (request) => leave(ctx, callerOf(request), { ...request.query, ...request.body }, originOf(request)),
  );
}

function mayBeEmpty(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  request.body ??= {};
  done();
}

function wantsZip(request: FastifyRequest, format: 'json' | 'zip' | undefined): boolean {
  return format === undefined ? /\bapplication\/zip\b/i.test(request.headers.accept ?? '') : format === 'zip';
}

function sendArchive(reply: FastifyReply, format: 'json' | 'zip', content: Readable): FastifyReply {
  return reply
    .header('vary', [reply.getHeader('vary') ?? [], 'Accept'].flat().join(', '))
    .header('cache-control', 'no-store')
    .header('content-disposition', `attachment; filename="personal-data.${format}"`)
    .type(format === 'zip' ? 'application/zip' : 'application/json; charset=utf-8')
    .send(content);
}
