import { and, eq, isNull } from 'drizzle-orm';
import { errors } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { currentExchange } from '../exchange.ts';
import { pushedRequests } from '../tables.ts';
import { withoutNulls } from './source.ts';
import { fromSeconds, hashOf, toSeconds, type Store } from './to-adapter.ts';

/**
 * Authorization requests that applications left here beforehand: used once, within a minute. @see RFC 9126
 * §2.2
 */
export function createPushedRequestStore(ctx: Ctx): Store {
  return {
    async save(tx, id, payload) {
      await tx.insert(pushedRequests).values({
        requestHash: hashOfRequest(id),
        request: payload.request ?? '',
        dpopThumbprint: payload.dpopJkt ?? null,
        isTrusted: payload.trusted !== undefined && Boolean(payload.trusted),
        createdAt: fromSeconds(payload.iat ?? 0),
        expiresAt: fromSeconds(payload.exp ?? 0),
      });
    },
    async find(tx, id) {
      const [row] = await tx
        .select()
        .from(pushedRequests)
        .where(eq(pushedRequests.requestHash, hashOfRequest(id)));
      if (!row) return undefined;
      return withoutNulls({
        jti: id,
        kind: 'PushedAuthorizationRequest',
        iat: toSeconds(row.createdAt),
        exp: toSeconds(row.expiresAt),
        consumed: row.consumedAt && toSeconds(row.consumedAt),
        request: row.request,
        dpopJkt: row.dpopThumbprint,
        trusted: row.isTrusted,
      });
    },
    async consume(tx, id) {
      const [spent] = await tx
        .update(pushedRequests)
        .set({ consumedAt: ctx.clock.now() })
        .where(and(eq(pushedRequests.requestHash, hashOfRequest(id)), isNull(pushedRequests.consumedAt)))
        .returning({ requestHash: pushedRequests.requestHash });
      if (!spent) throw new errors.InvalidRequestUri('request_uri was already used');
    },
  };
}

/** From outside comes the id itself; the pages go on with its digest. */
function hashOfRequest(id: string): Buffer {
  return hashOf(id, currentExchange()?.endpoint === 'resume');
}
