import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Ctx } from '../ctx.ts';
import type { Caller } from '../db/index.ts';
import { AppError } from '../errors.ts';
import { firstPartyClientId, firstPartyScope } from '../lib/first-party.ts';
import { authenticateApplication, hasClientCredentials } from './client-credentials.ts';
import { assertPossession, readPresentedToken, type PresentedToken } from './dpop.ts';
import { originOf } from './origin.ts';
import type { AuthenticatedApplication } from '../domains/applications/index.ts';
import type { KeyHolder } from '../domains/api-keys/index.ts';
import { authenticateApiKey, readApiKey } from './api-key.ts';

/**
 * Who a verified access token speaks for. Whether the session still lives is asked by the SQL that does the
 * work.
 */
export type AuthenticatedCaller = Caller & {
  /** As it was when the token was made; `auth.role()` in SQL is the role as it is now. */
  role: 'user' | 'admin';
  /** The application that acts for the person; absent when they signed in here themselves. */
  clientId?: string;
  scope: string;
  /** Whether they ask by an API key with a budget, which is then a mandate that their spends need. */
  isBudgeted?: boolean;
  /** The administrator who looks at the person's account; absent when it is the person. */
  impersonatorId?: string;
};

declare module 'fastify' {
  interface FastifyRequest {
    caller?: AuthenticatedCaller;
  }
}

export type AuthenticateOptions = {
  /** What a token must carry that a person gave to an application; without it, such tokens do not pass. */
  scope?: string;
  /** What an API key must carry; `scope` unless said otherwise, and without either, no key passes. */
  keyScope?: string;
  /**
   * Whether an application may ask with its own credentials (HTTP Basic), as `request.application`: `true`
   * besides people, `'only'` instead of them. The SQL that does the work asks whether they are still valid:
   * `asServiceForApplication`, `apps.assert_application` or `apps.live_secrets`.
   */
  application?: boolean | 'only';
  /**
   * What an administrator may do who acts as the person: `reading` (the default) is GET and HEAD, `true`
   * whatever the route does, `false` nothing at all.
   */
  impersonation?: 'reading' | boolean;
};

const readingMethods = new Set(['GET', 'HEAD']);

/**
 * A preHandler that requires a valid access token, or where the route takes them, the credentials of an
 * application. A token that a person gave to an application passes only where a `scope` is named and only if
 * it carries it; so does an API key. Throws `auth.required`, `auth.key_invalid`, `auth.token_invalid`,
 * `auth.insufficient_scope`, `auth.proof_invalid`, `auth.application_invalid`,
 * `auth.impersonation_forbidden`, `request.rate_limited`, and for tokens of other issuers what
 * `createTokenAcceptor` says. @see RFC 6750 §3.1, RFC 6749 §2.3.1, RFC 9449 §7, RFC 8693 §4.1
 */
export function authenticate(
  ctx: Ctx,
  options: AuthenticateOptions = {},
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const { scope, application = false, impersonation = 'reading' } = options;
  return async (request, reply) => {
    const key = readApiKey(request);
    if (key !== undefined) {
      enterAsHolder(request, await authenticateApiKey(ctx, request, reply, key), options);
      return;
    }
    if (application === 'only' || (application && hasClientCredentials(request))) {
      request.application = await authenticateApplication(ctx, request);
      return;
    }
    const presented = readPresentedToken(request.headers.authorization);
    if (!presented)
      throw new AppError('auth.required', scope === undefined ? {} : { headers: challengeFor(scope) });
    if (ctx.upstream.tokens.isForeign(presented.token)) {
      request.caller = await authenticateForeign(ctx, request, presented);
      return;
    }
    const isAccepted = impersonation === 'reading' ? readingMethods.has(request.method) : impersonation;
    const claims = await ctx.keys.verifyAccessToken(presented.token, { impersonation: isAccepted });
    await assertPossession(ctx, request, presented, claims);
    const isFirstParty = claims.client_id === firstPartyClientId;
    if (!isFirstParty) assertScope(claims.scope, scope);
    request.caller = {
      userId: claims.sub,
      sessionId: claims.sid,
      role: claims.role,
      ...(isFirstParty ? {} : { clientId: claims.client_id }),
      ...(claims.act === undefined ? {} : { impersonatorId: claims.act.sub }),
      scope: claims.scope,
    };
  };
}

/** Lets a key in as whom it stands for, where it may. */
function enterAsHolder(
  request: FastifyRequest,
  holder: KeyHolder,
  { scope, keyScope = scope, application = false }: AuthenticateOptions,
): void {
  const granted = holder.scopes.join(' ');
  assertScope(granted, keyScope);
  const { userId, applicationId, clientId, secretId, isBudgeted } = holder;
  if (applicationId !== null && application) request.application = { applicationId, secretId, clientId };
  else if (userId !== null && application !== 'only') {
    request.caller = { userId, sessionId: secretId, role: 'user', scope: granted, isBudgeted };
  } else throw new AppError('auth.insufficient_scope');
}

/** Who brings the token of an issuer that is trusted here acts as if they had signed in here. */
async function authenticateForeign(
  ctx: Ctx,
  request: FastifyRequest,
  presented: PresentedToken,
): Promise<AuthenticatedCaller> {
  const { claims, ...caller } = await ctx.acceptToken(presented.token, originOf(request));
  await assertPossession(ctx, request, presented, claims);
  return { ...caller, scope: firstPartyScope };
}

/** The caller of a route that `authenticate` guards. */
export function callerOf(request: FastifyRequest): AuthenticatedCaller {
  if (!request.caller) throw new Error(`${request.url} is not guarded by authenticate`);
  return request.caller;
}

/** The application that asks, on a route that takes only applications. */
export function applicationOf(request: FastifyRequest): AuthenticatedApplication {
  if (!request.application) throw new Error(`${request.url} is not guarded for applications only`);
  return request.application;
}

/** Says beforehand what a token has to carry. @see RFC 6750 §3 */
function challengeFor(scope: string): Record<string, string> {
  return { 'www-authenticate': `Bearer scope="${scope}"` };
}

function assertScope(granted: string, needed: string | undefined): void {
  if (needed !== undefined && granted.split(' ').includes(needed)) return;
  const wanted = needed === undefined ? '' : `, scope="${needed}"`;
  throw new AppError('auth.insufficient_scope', {
    headers: { 'www-authenticate': `Bearer error="insufficient_scope"${wanted}` },
  });
}
