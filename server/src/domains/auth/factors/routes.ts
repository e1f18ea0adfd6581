import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import type { ErrorCode } from '../../../errors.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { limits } from '../../../http/limits.ts';
import { originOf, signInOriginOf } from '../../../http/origin.ts';
import { sendSignInCookie } from '../../../http/sign-in-cookie.ts';
import { answerSignIn } from '../log-in.ts';
import { doneSchema, signInAnswerSchema } from '../schemas.ts';
import { finishSignIn } from '../sign-in/finish-sign-in.ts';
import { disableTotp } from './disable-totp.ts';
import { enableTotp } from './enable-totp.ts';
import { forgetRememberedDevices } from './forget-remembered-devices.ts';
import { readFactorStatus } from './read-factor-status.ts';
import { renewBackupCodes } from './renew-backup-codes.ts';
import * as schemas from './schemas.ts';
import { setUpTotp } from './set-up-totp.ts';

const base = '/api/v1/auth/2fa';
const signedIn = { tags: ['auth'], security: [{ bearer: [] }] };

/** Second factors: codes from an app, backup codes, remembered devices, and the second step of a sign-in. */
export function addFactorRoutes(app: App, ctx: Ctx): void {
  addStatusRoutes(app, ctx);
  addTotpRoutes(app, ctx);
  addDisableRoute(app, ctx);
  addVerifyRoute(app, ctx);
}

function addStatusRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const statusSchema = {
    ...signedIn,
    summary: 'Read your second factors',
    response: { 200: schemas.factorStatusSchema },
  };
  app.get(base, { preHandler, schema: statusSchema }, (request) => readFactorStatus(ctx, callerOf(request)));

  const forgetSchema = {
    ...signedIn,
    summary: 'Forget a remembered device',
    description: 'It is asked for the second factor again.',
    params: schemas.deviceParams,
    response: { 200: doneSchema },
  };
  const config = { refusals: ['request.not_found'] satisfies ErrorCode[] };
  app.delete(`${base}/devices/:id`, { preHandler, config, schema: forgetSchema }, async (request) => {
    await forgetRememberedDevices(ctx, callerOf(request), request.params.id, originOf(request));
    return { success: true as const, message: 'The device is forgotten.' };
  });

  const forgetAllSchema = {
    ...signedIn,
    summary: 'Forget all remembered devices',
    response: { 200: schemas.forgottenSchema },
  };
  app.delete(`${base}/devices`, { preHandler, schema: forgetAllSchema }, async (request) => ({
    success: true as const,
    forgotten: await forgetRememberedDevices(ctx, callerOf(request), undefined, originOf(request)),
  }));
}

function addTotpRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const limit = limits.factors;
  const setUpSchema = {
    ...signedIn,
    summary: 'Set up codes from an app',
    description: 'Counts for nothing until `/2fa/enable` has seen a code. Needs a recent sign-in.',
    response: { 200: schemas.setUpSchema },
  };
  const setUpRefusals: ErrorCode[] = ['auth.step_up_required', 'auth.factor_active'];
  app.post(
    `${base}/setup`,
    { preHandler, config: { limit, refusals: setUpRefusals }, schema: setUpSchema },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      return setUpTotp(ctx, callerOf(request));
    },
  );

  const enableSchema = {
    ...signedIn,
    summary: 'Switch codes from an app on',
    description: 'With the first code of the app. Answers backup codes, which are shown this once.',
    body: schemas.codeBody,
    response: { 200: schemas.backupCodesSchema },
  };
  const enableRefusals: ErrorCode[] = [...setUpRefusals, 'auth.factor_missing', 'auth.code_wrong'];
  app.post(
    `${base}/enable`,
    { preHandler, config: { limit, refusals: enableRefusals }, schema: enableSchema },
    async (request) => ({
      backupCodes: await enableTotp(ctx, callerOf(request), request.body.code, originOf(request)),
    }),
  );

  const codesSchema = {
    ...signedIn,
    summary: 'Get new backup codes',
    description: 'Those before are void. Needs a recent sign-in.',
    response: { 200: schemas.backupCodesSchema },
  };
  const codesRefusals: ErrorCode[] = ['auth.step_up_required', 'auth.factor_missing'];
  app.post(
    `${base}/backup-codes`,
    { preHandler, config: { limit, refusals: codesRefusals }, schema: codesSchema },
    async (request) => ({ backupCodes: await renewBackupCodes(ctx, callerOf(request), originOf(request)) }),
  );
}

function addDisableRoute(app: App, ctx: Ctx): void {
  const disableSchema = {
    ...signedIn,
    summary: 'Switch codes from an app off',
    description: 'With both factors: the password, and a code or a backup code.',
    body: schemas.disableBody,
    response: { 200: doneSchema },
  };
  const disableRefusals: ErrorCode[] = ['auth.password_wrong', 'auth.factor_missing', 'auth.code_wrong'];
  app.post(
    `${base}/disable`,
    {
      preHandler: authenticate(ctx),
      config: { limit: limits.factors, refusals: disableRefusals },
      schema: disableSchema,
    },
    async (request) => {
      await disableTotp(ctx, callerOf(request), request.body, originOf(request));
      return { success: true as const, message: 'Codes from an app are switched off.' };
    },
  );
}

function addVerifyRoute(app: App, ctx: Ctx): void {
  const schema = {
    tags: ['auth'],
    summary: 'Finish a sign-in with a code',
    description: 'The second step of `/login`. Five tries, then the first step has to be taken again.',
    body: schemas.verifyBody,
    response: { 200: signInAnswerSchema },
  };
  const refusals: ErrorCode[] = ['auth.challenge_invalid', 'auth.code_wrong'];
  app.post(
    `${base}/verify`,
    { config: { limit: limits.secondFactor, refusals }, schema },
    async (request, reply) => {
      const { challengeToken, code, rememberDevice = false } = request.body;
      const step = { challengeToken, proof: { code }, remembersDevice: rememberDevice, place: {} };
      const answer = await answerSignIn(ctx, await finishSignIn(ctx, step, signInOriginOf(request)));
      if ('twoFactorRequired' in answer) return answer;
      sendSignInCookie(ctx.config, reply, answer.cookie);
      return answer.tokens;
    },
  );
}
