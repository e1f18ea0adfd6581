import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { readBalance } from '../credits/index.ts';

/** The credits that the caller can spend now. Throws `auth.session_ended`. */
export async function readAvailable(ctx: Ctx, caller: Caller): Promise<number> {
  return (await readBalance(ctx, caller)).available;
}
