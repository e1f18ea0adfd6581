import { createHash } from 'node:crypto';
import type { Ctx } from '../../ctx.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { newId } from '../../lib/ids.ts';
import { assertStorableMetadata } from './assert-storable-metadata.ts';

/** A spend whose spender another domain knows. */
export type Charge = {
  amount: number;
  appId: string;
  description: string;
  metadata?: Record<string, unknown> | null;
  idempotencyKey?: string;
};

/**
 * A spend as `credits.transact` takes it, but for who spends from which wallet. It shares its idempotency
 * keys with `POST /credits/use`: the same request is the same there. Throws `request.invalid`.
 */
export function toCharge(ctx: Ctx, charge: Charge): Record<string, unknown> {
  const { amount, appId, description, metadata = null, idempotencyKey } = charge;
  assertStorableMetadata(metadata);
  const content = canonicalJson({ amount, appId, description, metadata });
  return {
    operation: 'spend',
    app_id: appId,
    amount,
    description,
    metadata,
    idempotency_key: idempotencyKey,
    request_hash: `\\x${createHash('sha256').update(content).digest('hex')}`,
    transaction_id: newId(ctx),
    debt_max: ctx.config.creditsDebtMax,
  };
}
