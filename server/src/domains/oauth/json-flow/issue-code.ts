import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { Application } from '../../applications/index.ts';
import { acrOf, secondFactorAcr } from '../../auth/index.ts';
import { runExchange } from '../exchange.ts';
import { grantConsent } from '../interactions/grant-consent.ts';
import { openAuthorization } from '../open-authorization.ts';
import type { CodeContext } from './authorize-person.ts';
import type { CodeRequest } from './schemas.ts';

const codeTtlSeconds = 600;
/** What this flow is for: who somebody is. Everything else is asked for on the consent page. */
const scopes = ['openid', 'profile', 'email'];

export type CodeSubject = { caller: Caller; application: Application; asked: CodeRequest };

/**
 * An authorization code for a person who has just shown who they are, bound to application, redirect
 * address and challenge: the same kind that the authorization endpoint gives. What it stands for is listed
 * among the connected apps of the person. Throws `auth.session_ended`, and
 * `auth.second_factor_required` where the application wants one that the session was not opened with.
 */
export async function issueCode(ctx: Ctx, subject: CodeSubject, context: CodeContext): Promise<string> {
  const { caller, application, asked } = subject;
  const { host, requestId, origin } = context;
  if (!(await hasGranted(ctx, caller, application))) {
    const resources = [{ resource: ctx.config.baseUrl, scopes }];
    const requested = { scopes, claims: [], resources };
    await grantConsent(ctx, caller, application, { requested, budget: undefined }, origin);
  }
  const provider = host.current();
  const client = await provider.Client.find(application.clientId);
  if (!client) throw new AppError('oauth.client_unknown');
  const authentication = await ctx.db.asServiceFor(caller, (tx) => readAuthentication(tx, caller));
  if (application.requireSecondFactor && authentication.acr !== secondFactorAcr) {
    const setUpUrl = `${ctx.config.baseUrl}/account/security`;
    throw new AppError('auth.second_factor_required', { extensions: { methods: [], setUpUrl } });
  }
  let issued: string | undefined;
  await runExchange(ctx, { endpoint: 'json-flow', requestId, origin, locks: false }, async (exchange) => {
    const owner = { ...caller, applicationId: application.id };
    const grantId = await exchange.run((tx) => openAuthorization(ctx, tx, owner));
    if (grantId === undefined) throw new AppError('auth.session_ended');
    const code = new provider.AuthorizationCode({
      accountId: caller.userId,
      client,
      grantId,
      gty: 'authorization_code',
      expiresIn: codeTtlSeconds,
      expiresWithSession: true,
      redirectUri: asked.redirectUrl,
      codeChallenge: asked.code_challenge,
      codeChallengeMethod: 'S256',
      scope: scopes.join(' '),
      resource: ctx.config.baseUrl,
      ...authentication,
    });
    issued = await code.save();
    return true;
  });
  if (issued === undefined) throw new Error('The code was not issued');
  return issued;
}

/** Whether the person has let this application know who they are before, and not taken that back. */
async function hasGranted(ctx: Ctx, caller: Caller, { id }: Application): Promise<boolean> {
  const { rows } = await ctx.db.asServiceFor(caller, (tx) =>
    tx.execute(sql`
      select 1 from apps.grants g
        join oauth.grant_resources r on r.grant_id = g.id and r.resource = ${ctx.config.baseUrl}
       where g.application_id = ${id} and g.user_id = ${caller.userId} and g.revoked_at is null
         and g.scopes @> ${sql.param(scopes)}::text[] and r.scopes @> ${sql.param(scopes)}::text[]`),
  );
  return rows.length > 0;
}

/** How and when the person showed last that it is them; the time in seconds. */
async function readAuthentication(
  tx: Tx,
  { sessionId }: Caller,
): Promise<{ authTime: number; acr: string; amr: string[] }> {
  const { rows } = await tx.execute<{ authTime: number; amr: string[] }>(sql`
    select extract(epoch from coalesce(authenticated_at, created_at))::int as "authTime", amr
      from auth.sessions where id = ${sessionId}`);
  const [row] = rows;
  if (!row) throw new AppError('auth.session_ended');
  return { ...row, acr: acrOf(row.amr) };
}
