import type { AccessToken, Client, ClientCredentials, RefreshToken } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { findApi } from '../../applications/index.ts';
import { inExchange } from '../exchange.ts';

/**
 * Whether an application may ask about a token: one of its own, or one that is for an API which it
 * protects. It has to show who it is: a client id alone is known to everybody. Others read that the token
 * is not active.
 * @see RFC 7662 §2.1, §2.2, §4
 */
export async function mayIntrospect(
  ctx: Ctx,
  client: Client,
  token: AccessToken | ClientCredentials | RefreshToken,
): Promise<boolean> {
  if (client.clientAuthMethod === 'none') return false;
  if (token.clientId === client.clientId) return true;
  if (!('aud' in token) || typeof token.aud !== 'string') return false;
  const { aud } = token;
  const api = await inExchange(ctx, (tx) => findApi(tx, aud));
  return api?.ownerClientId === client.clientId;
}
