import { createHash, createHmac } from 'node:crypto';
import type { Config } from '../../../config.ts';

/** What a provider and we must both know of one way there and back. */
export type AttemptSecrets = { nonce: string; verifier: string; challenge: string };

/**
 * Nonce and PKCE verifier of a state. Whoever sees the state in an address cannot compute them without our
 * secret, so nothing of them is stored. @see RFC 7636 §4, OpenID Connect Core 1.0 §15.5.2
 */
export function attemptSecrets({ secret }: Config, state: string): AttemptSecrets {
  const derive = (purpose: string) =>
    createHmac('sha256', secret).update(`upstream ${purpose} ${state}`).digest('base64url');
  const verifier = derive('verifier');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  return { nonce: derive('nonce'), verifier, challenge };
}
