import { and, count, eq, gt } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { addressKey } from '../../lib/address.ts';
import { guessesOfAnAttack } from '../../lib/sign-in-guesses.ts';
import { keyedHash } from '../../lib/keyed-hash.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { hashDeviceCookie } from './hash-device-cookie.ts';
import type { Device } from './open-session.ts';
import { recordSecurityEvent } from './record-security-event.ts';
import { enqueueSecurityMail, recordSuspicion } from './record-suspicion.ts';
import { securityEvents } from './tables.ts';

const dayMs = 86_400_000;
/** Sessions opened within so long are counted together. */
export const burstMs = 10 * 60_000;
/** So many addresses within ten minutes are no person on the move. */
const burstAddresses = 5;
/** More new devices a day than that are told of by the trail only. */
const newDeviceMailsMax = 5;

/** What `auth.open_session` knows of the one who opened it. */
export type NotedSignIn = {
  email: string;
  device: 'known' | 'new' | 'first';
  failures: string | number;
  addresses: string[];
};

/**
 * Tells the owner of an account of the session that was just opened, when its device is new to the account
 * (not of the first one), when it comes after many wrong passwords, or is one of many from all over. `tx` is
 * the service's.
 */
export async function tellOfSignIn(
  ctx: Ctx,
  tx: Tx,
  { id: sessionId, userId, device }: { id: string; userId: string; device: Device },
  noted: NotedSignIn,
  origin: RequestOrigin,
): Promise<void> {
  const person = { userId, email: noted.email, sessionId };
  if (noted.device === 'new') await tellOfNewDevice(ctx, tx, { ...person, device }, origin);
  if (noted.device !== 'known' && Number(noted.failures) >= guessesOfAnAttack)
    await recordSuspicion(ctx, tx, { ...person, kind: 'sign_in_after_failures' }, origin);
  if (new Set(noted.addresses.map(addressKey)).size >= burstAddresses)
    await recordSuspicion(ctx, tx, { ...person, kind: 'sign_in_burst' }, origin);
}

/**
 * All by which a sign-in is recognised when it comes again: the id that a device gave itself, the cookie of a
 * browser, and the program at its address.
 */
export function deviceHashes(ctx: Ctx, { deviceId }: Device, origin: RequestOrigin): Buffer[] {
  const { deviceCookie, ipAddress, userAgent } = origin;
  const hash = (text: string) => keyedHash(ctx.config.secret, 'known device', text);
  return [
    ...(deviceId === undefined ? [] : [hash(`id ${deviceId}`)]),
    ...(deviceCookie === undefined ? [] : [hashDeviceCookie(ctx, deviceCookie)]),
    hash(`place ${addressKey(ipAddress)} ${userAgent ?? ''}`),
  ];
}

async function tellOfNewDevice(
  ctx: Ctx,
  tx: Tx,
  { userId, email, sessionId, device }: { userId: string; email: string; sessionId: string; device: Device },
  origin: RequestOrigin,
): Promise<void> {
  const since = new Date(ctx.clock.now().getTime() - dayMs);
  const [recent] = await tx
    .select({ events: count() })
    .from(securityEvents)
    .where(
      and(
        eq(securityEvents.userId, userId),
        eq(securityEvents.type, 'login.new_device'),
        gt(securityEvents.createdAt, since),
      ),
    );
  const details = device.deviceName === undefined ? {} : { deviceName: device.deviceName };
  await recordSecurityEvent(ctx, tx, { type: 'login.new_device', userId, sessionId, details }, origin);
  if ((recent?.events ?? 0) >= newDeviceMailsMax) return;
  await enqueueSecurityMail(ctx, tx, { email, kind: 'new_device', deviceName: device.deviceName }, origin);
}
