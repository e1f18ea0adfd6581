import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ShownMethod } from '../../../../web/src/security-pages.ts';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import { assertionSchema, findBrowserCaller, readPasskeyField } from '../../domains/auth/index.ts';
import { readStepUp, stepUp, type StepUpProof } from '../../domains/auth/index.ts';
import { csrfField, requireCsrfToken } from '../csrf.ts';
import { limits } from '../limits.ts';
import { originOf } from '../origin.ts';
import { readSignInCookie, sendSignInCookie } from '../sign-in-cookie.ts';
import { orAgain, type Again } from './or-again.ts';
import { stepUpPath } from './page-caller.ts';
import { sendReactPage } from './react-page.ts';
import { securityQuery, stepUpForm } from './security-schemas.ts';
import { problemOf, securityPath } from './security-scope.ts';

/** Where one comes back to. */
const target =
  /^(?:\/account\/security(?:\?next=%2Finteraction%2F[\w-]{1,100})?|\/account\/(?:keys|connected)|\/credits|\/admin\/people\/[\da-f-]{36})$/;
const schema = { hide: true, querystring: securityQuery };

/** The page on which somebody who is signed in shows that it is still them. Works without JavaScript. */
export function addStepUpPage(pages: App, ctx: Ctx): void {
  pages.get(stepUpPath, { schema }, (request, reply) => show(ctx, request, reply));
  pages.post(
    stepUpPath,
    {
      preHandler: requireCsrfToken(ctx),
      config: { limit: limits.stepUp },
      schema: { ...schema, body: stepUpForm },
    },
    async (request, reply) => {
      const cookie = readSignInCookie(ctx.config, request);
      const caller = await findBrowserCaller(ctx, cookie);
      if (!caller) return reply.redirect('/sign-in', 303);
      const take = async () => {
        const raised = await stepUp(ctx, caller, { proof: proofOf(request.body), cookie }, originOf(request));
        if (raised.cookie) sendSignInCookie(ctx.config, reply, raised.cookie);
        return reply.redirect(targetOf(request), 303);
      };
      return orAgain(take, (again) => show(ctx, request, reply, again), problemOf);
    },
  );
}

async function show(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  again?: Again,
): Promise<FastifyReply> {
  const caller = await findBrowserCaller(ctx, readSignInCookie(ctx.config, request));
  const next = targetOf(request);
  const query = new URLSearchParams({ next }).toString();
  if (!caller) return reply.redirect(`/sign-in?${query}`, 303);
  const { methods, passkeyOptions } = await readStepUp(ctx, caller);
  const shown = methods.filter((method): method is ShownMethod => method !== 'sign_in');
  if (shown.length === 0) return reply.redirect(`/sign-in?${query}`, 303);
  const form = { action: `${stepUpPath}?${query}`, hidden: csrfField(ctx, request, reply) };
  const page = {
    name: 'second-factor' as const,
    form,
    application: null,
    reason: 'again' as const,
    methods: shown,
    passkey: passkeyOptions ? { form, options: passkeyOptions } : null,
    canRemember: false,
    backUrl: '/sign-in?done',
    problem: again?.problem ?? null,
  };
  return sendReactPage(reply, page, { status: again?.status ?? 200 });
}

function targetOf(request: FastifyRequest): string {
  const { next } = request.query as { next?: string };
  return next !== undefined && target.test(next) ? next : securityPath;
}

function proofOf({
  password = '',
  code = '',
  passkey = '',
}: Record<string, string | undefined>): StepUpProof {
  if (passkey !== '') return { passkey: readPasskeyField(assertionSchema, passkey) };
  return password === '' ? { code } : { password };
}
