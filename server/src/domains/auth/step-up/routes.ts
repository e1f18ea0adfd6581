import { Type, type Static } from 'typebox';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { AppError, type ErrorCode } from '../../../errors.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { limits } from '../../../http/limits.ts';
import { originOf } from '../../../http/origin.ts';
import { readSignInCookie, sendSignInCookie } from '../../../http/sign-in-cookie.ts';
import { codeSchema } from '../factors/schemas.ts';
import { assertionSchema, optionsSchema } from '../passkeys/schemas.ts';
import { currentPasswordSchema, tokensSchema } from '../schemas.ts';
import { beginStepUp } from './begin-step-up.ts';
import { stepUp, type StepUpProof } from './step-up.ts';

const common = { tags: ['auth'], security: [{ bearer: [] }] };
const stepUpBody = Type.Object({
  password: Type.Optional(currentPasswordSchema),
  code: Type.Optional(codeSchema),
  passkey: Type.Optional(assertionSchema),
});

/** Showing anew that it is still you, before something that needs it. */
export function addStepUpRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const schema = {
    ...common,
    summary: 'Show that it is still you',
    description:
      'One of `password`, `code` and `passkey`; with a second factor on, the password is not enough. The session gets ' +
      'another id: its access tokens so far are dead, and those of the answer take their place.',
    body: stepUpBody,
    response: { 200: tokensSchema },
  };
  const refusals: ErrorCode[] = [
    'auth.step_up_required',
    'auth.password_wrong',
    'auth.code_wrong',
    'auth.passkey_invalid',
    'server.busy',
  ];
  app.post(
    '/api/v1/auth/step-up',
    { preHandler, config: { limit: limits.stepUp, refusals }, schema },
    async (request, reply) => {
      const proof = readProof(request.body);
      const cookie = readSignInCookie(ctx.config, request);
      const answer = await stepUp(ctx, callerOf(request), { proof, cookie }, originOf(request));
      if (answer.cookie) sendSignInCookie(ctx.config, reply, answer.cookie);
      return answer.tokens;
    },
  );

  const options = {
    ...common,
    summary: 'Begin to show it with a passkey',
    description: 'The options for `navigator.credentials.get`; its answer is `passkey` of `/step-up`.',
    response: { 200: optionsSchema },
  };
  app.post(
    '/api/v1/auth/step-up/options',
    { preHandler, config: { limit: limits.passkeyOptions }, schema: options },
    (request) => beginStepUp(ctx, callerOf(request)),
  );
}

function readProof({ password, code, passkey }: Static<typeof stepUpBody>): StepUpProof {
  const given = [password, code, passkey].filter((proof) => proof !== undefined);
  if (given.length === 1) {
    if (password !== undefined) return { password };
    if (code !== undefined) return { code };
    if (passkey !== undefined) return { passkey };
  }
  const message = 'must hold one of password, code and passkey';
  throw new AppError('request.invalid', { errors: [{ path: '/body', message }] });
}
