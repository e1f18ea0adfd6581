import { createHmac, hkdfSync } from 'node:crypto';
import type { ChallengeView } from '../../../../web/src/page.ts';
import type { Ctx } from '../../ctx.ts';

/** Long enough to fill in a form, short enough that nobody hoards solved ones. */
const ttlSeconds = 1800;
const nonceBytes = 16;

export type Challenge = { challenge: string; difficultyBits: number; expiresAt: Date };

/**
 * The sum that a registration costs while REGISTRATION_CHALLENGE is `pow`: a number is looked for, so that
 * the SHA-256 of `<challenge>.<number>` begins with `difficultyBits` zeros. Nothing is stored of it: the
 * challenge is signed, and says itself how hard it is and when it ends. Undefined while none is wanted.
 * @see RFC 2104 (HMAC)
 */
export function createChallenge(ctx: Ctx): Challenge | undefined {
  const { registrationChallenge, registrationChallengeBits: difficultyBits } = ctx.config;
  if (registrationChallenge === 'off') return undefined;
  const expiresAt = new Date(Math.floor(ctx.clock.now().getTime() / 1000 + ttlSeconds) * 1000);
  const nonce = ctx.random.bytes(nonceBytes).toString('base64url');
  const terms = `${expiresAt.getTime() / 1000}.${difficultyBits}.${nonce}`;
  return { challenge: `${terms}.${signTerms(ctx, terms)}`, difficultyBits, expiresAt };
}

/** The challenge as the page of the registration shows it to the browser. */
export function challengeView(ctx: Ctx): ChallengeView | null {
  const made = createChallenge(ctx);
  return made ? { challenge: made.challenge, difficultyBits: made.difficultyBits } : null;
}

/** Shows that these terms are ours. */
export function signTerms({ config }: Ctx, terms: string): string {
  const key = Buffer.from(hkdfSync('sha256', config.secret, '', 'obol registration challenge', 32));
  return createHmac('sha256', key).update(terms).digest('base64url');
}
