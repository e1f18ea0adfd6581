/**
 * How somebody showed who they are: `pwd`, `otp` and `hwk` as registered, `user` when the authenticator asked
 * for a PIN or a fingerprint; ours are `email` (a link by mail), `fed` (another identity provider) and
 * `recovery` (a backup code). `mfa` when it was more than one factor. @see RFC 8176 §2
 */
export type AuthenticationMethod = 'pwd' | 'otp' | 'hwk' | 'user' | 'email' | 'fed' | 'recovery' | 'mfa';

/** What one shows by one factor. */
export const passwordAcr = 'urn:obol:password';
/** What one shows by two factors, or by a passkey that asked for a PIN or a fingerprint. */
export const secondFactorAcr = 'urn:obol:second-factor';

/** The kind of authentication that these methods make up. @see OpenID Connect Core 1.0 §2 (`acr`) */
export function acrOf(amr: readonly string[]): string {
  return amr.includes('mfa') ? secondFactorAcr : passwordAcr;
}
