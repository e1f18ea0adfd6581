import type { FastifyReply, FastifyRequest } from 'fastify';
import type { KeyFields, KeysPage } from '../../../../../web/src/account-pages.ts';
import type { Problem } from '../../../../../web/src/page.ts';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { csrfField, requireCsrfToken } from '../../../http/csrf.ts';
import { originOf } from '../../../http/origin.ts';
import { orAgain, type Again } from '../../../http/pages/or-again.ts';
import { forPageCaller, forPageReader } from '../../../http/pages/page-caller.ts';
import { addPages } from '../../../http/pages/page-scope.ts';
import { reactPageRoute, sendReactPage } from '../../../http/pages/react-page.ts';
import { createApiKey } from '../create-api-key.ts';
import { revokeApiKey } from '../revoke-api-key.ts';
import { buildKeysPage, keysPath } from './build-keys-page.ts';
import { readKeyForm, toKeyFields } from './read-key-form.ts';
import * as schemas from './schemas.ts';

const { schema } = reactPageRoute;

/** The page of a person's API keys. A new key is the answer to its form, and shown that once. */
export function addApiKeyPages(app: App, ctx: Ctx): void {
  const preHandler = requireCsrfToken(ctx);
  addPages(app, (pages) => {
    const shown = { ...schema, querystring: schemas.keysQuerySchema };
    pages.get(keysPath, { schema: shown }, (request, reply) =>
      forPageReader(ctx, request, reply, {
        next: keysPath,
        work: (caller) => show(ctx, request, reply, caller),
      }),
    );
    const creation = { preHandler, schema: { ...schema, body: schemas.keyFormSchema } };
    pages.post(keysPath, creation, (request, reply) =>
      forKeys(ctx, request, reply, (caller) =>
        make(ctx, request, reply, { caller, typed: toKeyFields(request.body) }),
      ),
    );
    const revocation = { preHandler, schema: { ...schema, params: schemas.revokedKeyParamsSchema } };
    pages.post(`${keysPath}/:keyId/revoke`, revocation, (request, reply) =>
      forKeys(ctx, request, reply, async (caller) => {
        await revokeApiKey(ctx, caller, request.params, originOf(request));
        return reply.redirect(`${keysPath}?done=key-revoked`, 303);
      }),
    );
  });
}

function forKeys(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (caller: Caller) => Promise<FastifyReply>,
): Promise<FastifyReply> {
  return forPageCaller(ctx, request, reply, { next: keysPath, work });
}

async function make(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  { caller, typed }: { caller: Caller; typed: KeyFields },
): Promise<FastifyReply> {
  const take = async () => {
    const { name, key } = await createApiKey(ctx, caller, readKeyForm(ctx, typed), originOf(request));
    return sendReactPage(reply, { name: 'key-made', keyName: name, key, continueUrl: keysPath });
  };
  return orAgain(take, (refusal) => show(ctx, request, reply, caller, { typed, ...refusal }), problemOf);
}

async function show(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller,
  again?: Again & { typed: KeyFields },
): Promise<FastifyReply> {
  const page: KeysPage = await buildKeysPage(ctx, caller, {
    hidden: csrfField(ctx, request, reply),
    isRevoked: (request.query as { done?: string }).done === 'key-revoked',
    ...(again ? { typed: again.typed, problem: again.problem } : {}),
  });
  return sendReactPage(reply, page, { status: again?.status ?? 200 });
}

/** What a person can mend in the form; undefined for other refusals. */
function problemOf(error: unknown): Problem | undefined {
  if (!(error instanceof AppError)) return undefined;
  const [first] = error.options.errors ?? [];
  if (error.code === 'request.invalid' && first)
    return { code: error.code, field: first.path.split('/').at(-1) ?? '', detail: first.message };
  return error.code === 'api_keys.too_many' ? { code: error.code } : undefined;
}
