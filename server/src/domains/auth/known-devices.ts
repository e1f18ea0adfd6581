import type { Ctx } from '../../ctx.ts';
import { addressKey } from '../../lib/address.ts';
import { keyedHash } from '../../lib/keyed-hash.ts';
import type { RequestOrigin } from '../audit/index.ts';
import type { Device } from './open-session.ts';

/** By which a browser is recognised that holds our cookie. */
export function hashDeviceCookie({ config }: Ctx, cookie: string): Buffer {
  return keyedHash(config.secret, 'known device', `cookie ${cookie}`);
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
