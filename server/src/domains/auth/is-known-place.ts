import type { Ctx } from '../../ctx.ts';
import { addressKey } from '../../lib/address.ts';
import { normalizeEmail } from '../../lib/email.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { hashDeviceCookie } from './hash-device-cookie.ts';

const hourMs = 3_600_000;
const rememberedMs = 90 * 24 * hourMs;

/**
 * Whether the owner of this account is known to use this browser, or this address or its /64: somebody signed
 * in with the browser's cookie, a session was opened from there and used within the last 90 days, or the
 * password was reset from there within the last hour, which takes their mailbox. One statement, so that an
 * unknown account costs the same.
 */
export async function isKnownPlace(ctx: Ctx, email: string, origin: RequestOrigin): Promise<boolean> {
  const now = ctx.clock.now().getTime();
  const { deviceCookie, ipAddress } = origin;
  const [row] = await ctx.db.call<{ is_known_device: boolean; addresses: string[] }>(
    'select * from auth.known_places($1, $2, $3, $4)',
    [
      normalizeEmail(email),
      deviceCookie === undefined ? null : hashDeviceCookie(ctx, deviceCookie),
      new Date(now - rememberedMs),
      new Date(now - hourMs),
    ],
  );
  if (!row) return false;
  return row.is_known_device || row.addresses.some((known) => addressKey(known) === addressKey(ipAddress));
}
