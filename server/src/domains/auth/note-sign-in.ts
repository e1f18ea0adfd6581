import { and, count, eq, gt, sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { addressKey } from '../../lib/address.ts';
import { keyedHash } from '../../lib/keyed-hash.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { hashDeviceCookie } from './hash-device-cookie.ts';
import type { Device } from './open-session.ts';
import { recordSecurityEvent } from './record-security-event.ts';
import { enqueueSecurityMail, recordSuspicion } from './record-suspicion.ts';
import { securityEvents } from './tables.ts';

const dayMs = 86_400_000;
const burstMs = 10 * 60_000;
/** So many addresses within ten minutes are no person on the move. */
const burstAddresses = 5;
/** So many wrong passwords within an hour are what nobody mistypes. */
const manyFailures = 10;
/** More new devices a day than that are told of by the trail only. */
const newDeviceMailsMax = 5;

type Noted = { email: string; device: 'known' | 'new' | 'first'; failures: string; addresses: string[] };

/**
 * Notes by what this sign-in is recognised when it comes again, and tells the owner of the account when it is
 * new to it (not of the first one), comes after many wrong passwords, or is one of many from all over. `tx`
 * is the service's and has just opened the session.
 */
export async function noteSignIn(
  ctx: Ctx,
  tx: Tx,
  { userId, sessionId, device }: { userId: string; sessionId: string; device: Device },
  origin: RequestOrigin,
): Promise<void> {
  const noted = await note(ctx, tx, userId, deviceHashes(ctx, device, origin));
  const { email } = noted;
  const person = { userId, email, sessionId };
  if (noted.device === 'new') await tellOfNewDevice(ctx, tx, { ...person, device }, origin);
  if (noted.device !== 'known' && Number(noted.failures) >= manyFailures)
    await recordSuspicion(ctx, tx, { ...person, kind: 'sign_in_after_failures' }, origin);
  if (new Set(noted.addresses.map(addressKey)).size >= burstAddresses)
    await recordSuspicion(ctx, tx, { ...person, kind: 'sign_in_burst' }, origin);
}

/**
 * All by which a sign-in is recognised when it comes again: the id that a device gave itself, the cookie of a
 * browser, and the program at its address.
 */
function deviceHashes(ctx: Ctx, { deviceId }: Device, origin: RequestOrigin): Buffer[] {
  const { deviceCookie, ipAddress, userAgent } = origin;
  const hash = (text: string) => keyedHash(ctx.config.secret, 'known device', text);
  return [
    ...(deviceId === undefined ? [] : [hash(`id ${deviceId}`)]),
    ...(deviceCookie === undefined ? [] : [hashDeviceCookie(ctx, deviceCookie)]),
    hash(`place ${addressKey(ipAddress)} ${userAgent ?? ''}`),
  ];
}

async function note(ctx: Ctx, tx: Tx, userId: string, hashes: Buffer[]): Promise<Noted> {
  const now = ctx.clock.now();
  const devices = sql.join(
    hashes.map((hash) => sql`${hash}`),
    sql`, `,
  );
  const { rows } = await tx.execute<Noted>(sql`
    select email, device, failures, addresses from auth.note_sign_in(
      ${userId}, array[${devices}]::bytea[], ${new Date(now.getTime() - burstMs).toISOString()},
      ${now.toISOString()})`);
  const [noted] = rows;
  if (!noted) throw new Error('auth.note_sign_in returned no row');
  return noted;
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
