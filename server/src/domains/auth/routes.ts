import type { FastifyRequest } from 'fastify';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import type { ErrorCode } from '../../errors.ts';
import { authenticate, callerOf } from '../../http/authenticate.ts';
import { limits } from '../../http/limits.ts';
import { originOf, signInOriginOf } from '../../http/origin.ts';
import { sendPageHeaders } from '../../http/paging.ts';
import { readSignInCookie, requireCookieOrigin, sendSignInCookie } from '../../http/sign-in-cookie.ts';
import { readProfile, userSchema } from '../users/index.ts';
import { createChallenge } from './create-challenge.ts';
import { createSignInWatch } from './create-sign-in-watch.ts';
import { exchangeCookie, type ShownForTokens } from './exchange-cookie.ts';
import { listSecurityEvents } from './list-security-events.ts';
import { listSessions, readCurrentSession } from './list-sessions.ts';
import { logIn } from './log-in.ts';
import { logOut } from './log-out.ts';
import { readAvailable } from './read-available.ts';
import { refreshSession } from './refresh-session.ts';
import { registerUser } from './register-user.ts';
import { revokeOtherSessions } from './revoke-other-sessions.ts';
import { revokeSession } from './revoke-session.ts';
import * as schemas from './schemas.ts';
import type { Share } from './schemas.ts';
import { validateToken } from './validate-token.ts';

const done = (message: string) => ({ success: true as const, message });
const open = { tags: ['auth'] };
const signedIn = { tags: ['auth'], security: [{ bearer: [] }] };

/** Codes with which the routes refuse, for the API reference. */
const refusals = {
  register: [
    'auth.password_unacceptable',
    'auth.work_required',
    'auth.work_invalid',
    'users.email_taken',
    'users.username_taken',
    'server.busy',
  ],
  login: ['auth.invalid_credentials', 'auth.account_deactivated', 'server.busy'],
  refresh: ['auth.refresh_invalid', 'auth.refresh_superseded', 'auth.refresh_reused'],
  share: ['auth.cookie_invalid', 'auth.code_invalid', 'auth.origin_not_allowed'],
} satisfies Record<string, ErrorCode[]>;

/** Sign-in, sessions and tokens. */
export function addAuthRoutes(app: App, ctx: Ctx): void {
  addAccountRoutes(app, ctx);
  addChallengeRoute(app, ctx);
  addTokenRoutes(app, ctx);
  addSessionRoutes(app, ctx);
  addTrailRoute(app, ctx);
}

function addAccountRoutes(app: App, ctx: Ctx): void {
  const registerSchema = {
    ...open,
    summary: 'Register',
    description: 'Makes an account and its wallet with the signup bonus. Nobody is signed in by it.',
    body: schemas.registrationSchema,
    response: { 201: userSchema },
  };
  app.post(
    '/api/v1/auth/register',
    { config: { limit: limits.register, refusals: refusals.register }, schema: registerSchema },
    async (request, reply) => reply.code(201).send(await registerUser(ctx, request.body, originOf(request))),
  );

  const limit = { ...limits.login, watch: createSignInWatch(ctx) };
  const loginSchema = {
    ...open,
    summary: 'Sign in',
    description:
      'Opens a session for this device. Also sets the sign-in cookie that sibling apps exchange. With a second ' +
      'factor on, the answer is a challenge instead, for `/2fa/verify` or `/passkeys/authenticate/verify`.',
    body: schemas.credentialsSchema,
    response: { 200: schemas.signInAnswerSchema },
  };
  app.post(
    '/api/v1/auth/login',
    { config: { limit, refusals: refusals.login }, schema: loginSchema },
    async (request, reply) => {
      const answer = await logIn(ctx, request.body, signInOriginOf(request));
      if ('twoFactorRequired' in answer) return answer;
      sendSignInCookie(ctx.config, reply, answer.cookie);
      return answer.tokens;
    },
  );

  const logoutSchema = {
    ...signedIn,
    summary: 'Sign out',
    description: 'Ends the session: its tokens and cookie are dead at once.',
    response: { 200: schemas.doneSchema },
  };
  app.post(
    '/api/v1/auth/logout',
    { preHandler: authenticate(ctx, { impersonation: true }), schema: logoutSchema },
    async (request, reply) => {
      await logOut(ctx, callerOf(request), originOf(request));
      sendSignInCookie(ctx.config, reply);
      return done('You are signed out.');
    },
  );
}

function addChallengeRoute(app: App, ctx: Ctx): void {
  const schema = {
    ...open,
    summary: 'Get a challenge for a registration',
    description:
      'Where the operator wants one, so that accounts cost their maker some work. Each counts once.',
    response: { 200: schemas.challengeSchema },
  };
  app.get('/api/v1/auth/challenge', { schema }, () => {
    const made = createChallenge(ctx);
    const algorithm = 'sha256' as const;
    if (!made) return { required: false, algorithm, challenge: null, difficultyBits: null, expiresAt: null };
    return { ...made, required: true, algorithm, expiresAt: made.expiresAt.toISOString() };
  });
}

function addTokenRoutes(app: App, ctx: Ctx): void {
  const refreshSchema = {
    ...open,
    summary: 'Refresh tokens',
    description:
      'Spends the refresh token. Used again shortly after, it is refused; used again later, the session ends.',
    body: schemas.refreshSchema,
    response: { 200: schemas.tokensSchema },
  };
  app.post(
    '/api/v1/auth/refresh',
    { config: { refusals: refusals.refresh }, schema: refreshSchema },
    (request) => refreshSession(ctx, request.body.refreshToken, originOf(request)),
  );

  const validateSchema = {
    ...open,
    summary: 'Judge an access token',
    description:
      'Always 200. A token whose session was revoked is not valid, nor is one that was given to an application: ' +
      'introspection judges those.',
    body: schemas.validateSchema,
    response: { 200: schemas.validationSchema },
  };
  app.post(
    '/api/v1/auth/validate',
    { config: { refusals: ['server.busy'] }, schema: validateSchema },
    (request) => validateToken(ctx, request.body.token),
  );

  const shareSchema = {
    ...open,
    summary: 'Sign in with the cookie, or a one-time code',
    description:
      'Gives a sibling app its own tokens for the session of the sign-in cookie, or of the `code` that a sign-in at a ' +
      'provider ended with.',
    body: schemas.shareSchema,
    response: { 200: schemas.tokensSchema },
  };
  app.post(
    '/api/v1/auth/session-to-token',
    {
      preHandler: requireCookieOrigin(ctx.config),
      config: { limit: limits.sessionToToken, refusals: refusals.share },
      schema: shareSchema,
    },
    (request) => exchangeCookie(ctx, shownIn(ctx, request, request.body), originOf(request)),
  );

  for (const url of ['/api/v1/auth/jwks', '/.well-known/jwks.json']) {
    const schema = { ...open, summary: 'Public signing keys', response: { 200: schemas.jwksSchema } };
    app.get(url, { schema }, (_request, reply) => {
      reply.header('cache-control', 'public, max-age=300');
      return ctx.keys.jwks();
    });
  }
}

/** A code is good only at the front end that it was sent to; a program without an `Origin` may bring any. */
function shownIn(ctx: Ctx, request: FastifyRequest, body: Share): ShownForTokens {
  const { code, codeVerifier: verifier } = body ?? {};
  if (code === undefined) return { cookie: readSignInCookie(ctx.config, request) };
  return { code, boundTo: request.headers.origin, verifier };
}

function addSessionRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const meSchema = { ...signedIn, summary: 'Read the signed-in user', response: { 200: userSchema } };
  app.get('/api/v1/auth/me', { preHandler, schema: meSchema }, (request) =>
    readProfile(ctx, readAvailable, callerOf(request)),
  );

  const currentSchema = {
    ...signedIn,
    summary: 'Read the signed-in user and the session',
    response: { 200: schemas.meSessionSchema },
  };
  app.get('/api/v1/auth/session', { preHandler, schema: currentSchema }, (request) =>
    readCurrentSession(ctx, callerOf(request)),
  );

  const listSchema = { ...signedIn, summary: 'List devices', response: { 200: schemas.sessionsSchema } };
  app.get('/api/v1/auth/sessions', { preHandler, schema: listSchema }, async (request) => ({
    sessions: await listSessions(ctx, callerOf(request)),
  }));

  const revokeSchema = {
    ...signedIn,
    summary: 'Sign out a device',
    params: schemas.sessionIdSchema,
    response: { 200: schemas.doneSchema },
  };
  app.delete(
    '/api/v1/auth/sessions/:id',
    { preHandler, config: { refusals: ['request.not_found'] }, schema: revokeSchema },
    async (request) => {
      await revokeSession(ctx, callerOf(request), request.params.id, originOf(request));
      return done('The session has ended.');
    },
  );

  const revokeOthersSchema = {
    ...signedIn,
    summary: 'Sign out all other devices',
    response: { 200: schemas.revokedSchema },
  };
  app.delete('/api/v1/auth/sessions', { preHandler, schema: revokeOthersSchema }, async (request) => ({
    success: true as const,
    revoked: await revokeOtherSessions(ctx, callerOf(request), originOf(request)),
  }));
}

function addTrailRoute(app: App, ctx: Ctx): void {
  const schema = {
    ...signedIn,
    summary: 'Read your security trail',
    description:
      'What happened to your account, the newest first. `X-Total-Count` counts all, `Link` leads to the next page.',
    querystring: schemas.securityEventsQuerySchema,
    response: { 200: schemas.securityEventsSchema },
  };
  app.get(
    '/api/v1/auth/security-events',
    { preHandler: authenticate(ctx), schema },
    async (request, reply) => {
      const page = await listSecurityEvents(ctx, callerOf(request), request.query);
      const next = page.nextCursor === null ? undefined : { cursor: page.nextCursor };
      sendPageHeaders(request, reply, { total: page.total, next });
      return page;
    },
  );
}
