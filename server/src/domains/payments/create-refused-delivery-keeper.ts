import type { Ctx } from '../../ctx.ts';
import { addressKey } from '../../lib/address.ts';
import type { ReceivedDelivery } from './receive-delivery.ts';

/** So many are kept, the youngest, each with so many bytes of its body. */
const keptMax = 1000;
const bodyBytesMax = 2000;
/** So many are noted in a minute: of one address, and in all. What is beyond that is only counted. */
const perAddressMax = 10;
const perMinuteMax = 60;
const minuteMs = 60_000;

export type KeepRefusedDelivery = (refused: ReceivedDelivery & { code: string }) => Promise<void>;

/**
 * Makes what counts refused deliveries in the metrics, and notes them with the beginning of what they said.
 * Anybody may send what is refused, so a process writes only so many a minute.
 */
export function createRefusedDeliveryKeeper(ctx: Ctx): KeepRefusedDelivery {
  const isWithinLimits = createMinuteLimits(ctx);
  return async ({ provider, code, body, ipAddress }) => {
    ctx.metrics.refusedDeliveries.inc({ provider, code });
    if (!isWithinLimits(addressKey(ipAddress))) return;
    const text = body.subarray(0, bodyBytesMax).toString('utf8').replaceAll('\0', '\ufffd');
    await ctx.db.call('select payments.keep_refused_delivery($1, $2, $3, $4, $5, $6)', [
      provider,
      code,
      text,
      ipAddress,
      keptMax,
      ctx.clock.now(),
    ]);
  };
}

/** Counts what one is asked about; no more addresses are remembered than are let through in a minute. */
function createMinuteLimits({ clock }: Ctx): (address: string) => boolean {
  let beganAt = 0;
  let total = 0;
  const byAddress = new Map<string, number>();
  return (address) => {
    const now = clock.now().getTime();
    if (Math.abs(now - beganAt) >= minuteMs) {
      beganAt = now;
      total = 0;
      byAddress.clear();
    }
    const before = byAddress.get(address) ?? 0;
    if (total >= perMinuteMax || before >= perAddressMax) return false;
    total += 1;
    byAddress.set(address, before + 1);
    return true;
  };
}
