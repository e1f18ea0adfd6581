import type { Ctx } from '../../ctx.ts';
import { createSealer, type Sealer } from '../../lib/secrets.ts';

const context = 'the address that is told of an erasure';

/** The address of who was erased, for the one mail that is still sent there; nobody else can read it. */
export function sealAddress(ctx: Ctx, email: string): string {
  return sealerOf(ctx).seal(email, context).toString('base64');
}

/** The address that `sealAddress` sealed. */
export function openErasureAddress(ctx: Ctx, sealed: string): string {
  return sealerOf(ctx).open(Buffer.from(sealed, 'base64'), context);
}

function sealerOf(ctx: Ctx): Sealer {
  return createSealer(ctx.config.secret, 'erasure mails', ctx.random);
}
