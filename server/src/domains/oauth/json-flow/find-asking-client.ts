import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { findClient, type Application } from '../../applications/index.ts';
import type { ProviderHost } from '../provider/provider-host.ts';
import type { CodeRequest } from './schemas.ts';

/**
 * The application that asks for a code by JSON, if it may, and its redirect address is registered. One that
 * has to prove itself with a key, or whose tokens are bound to one, cannot: this flow has neither. Throws
 * `oauth.client_unknown`, `oauth.redirect_mismatch`.
 * @see RFC 9700 §2.1 (exact match), RFC 8252 §7.3 (loopback ports)
 */
export async function findAskingClient(
  ctx: Ctx,
  host: ProviderHost,
  { clientId, redirectUrl }: Pick<CodeRequest, 'clientId' | 'redirectUrl'>,
): Promise<Application> {
  const application = await ctx.db.asService((tx) => findClient(tx, clientId));
  if (!application || !takesPart(application)) throw new AppError('oauth.client_unknown');
  const client = await host.current().Client.find(clientId);
  if (!client?.redirectUriAllowed(redirectUrl)) throw new AppError('oauth.redirect_mismatch');
  return application;
}

/** Whether an application signs people in at all, and needs no proof that this flow cannot ask for. */
export function takesPart({ grantTypes, tokenEndpointAuthMethod, dpopBound }: Application): boolean {
  return (
    grantTypes.includes('authorization_code') && tokenEndpointAuthMethod !== 'private_key_jwt' && !dpopBound
  );
}
