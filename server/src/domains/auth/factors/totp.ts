import { ScureBase32Plugin, generateURI, verifySync } from 'otplib';
import type { Ctx } from '../../../ctx.ts';
import { createSealer, type Sealer } from '../../../lib/secrets.ts';

const secretBytes = 20;
const stepSeconds = 30;

/** A new secret of 160 bits in Base32, as apps take it. @see RFC 4226 §4 */
export function newTotpSecret({ random }: Ctx): string {
  return new ScureBase32Plugin().encode(random.bytes(secretBytes), { padding: false });
}

/** What the QR code says: whose secret it is, and of which service. */
export function otpauthUrlOf({ config }: Ctx, email: string, secret: string): string {
  return generateURI({ issuer: new URL(config.baseUrl).host, label: email, secret });
}

/**
 * The time step that a code belongs to: the present one, the one before or the one after. Undefined when it
 * belongs to none. Compares in constant time. @see RFC 6238 §5.2
 */
export function stepOfCode({ clock }: Ctx, secret: string, code: string): number | undefined {
  const epoch = Math.floor(clock.now().getTime() / 1000);
  const result = verifySync({
    secret,
    token: code,
    epoch,
    period: stepSeconds,
    epochTolerance: stepSeconds,
  });
  return result.valid && 'timeStep' in result ? result.timeStep : undefined;
}

/** Seals the secrets of people; the context is whose it is. */
export function totpSealer({ config, random }: Ctx): Sealer {
  return createSealer(config.secret, 'second factors', random);
}
