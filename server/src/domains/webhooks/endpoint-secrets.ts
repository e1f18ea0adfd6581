import { and, desc, eq, gt, isNull, or, sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { newId } from '../../lib/ids.ts';
import { createSealer, type Sealer } from '../../lib/secrets.ts';
import { endpointSecrets } from './tables.ts';

const secretBytes = 32;
/** The current secret and those that it overlaps with: as many signatures does a request carry. */
const endpointSecretsMax = 3;

/**
 * Gives an endpoint a new secret, stored sealed, and returns it in the form of the Standard Webhooks. `tx` is
 * the service's.
 */
export async function addEndpointSecret(ctx: Ctx, tx: Tx, endpointId: string): Promise<string> {
  const secret = `whsec_${ctx.random.bytes(secretBytes).toString('base64')}`;
  const id = newId(ctx);
  const sealedSecret = secretSealer(ctx).seal(secret, id);
  await tx.insert(endpointSecrets).values({ id, endpointId, sealedSecret, createdAt: ctx.clock.now() });
  return secret;
}

/** The secrets that sign what is sent to an endpoint now, the newest first. `tx` is the service's. */
export async function readEndpointSecrets(ctx: Ctx, tx: Tx, endpointId: string): Promise<string[]> {
  const { id, sealedSecret, createdAt, expiresAt } = endpointSecrets;
  const rows = await tx
    .select({ id, sealedSecret })
    .from(endpointSecrets)
    .where(
      and(eq(endpointSecrets.endpointId, endpointId), or(isNull(expiresAt), gt(expiresAt, ctx.clock.now()))),
    )
    .orderBy(sql`${expiresAt} desc nulls first`, desc(createdAt), desc(id))
    .limit(endpointSecretsMax);
  const sealer = secretSealer(ctx);
  return rows.map((row) => sealer.open(row.sealedSecret, row.id));
}

function secretSealer({ config, random }: Ctx): Sealer {
  return createSealer(config.secret, 'webhook secrets', random);
}
