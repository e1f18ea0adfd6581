import type { Ctx } from '../../ctx.ts';
import { normalizeEmail } from '../../lib/email.ts';
import { recordAuditEvent, type RequestOrigin } from '../audit/index.ts';
import { findUserByEmail } from '../users/index.ts';
import { isKnownPlace } from './is-known-place.ts';
import { recordSuspicion } from './record-suspicion.ts';

/** What looks like an attack; see http/sign-in-watch.ts. */
type Suspicion = { kind: 'attacked'; email: string } | { kind: 'stuffing' } | { kind: 'flood' };

const actions = { stuffing: 'sign_in.stuffing_suspected', flood: 'sign_in.flood_suspected' } as const;

/** What routes that take passwords watch over; the same for all, so that guesses are counted together. */
export function createSignInWatch(ctx: Ctx): {
  isKnown: (email: string, origin: RequestOrigin) => Promise<boolean>;
  suspect: (suspicion: Suspicion, origin: RequestOrigin) => Promise<void>;
} {
  return {
    isKnown: (email, origin) => isKnownPlace(ctx, email, origin),
    suspect: (suspicion, origin) => noteSuspicion(ctx, suspicion, origin),
  };
}

/** An attack on one account goes into the trail of its owner, one on many into that of the operators. */
async function noteSuspicion(ctx: Ctx, suspicion: Suspicion, origin: RequestOrigin): Promise<void> {
  const { kind } = suspicion;
  await ctx.db.asService(async (tx) => {
    if (kind !== 'attacked') {
      ctx.metrics.suspicions.inc({ kind });
      const actor = { type: 'system' as const };
      return recordAuditEvent(ctx, tx, { action: actions[kind], actor }, origin);
    }
    const user = await findUserByEmail(tx, normalizeEmail(suspicion.email));
    if (!user?.isActive) return ctx.metrics.suspicions.inc({ kind });
    return recordSuspicion(ctx, tx, { userId: user.id, email: user.email, kind }, origin);
  });
}
