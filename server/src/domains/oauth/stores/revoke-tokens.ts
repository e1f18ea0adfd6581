import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { currentExchange } from '../exchange.ts';
import { recordEnd } from '../record-end.ts';
import { endAuthorization } from './authorization.ts';

/**
 * Ends everything that hangs on an authorization. The library asks each kind of token in turn; the first does
 * it for all of them.
 */
export function revokeTokens(ctx: Ctx): (tx: Tx, authorizationId: string) => Promise<void> {
  return async (tx, authorizationId) => {
    const reason = currentExchange()?.endReason ?? 'revoked';
    if (await endAuthorization(ctx, tx, authorizationId, reason))
      await recordEnd(ctx, tx, authorizationId, reason);
  };
}
