import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import type { ErrorCode } from '../../../errors.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { limits } from '../../../http/limits.ts';
import { originOf, signInOriginOf } from '../../../http/origin.ts';
import { sendSignInCookie } from '../../../http/sign-in-cookie.ts';
import { doneSchema, signInAnswerSchema } from '../schemas.ts';
import { addPasskey } from './add-passkey.ts';
import { beginAuthentication } from './begin-authentication.ts';
import { beginRegistration } from './begin-registration.ts';
import { listPasskeys } from './list-passkeys.ts';
import { removePasskey } from './remove-passkey.ts';
import { renamePasskey } from './rename-passkey.ts';
import * as schemas from './schemas.ts';
import { signInWithPasskey } from './sign-in-with-passkey.ts';

const base = '/api/v1/auth/passkeys';
const open = { tags: ['auth'] };
const signedIn = { tags: ['auth'], security: [{ bearer: [] }] };

/** Passkeys: making them, signing in with them, and the list of one's own. */
export function addPasskeyRoutes(app: App, ctx: Ctx): void {
  addRegistrationRoutes(app, ctx);
  addAuthenticationRoutes(app, ctx);
  addOwnRoutes(app, ctx);
}

function addRegistrationRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const optionsSchema = {
    ...signedIn,
    summary: 'Begin to register a passkey',
    description: 'The options for `navigator.credentials.create`. Needs a recent sign-in.',
    response: { 200: schemas.optionsSchema },
  };
  const optionsConfig = { limit: limits.factors, refusals: ['auth.step_up_required'] satisfies ErrorCode[] };
  app.post(
    `${base}/register/options`,
    { preHandler, config: optionsConfig, schema: optionsSchema },
    (request) => beginRegistration(ctx, callerOf(request)),
  );

  const verifySchema = {
    ...signedIn,
    summary: 'Register a passkey',
    description:
      'From now on it signs in by itself, and a password needs a second factor. Needs a recent sign-in.',
    body: schemas.registerBody,
    response: { 201: schemas.addedPasskeySchema },
  };
  const refusals: ErrorCode[] = ['auth.step_up_required', 'auth.passkey_invalid', 'auth.passkey_exists'];
  app.post(
    `${base}/register/verify`,
    { preHandler, config: { limit: limits.factors, refusals }, schema: verifySchema },
    async (request, reply) => {
      const { name = 'Passkey', response } = request.body;
      const added = await addPasskey(ctx, callerOf(request), { name, response }, originOf(request));
      return reply.code(201).send(added);
    },
  );
}

function addAuthenticationRoutes(app: App, ctx: Ctx): void {
  const optionsSchema = {
    ...open,
    summary: 'Begin to sign in with a passkey',
    description:
      'The options for `navigator.credentials.get`: for any passkey, or with `challengeToken` for those of who ' +
      'waits for a second factor.',
    body: schemas.optionsBody,
    response: { 200: schemas.optionsSchema },
  };
  const optionsConfig = {
    limit: limits.passkeyOptions,
    refusals: ['auth.challenge_invalid'] satisfies ErrorCode[],
  };
  app.post(`${base}/authenticate/options`, { config: optionsConfig, schema: optionsSchema }, (request) =>
    beginAuthentication(ctx, request.body.challengeToken),
  );

  const verifySchema = {
    ...open,
    summary: 'Sign in with a passkey',
    description:
      'Without a password, or with `challengeToken` as the second factor. Sets the sign-in cookie.',
    body: schemas.authenticateBody,
    response: { 200: signInAnswerSchema },
  };
  const refusals: ErrorCode[] = [
    'auth.passkey_invalid',
    'auth.challenge_invalid',
    'auth.account_deactivated',
  ];
  app.post(
    `${base}/authenticate/verify`,
    { config: { limit: limits.secondFactor, refusals }, schema: verifySchema },
    async (request, reply) => {
      const answer = await signInWithPasskey(ctx, request.body, signInOriginOf(request));
      if ('twoFactorRequired' in answer) return answer;
      sendSignInCookie(ctx.config, reply, answer.cookie);
      return answer.tokens;
    },
  );
}

function addOwnRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const listSchema = {
    ...signedIn,
    summary: 'List your passkeys',
    response: { 200: schemas.passkeysSchema },
  };
  app.get(base, { preHandler, schema: listSchema }, async (request) => ({
    passkeys: await listPasskeys(ctx, callerOf(request)),
  }));

  const renameSchema = {
    ...signedIn,
    summary: 'Rename a passkey',
    params: schemas.passkeyParams,
    body: schemas.nameBody,
    response: { 200: schemas.passkeySchema },
  };
  app.patch(
    `${base}/:id`,
    { preHandler, config: { refusals: ['request.not_found'] }, schema: renameSchema },
    (request) =>
      renamePasskey(ctx, callerOf(request), { ...request.body, ...request.params }, originOf(request)),
  );

  const removeSchema = {
    ...signedIn,
    summary: 'Remove a passkey',
    description: 'Needs a recent sign-in. The last way to sign in cannot be removed.',
    params: schemas.passkeyParams,
    response: { 200: doneSchema },
  };
  const refusals: ErrorCode[] = ['auth.step_up_required', 'request.not_found', 'auth.last_way_in'];
  app.delete(`${base}/:id`, { preHandler, config: { refusals }, schema: removeSchema }, async (request) => {
    await removePasskey(ctx, callerOf(request), request.params.id, originOf(request));
    return { success: true as const, message: 'The passkey is removed.' };
  });
}
