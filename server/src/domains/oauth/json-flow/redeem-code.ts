import { createHash, timingSafeEqual } from 'node:crypto';
import { eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { findClient } from '../../applications/index.ts';
import { findUser, type User } from '../../users/index.ts';
import { runExchange, type Exchange } from '../exchange.ts';
import { describeService } from '../provider/configure-resources.ts';
import { readRoles } from '../read-roles.ts';
import { revokeTokens } from '../stores/revoke-tokens.ts';
import { digestOf } from '../stores/to-adapter.ts';
import { authorizationCodes } from '../tables.ts';
import type { CodeContext } from './authorize-person.ts';
import { takesPart } from './find-asking-client.ts';
import type { Redeemed, Redemption } from './schemas.ts';

/**
 * Exchanges a code of this flow for an access token, by the verifier alone; codes of the authorization
 * endpoint are for `/oauth/token`, which takes those of this flow, too. A second use ends the tokens of the
 * first (RFC 9700 §2.1.1); that is committed although it is refused. Throws `oauth.code_invalid`.
 */
export async function redeemCode(
  ctx: Ctx,
  redemption: Redemption,
  { host, requestId, origin }: CodeContext,
): Promise<Redeemed> {
  let redeemed: Redeemed | undefined;
  await runExchange(ctx, { endpoint: 'token', requestId, origin, locks: true }, async (exchange) => {
    redeemed = await redeem(ctx, host.current(), redemption, exchange);
    return true;
  });
  if (redeemed === undefined) {
    throw new AppError('oauth.code_invalid', { extensions: { error: 'invalid_grant' } });
  }
  return redeemed;
}

type Provider = ReturnType<CodeContext['host']['current']>;

/** What the code is worth; undefined when it is refused, with whatever that has ended. */
async function redeem(
  ctx: Ctx,
  provider: Provider,
  { code: presented, code_verifier: verifier, clientId }: Redemption,
  exchange: Exchange,
): Promise<Redeemed | undefined> {
  const client = await provider.Client.find(clientId);
  const code = await provider.AuthorizationCode.find(presented, { ignoreExpiration: true });
  if (!client || !code?.accountId || code.clientId !== client.clientId) return undefined;
  const { grantId, accountId } = code;
  if (grantId === undefined || !matches(verifier, code.codeChallenge)) return undefined;
  const state = await exchange.run((tx) => readState(tx, presented, clientId));
  if (state === 'used') await exchange.run((tx) => revokeTokens(ctx)(tx, grantId));
  if (state !== 'open') return undefined;
  const owner = await exchange.run((tx) => readOwner(tx, accountId, String(client['application_id'])));
  if (code.isExpired || !owner) return undefined;
  await code.consume();
  const resourceServer = new provider.ResourceServer(ctx.config.baseUrl, describeService(ctx));
  const token = new provider.AccessToken({
    accountId,
    client,
    grantId,
    gty: 'authorization_code',
    resourceServer,
    ...(code.scope === undefined ? {} : { scope: code.scope }),
  });
  const value = await token.save();
  const { user, role } = owner;
  return {
    access_token: value,
    token_type: 'Bearer',
    expires_in: ctx.config.accessTokenTtlSeconds,
    scope: code.scope ?? '',
    user: { id: user.id, username: user.username, email: user.email },
    role,
  };
}

/** @see RFC 7636 §4.6 */
function matches(verifier: string, challenge: string | undefined): boolean {
  if (challenge === undefined) return false;
  const [computed, stored] = [createHash('sha256').update(verifier).digest('base64url'), challenge];
  return computed.length === stored.length && timingSafeEqual(Buffer.from(computed), Buffer.from(stored));
}

/**
 * `foreign`: of another flow, or of an application that may not take part in this one, in which it proves
 * nothing.
 */
async function readState(tx: Tx, presented: string, clientId: string): Promise<'open' | 'used' | 'foreign'> {
  const application = await findClient(tx, clientId);
  const { isJsonFlow, consumedAt, codeHash } = authorizationCodes;
  const [row] = await tx
    .select({ isJsonFlow, consumedAt })
    .from(authorizationCodes)
    .where(eq(codeHash, digestOf(presented)));
  if (!row?.isJsonFlow || !application || !takesPart(application)) return 'foreign';
  return row.consumedAt ? 'used' : 'open';
}

async function readOwner(
  tx: Tx,
  userId: string,
  applicationId: string,
): Promise<{ user: User; role: string } | undefined> {
  const user = await findUser(tx, userId);
  const roles = await readRoles(tx, applicationId, userId);
  return user?.isActive && roles ? { user, role: roles.role } : undefined;
}
