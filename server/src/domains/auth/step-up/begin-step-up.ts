import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { beginSecondFactor } from '../passkeys/begin-authentication.ts';

/** What a passkey of the caller needs to show that it is still them. Throws `auth.session_ended`. */
export async function beginStepUp(ctx: Ctx, caller: Caller): Promise<PublicKeyCredentialRequestOptionsJSON> {
  await ctx.db.asServiceFor(caller, async () => {});
  return beginSecondFactor(ctx, caller.userId);
}
