import type { Grant, KoaContextWithOIDC } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { inExchange } from '../exchange.ts';
import { openAuthorization } from '../open-authorization.ts';

/**
 * What the signed-in person has granted to the application at hand, as an authorization of this session.
 * Undefined when they have granted nothing, or taken it back.
 */
export async function loadGrant(ctx: Ctx, { oidc }: KoaContextWithOIDC): Promise<Grant | undefined> {
  const { session, client, account } = oidc;
  const applicationId = client?.['application_id'];
  if (!session || !client || !account || typeof applicationId !== 'string') return undefined;
  const owner = { userId: account.accountId, applicationId, sessionId: session.uid };
  const id = await inExchange(ctx, (tx) => openAuthorization(ctx, tx, owner));
  if (id === undefined) return undefined;
  session.sidFor(client.clientId, id);
  return oidc.provider.Grant.find(id);
}
