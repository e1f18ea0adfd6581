import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { firstPartyClientId } from '../../../lib/first-party.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import type { Caller } from '../../../db/index.ts';
import { finishSignIn, signInPerson, verifyPassword } from '../../auth/index.ts';
import type { ProviderHost } from '../provider/provider-host.ts';
import { assertAccess } from './assert-access.ts';
import { findAskingClient } from './find-asking-client.ts';
import { issueCode } from './issue-code.ts';
import type { CodeRequest } from './schemas.ts';

export type CodeContext = { host: ProviderHost; requestId: string; origin: RequestOrigin };

/**
 * A code for whoever knows the password of an account, on a new session that the person can end like any
 * other. Unknown and known addresses answer and cost the same. Throws, in this order,
 * `oauth.client_unknown`, `oauth.redirect_mismatch`, `auth.invalid_credentials`,
 * `auth.account_deactivated`, `access.required`, `auth.second_factor_required` (with `challengeToken` and
 * `methods`), `server.busy`.
 */
export async function authorizePerson(
  ctx: Ctx,
  { email, password, ...asked }: CodeRequest & { email: string; password: string },
  context: CodeContext,
): Promise<string> {
  const { host, origin } = context;
  const application = await findAskingClient(ctx, host, asked);
  const verified = await verifyPassword(ctx, { email, password }, origin);
  await assertAccess(ctx, application, verified.userId);
  const place = { device: { deviceName: application.name } };
  const result = await signInPerson(ctx, verified, place, origin);
  if (result.outcome === 'refused') throw new AppError('auth.invalid_credentials');
  if (result.outcome === 'second_factor') {
    const { challengeToken, methods, expiresIn } = result.challenge;
    throw new AppError('auth.second_factor_required', {
      extensions: { challengeToken, methods, expiresIn },
    });
  }
  const caller = { userId: verified.userId, sessionId: result.session.id };
  return issueCode(ctx, { caller, application, asked }, context);
}

/**
 * The second step of `authorizePerson`: a code of the person's app, or a backup code, for the challenge that
 * it refused with. Throws, in this order, `oauth.client_unknown`, `oauth.redirect_mismatch`,
 * `auth.challenge_invalid`, `request.rate_limited`, `auth.code_wrong`, `access.required`.
 */
export async function authorizeWithSecondFactor(
  ctx: Ctx,
  { challengeToken, code, ...asked }: CodeRequest & { challengeToken: string; code: string },
  context: CodeContext,
): Promise<string> {
  const { host, origin } = context;
  const application = await findAskingClient(ctx, host, asked);
  const step = { challengeToken, proof: { code }, place: {} };
  const { user, session } = await finishSignIn(ctx, step, origin);
  await assertAccess(ctx, application, user.id);
  return issueCode(ctx, { caller: { userId: user.id, sessionId: session.id }, application, asked }, context);
}

/**
 * A code for whoever is signed in to this service already, shown by an access token of its own: single
 * sign-on. A token that a person gave to an application does not do. Throws, in this order,
 * `oauth.client_unknown`, `oauth.redirect_mismatch`, `auth.token_invalid`, `auth.session_ended`,
 * `access.required`.
 */
export async function authorizeWithToken(
  ctx: Ctx,
  { token, ...asked }: CodeRequest & { token: string },
  context: CodeContext,
): Promise<string> {
  const application = await findAskingClient(ctx, context.host, asked);
  const caller = await readCaller(ctx, token);
  await ctx.db.asServiceFor(caller, async () => {});
  await assertAccess(ctx, application, caller.userId);
  return issueCode(ctx, { caller, application, asked }, context);
}

async function readCaller(ctx: Ctx, token: string): Promise<Caller> {
  const claims = await ctx.keys.verifyAccessToken(token);
  if (claims.client_id !== firstPartyClientId) throw new AppError('auth.token_invalid');
  return { userId: claims.sub, sessionId: claims.sid };
}
