import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { newId } from '../../lib/ids.ts';
import { hashOpaqueToken, newOpaqueToken } from '../../lib/secrets.ts';
import { applicationSecrets } from './tables.ts';

/** By it secret scanners recognise a secret that was published by mistake. */
const secretPrefix = 'obol_cs_';

/** Gives the application a new secret of 256 bits; only its digest is stored. `tx` is the service's. */
export async function addSecret(ctx: Ctx, tx: Tx, applicationId: string): Promise<string> {
  const clientSecret = `${secretPrefix}${newOpaqueToken(ctx.random)}`;
  await tx.insert(applicationSecrets).values({
    id: newId(ctx),
    applicationId,
    secretHash: hashOpaqueToken(clientSecret),
    createdAt: ctx.clock.now(),
  });
  return clientSecret;
}
