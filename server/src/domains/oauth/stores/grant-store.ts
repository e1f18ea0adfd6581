import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { endAccess } from '../../applications/index.ts';
import { findLiveAuthorization, forgetAuthorization } from './authorization.ts';
import { withoutNulls } from './source.ts';
import type { Store } from './to-adapter.ts';

/**
 * What the library calls a grant is an authorization: it lives as long as that does, and holds what the
 * person has granted to the application. Grants are made by the consent page, not by the library.
 */
export function createGrantStore(ctx: Ctx): Store {
  return {
    async find(tx, id) {
      const authorization = await findLiveAuthorization(ctx, tx, id);
      if (!authorization) return undefined;
      const { scopes, claims, details, resources } = authorization;
      return withoutNulls({
        jti: id,
        kind: 'Grant',
        accountId: authorization.userId,
        clientId: authorization.clientId,
        openid: { scope: scopes.join(' '), claims },
        resources: Object.fromEntries(
          Object.entries(resources).map(([resource, names]) => [resource, names.join(' ')]),
        ),
        rar: details.length > 0 ? details : null,
      });
    },
    async destroy(tx, id) {
      const { rows } = await tx.execute<{ applicationId: string; clientId: string; userId: string }>(sql`
        select a.application_id as "applicationId", p.client_id as "clientId", a.user_id as "userId"
          from oauth.authorizations a join apps.applications p on p.id = a.application_id
         where a.id = ${id}`);
      const [authorization] = rows;
      if (authorization) await endAccess(ctx, tx, authorization);
      forgetAuthorization();
    },
  };
}
