import { createPublicKey } from 'node:crypto';
import type { JsonWebKeySet } from '../tables.ts';
import { invalidField } from './invalid-field.ts';

/** Members of private and symmetric keys: those must never be sent to anybody. @see RFC 7518 §6 */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const rsaBitsMin = 2048;

/**
 * Throws `request.invalid` unless every key is a public one that can be used: RSA of 2048 bits or more, or an
 * elliptic curve. @see RFC 7517 §5, RFC 7518 §3.3
 */
export function assertPublicKeys({ keys }: JsonWebKeySet, path: string): void {
  keys.forEach((key, index) => {
    const problem = problemOf(key);
    if (problem !== undefined) throw invalidField(`${path}/keys/${index}`, problem);
  });
}

function problemOf(key: Record<string, unknown>): string | undefined {
  if (secretMembers.some((member) => member in key)) return 'must be a public key; keep the private one';
  if (key.kty !== 'RSA' && key.kty !== 'EC' && key.kty !== 'OKP') return 'must have a kty of RSA, EC or OKP';
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key, format: 'jwk' });
    const bits = asymmetricKeyDetails?.modulusLength ?? rsaBitsMin;
    return bits < rsaBitsMin ? `must have ${rsaBitsMin} bits or more` : undefined;
  } catch {
    return 'is not a key that can be read';
  }
}
