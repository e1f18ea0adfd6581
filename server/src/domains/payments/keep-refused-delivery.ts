import type { Ctx } from '../../ctx.ts';
import type { ReceivedDelivery } from './receive-delivery.ts';

/** So many are kept, the youngest, each with so much of its body. */
const keptMax = 1000;
const bodyCharactersMax = 2000;

/** Notes that a delivery was refused, with the beginning of what it said. */
export async function keepRefusedDelivery(
  ctx: Ctx,
  { provider, code, body, ipAddress }: ReceivedDelivery & { code: string },
): Promise<void> {
  const text = body.subarray(0, bodyCharactersMax).toString('utf8').replaceAll('\0', '\ufffd');
  await ctx.db.call('select payments.keep_refused_delivery($1, $2, $3, $4, $5, $6)', [
    provider,
    code,
    text,
    ipAddress,
    keptMax,
    ctx.clock.now(),
  ]);
}
