import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApplicationView, Problem, SecondFactorPage } from '../../../../../web/src/page.ts';
import type { Ctx } from '../../../ctx.ts';
import { readChallengeCookie } from '../../../http/second-factor-cookies.ts';
import { csrfField } from '../../../http/csrf.ts';
import { signInOriginOf } from '../../../http/origin.ts';
import { readSignInCookie } from '../../../http/sign-in-cookie.ts';
import {
  assertionSchema,
  finishInBrowser,
  readChallenge,
  readPasskeyField,
  type BrowserSignIn,
  type FactorProof,
} from '../../auth/index.ts';
import type { SecondFactorForm } from '../interactions/schemas.ts';

export type SecondFactorRequest = {
  action: string;
  backUrl: string;
  application: ApplicationView | null;
  problem?: Problem | undefined;
};

/** The second step of the sign-in that waits at this browser; undefined when none does. */
export async function buildSecondFactorPage(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  { action, backUrl, application, problem }: SecondFactorRequest,
): Promise<SecondFactorPage | undefined> {
  const asked = await readChallenge(ctx, readChallengeCookie(request));
  if (!asked) return undefined;
  const form = { action, hidden: csrfField(ctx, request, reply) };
  return {
    name: 'second-factor',
    form,
    application,
    reason: 'sign-in',
    methods: asked.methods,
    passkey: asked.passkeyOptions ? { form, options: asked.passkeyOptions } : null,
    canRemember: true,
    backUrl,
    problem: problem ?? null,
  };
}

/** Takes the form of that page. Throws what `finishSignIn` does. */
export async function takeSecondFactor(
  ctx: Ctx,
  request: FastifyRequest,
  form: SecondFactorForm,
): Promise<BrowserSignIn> {
  const step = {
    challengeToken: readChallengeCookie(request),
    proof: readFactorProof(form),
    remembersDevice: form.rememberDevice === 'on',
    place: { cookie: readSignInCookie(ctx.config, request) },
  };
  return finishInBrowser(ctx, step, signInOriginOf(request));
}

/** What was shown: a code, or what a passkey answered. */
export function readFactorProof({ code = '', passkey = '' }: SecondFactorForm): FactorProof {
  return passkey === '' ? { code } : { passkey: readPasskeyField(assertionSchema, passkey) };
}
