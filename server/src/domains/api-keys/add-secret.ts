import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { digestApiKey, hintsOf, newApiKey } from '../../lib/api-key.ts';
import { newId } from '../../lib/ids.ts';
import { apiKeySecrets } from './tables.ts';

/** Gives a key a new secret, and returns it; only its digest is stored. `tx` is the service's. */
export async function addSecret(ctx: Ctx, tx: Tx, keyId: string): Promise<string> {
  const key = newApiKey(ctx.random);
  await tx.insert(apiKeySecrets).values({
    id: newId(ctx),
    keyId,
    digest: digestApiKey(key),
    ...hintsOf(key),
    createdAt: ctx.clock.now(),
  });
  return key;
}
