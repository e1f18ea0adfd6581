import type { Ctx } from '../../ctx.ts';
import { keyedHash } from '../../lib/keyed-hash.ts';
import { canonicalMailbox } from '../../lib/mailbox.ts';

/** By which a mailbox is recognised that has had its signup bonus. */
export function hashMailbox({ config }: Ctx, email: string): Buffer {
  return keyedHash(config.secret, 'bonus mailbox', canonicalMailbox(email));
}

/** By which a network address is recognised that people have signed up from. `address`: see addressKey. */
export function hashAddress({ config }: Ctx, address: string): Buffer {
  return keyedHash(config.secret, 'bonus address', address);
}
