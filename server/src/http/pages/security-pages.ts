import type { FastifyReply, FastifyRequest } from 'fastify';
import type { SecurityPage } from '../../../../web/src/security-pages.ts';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import {
  addPasskey,
  beginRegistration,
  disableTotp,
  enableTotp,
  forgetRememberedDevices,
  listPasskeys,
  readFactorStatus,
  readOwnAccount,
  readPasskeyField,
  readSetUp,
  registrationResponseSchema,
  removePasskey,
  renewBackupCodes,
  setUpTotp,
} from '../../domains/auth/index.ts';
import { csrfField, requireCsrfToken } from '../csrf.ts';
import { limits } from '../limits.ts';
import { originOf } from '../origin.ts';
import { orAgain, type Again } from './or-again.ts';
import { addPages } from './page-scope.ts';
import { sendReactPage } from './react-page.ts';
import * as schemas from './security-schemas.ts';
import { forCaller, interactionOf, problemOf, securityPath, securityUrl } from './security-scope.ts';
import { addStepUpPage } from './step-up-page.ts';

type Done = NonNullable<SecurityPage['done']>;

const query = { hide: true, querystring: schemas.securityQuery };
const dones = new Set<string>(['totp-removed', 'passkey-added', 'passkey-removed', 'devices-forgotten']);

/**
 * What signs a person in besides their password, and the forms that change it. Opening the page takes a
 * recent sign-in. Codes that are shown once are the answer to their form; everything else is answered by 303.
 */
export function addSecurityPages(app: App, ctx: Ctx): void {
  addPages(app, (pages) => {
    addStepUpPage(pages, ctx);
    addOverview(pages, ctx);
    addTotpPages(pages, ctx);
    addPasskeyForms(pages, ctx);
  });
}

function addOverview(pages: App, ctx: Ctx): void {
  pages.get(securityPath, { schema: query }, (request, reply) =>
    forCaller(ctx, request, reply, (caller) => show(ctx, request, reply, caller)),
  );
  const guarded = { preHandler: requireCsrfToken(ctx), config: { limit: limits.factors } };
  pages.post(`${securityPath}/backup-codes`, { ...guarded, schema: query }, (request, reply) =>
    forCaller(ctx, request, reply, (caller) =>
      orAgain(
        async () => showCodes(request, reply, await renewBackupCodes(ctx, caller, originOf(request))),
        (again) => show(ctx, request, reply, caller, again),
        problemOf,
      ),
    ),
  );
  pages.post(`${securityPath}/devices`, { ...guarded, schema: query }, (request, reply) =>
    forCaller(ctx, request, reply, async (caller) => {
      await forgetRememberedDevices(ctx, caller, undefined, originOf(request));
      return reply.redirect(securityUrl(request, { done: 'devices-forgotten' }), 303);
    }),
  );
}

function addTotpPages(pages: App, ctx: Ctx): void {
  const path = `${securityPath}/totp`;
  const guarded = { preHandler: requireCsrfToken(ctx), config: { limit: limits.factors } };
  pages.post(path, { ...guarded, schema: query }, (request, reply) =>
    forCaller(ctx, request, reply, (caller) =>
      orAgain(
        async () => {
          await setUpTotp(ctx, caller);
          return reply.redirect(securityUrl(request).replace(securityPath, path), 303);
        },
        (again) => show(ctx, request, reply, caller, again),
        problemOf,
      ),
    ),
  );
  pages.get(path, { schema: query }, (request, reply) =>
    forCaller(ctx, request, reply, (caller) => showSetUp(ctx, request, reply, caller)),
  );
  pages.post(
    `${path}/enable`,
    { ...guarded, schema: { ...query, body: schemas.codeForm } },
    (request, reply) =>
      forCaller(ctx, request, reply, (caller) =>
        orAgain(
          async () =>
            showCodes(request, reply, await enableTotp(ctx, caller, request.body.code, originOf(request))),
          (again) => showSetUp(ctx, request, reply, caller, again),
          problemOf,
        ),
      ),
  );
  pages.post(
    `${path}/disable`,
    { ...guarded, schema: { ...query, body: schemas.removalForm } },
    (request, reply) =>
      forCaller(ctx, request, reply, (caller) =>
        orAgain(
          async () => {
            await disableTotp(ctx, caller, request.body, originOf(request));
            return reply.redirect(securityUrl(request, { done: 'totp-removed' }), 303);
          },
          (again) => show(ctx, request, reply, caller, again),
          problemOf,
        ),
      ),
  );
}

function addPasskeyForms(pages: App, ctx: Ctx): void {
  const path = `${securityPath}/passkeys`;
  const guarded = { preHandler: requireCsrfToken(ctx), config: { limit: limits.factors } };
  pages.post(path, { ...guarded, schema: { ...query, body: schemas.additionForm } }, (request, reply) =>
    forCaller(ctx, request, reply, (caller) =>
      orAgain(
        async () => {
          const { name, passkey } = request.body;
          const response = readPasskeyField(registrationResponseSchema, passkey);
          const { backupCodes } = await addPasskey(ctx, caller, { name, response }, originOf(request));
          if (backupCodes) return showCodes(request, reply, backupCodes);
          return reply.redirect(securityUrl(request, { done: 'passkey-added' }), 303);
        },
        (again) => show(ctx, request, reply, caller, again),
        problemOf,
      ),
    ),
  );
  pages.post(
    `${path}/:id/remove`,
    { ...guarded, schema: { ...query, params: schemas.passkeyParams } },
    (request, reply) =>
      forCaller(ctx, request, reply, (caller) =>
        orAgain(
          async () => {
            await removePasskey(ctx, caller, request.params.id, originOf(request));
            return reply.redirect(securityUrl(request, { done: 'passkey-removed' }), 303);
          },
          (again) => show(ctx, request, reply, caller, again),
          problemOf,
        ),
      ),
  );
}

async function show(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller,
  again?: Again,
): Promise<FastifyReply> {
  const options = await beginRegistration(ctx, caller);
  const { methods, totp, backupCodesLeft, rememberedDevices } = await readFactorStatus(ctx, caller);
  const hidden = csrfField(ctx, request, reply);
  const formOf = (path: string) => ({ action: securityUrl(request).replace(securityPath, path), hidden });
  const { done } = request.query as { done?: string };
  const passkeys = (await listPasskeys(ctx, caller)).map((passkey) => ({
    ...passkey,
    removal: formOf(`${securityPath}/passkeys/${passkey.id}/remove`),
  }));
  const page: SecurityPage = {
    name: 'security',
    account: await readOwnAccount(ctx, caller),
    setUp: totp ? null : formOf(`${securityPath}/totp`),
    removal: totp ? formOf(`${securityPath}/totp/disable`) : null,
    passkeys,
    addition: { form: formOf(`${securityPath}/passkeys`), options },
    backupCodesLeft,
    renewal: methods.length > 0 ? formOf(`${securityPath}/backup-codes`) : null,
    rememberedCount: rememberedDevices.length,
    forgetting: formOf(`${securityPath}/devices`),
    done: done !== undefined && dones.has(done) ? (done as Done) : null,
    continueUrl: interactionOf(request),
    problem: again?.problem ?? null,
  };
  return sendReactPage(reply, page, { status: again?.status ?? 200 });
}

async function showSetUp(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller,
  again?: Again,
): Promise<FastifyReply> {
  const setUp = await readSetUp(ctx, caller);
  if (!setUp) return reply.redirect(securityUrl(request), 303);
  const action = securityUrl(request).replace(securityPath, `${securityPath}/totp/enable`);
  const form = { action, hidden: csrfField(ctx, request, reply) };
  const page = { name: 'totp-set-up' as const, form, ...setUp, cancelUrl: securityUrl(request) };
  return sendReactPage(reply, { ...page, problem: again?.problem ?? null }, { status: again?.status ?? 200 });
}

function showCodes(request: FastifyRequest, reply: FastifyReply, codes: string[]): Promise<FastifyReply> {
  return sendReactPage(reply, { name: 'backup-codes', codes, continueUrl: securityUrl(request) });
}
