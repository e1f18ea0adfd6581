import type { Ctx } from '../../ctx.ts';
import { keyedHash } from '../../lib/keyed-hash.ts';

/** By which a browser is recognised that holds our cookie. */
export function hashDeviceCookie({ config }: Ctx, cookie: string): Buffer {
  return keyedHash(config.secret, 'known device', `cookie ${cookie}`);
}
