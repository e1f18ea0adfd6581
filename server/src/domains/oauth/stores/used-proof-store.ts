import { and, eq, gt, lte } from 'drizzle-orm';
import { errors } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { usedProofs } from '../tables.ts';
import { withoutNulls } from './source.ts';
import { digestOf, type Store } from './to-adapter.ts';

/**
 * DPoP proofs and assertions of clients that were used. Of two requests that bring the same one at the same
 * moment, one stores it and the other is refused. @see RFC 9449 §11.1, RFC 7523 §3
 */
export function createUsedProofStore(ctx: Ctx): Store {
  return {
    async save(tx, id, _payload, ttlSeconds = 0) {
      const now = ctx.clock.now();
      const expiresAt = new Date(now.getTime() + ttlSeconds * 1000);
      const proofHash = digestOf(id);
      const [stored] = await tx
        .insert(usedProofs)
        .values({ proofHash, expiresAt })
        .onConflictDoUpdate({
          target: usedProofs.proofHash,
          set: { expiresAt },
          setWhere: lte(usedProofs.expiresAt, now),
        })
        .returning({ proofHash: usedProofs.proofHash });
      if (!stored) throw new errors.InvalidRequest('the proof or assertion was used before');
    },
    async find(tx, id) {
      const [row] = await tx
        .select({ expiresAt: usedProofs.expiresAt })
        .from(usedProofs)
        .where(and(eq(usedProofs.proofHash, digestOf(id)), gt(usedProofs.expiresAt, ctx.clock.now())));
      return row && withoutNulls({ jti: id, kind: 'ReplayDetection' });
    },
  };
}
