import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import { authenticate, callerOf } from '../../http/authenticate.ts';
import { limits } from '../../http/limits.ts';
import { originOf } from '../../http/origin.ts';
import { deactivateOwnAccount } from '../users/index.ts';
import { collectPersonalData } from './collect-personal-data.ts';
import { erasePerson } from './erase-person.ts';
import { formatPersonalDataAsJson, formatPersonalDataAsZip } from './format-personal-data.ts';
import * as schemas from './schemas.ts';

/** What a person may have: everything held about them, and that it is forgotten. */
export function addPrivacyRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const common = { tags: ['users'], security: [{ bearer: [] }] };

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

  const eraseSchema = {
    ...common,
    summary: 'Deactivate your account, or erase it for good',
    description:
      'Sessions, tokens, API keys and consents are dead at once; what the account owns stays, and an administrator can ' +
      'activate it again. With `erase=true`, ends every session, token, consent and membership at once and forgets who you were. What the books have to ' +
      'keep stays without your name.',
    querystring: schemas.erasureQuerySchema,
    body: schemas.erasureBodySchema,
    response: { 200: schemas.erasedSchema },
  };
  app.delete(
    '/api/v1/users/me',
    {
      preHandler,
      // Who deactivates need not send anything.
      preValidation: (request, _reply, done) => {
        request.body ??= {};
        done();
      },
      config: {
        limit: limits.changePassword,
        refusals: [
          'users.last_admin',
          'auth.password_wrong',
          'auth.sign_in_again',
          'users.erasure_blocked',
          'server.busy',
        ],
      },
      schema: eraseSchema,
    },
    async (request) => {
      const caller = callerOf(request);
      if (request.query.erase !== 'true') {
        await deactivateOwnAccount(ctx, { caller, origin: originOf(request) });
        return { success: true as const, message: 'The account is deactivated.' };
      }
      await erasePerson(ctx, caller, request.body);
      return { success: true as const, message: 'The account is erased.' };
    },
  );
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
