import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server';
import type { Ctx } from '../../../ctx.ts';
import { readFactors, type FactorMethod } from '../factors/read-factors.ts';
import { beginSecondFactor } from '../passkeys/begin-authentication.ts';
import { findPendingSignIn } from './pending-sign-in.ts';

/** What a page asks for: which methods there are, and what a passkey needs, when it is one of them. */
export type AskedFactor = {
  methods: FactorMethod[];
  passkeyOptions: PublicKeyCredentialRequestOptionsJSON | undefined;
};

/** What the sign-in asks for that waits under this token; undefined when none does. */
export async function readChallenge(ctx: Ctx, challengeToken: string): Promise<AskedFactor | undefined> {
  const found = await ctx.db.asService(async (tx) => {
    const pending = await findPendingSignIn(ctx, tx, challengeToken);
    return pending && { userId: pending.userId, factors: await readFactors(tx, pending.userId) };
  });
  return found && askFor(ctx, found.userId, found.factors.methods);
}

/** The same for a person who is known already. */
export async function askFor(ctx: Ctx, userId: string, methods: FactorMethod[]): Promise<AskedFactor> {
  const hasPasskey = methods.includes('passkey');
  return { methods, passkeyOptions: hasPasskey ? await beginSecondFactor(ctx, userId) : undefined };
}
