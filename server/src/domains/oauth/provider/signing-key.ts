import type { KeyObject } from 'node:crypto';
import { ExternalSigningKey } from 'oidc-provider';
import type { Signer } from '../../auth/index.ts';

/** A key of our keyring as the library takes it: it asks for signatures and never sees the key. */
class SigningKey extends ExternalSigningKey {
  readonly #signer: Signer;

  constructor(signer: Signer) {
    super();
    this.#signer = signer;
  }

  override get kid(): string {
    return this.#signer.kid;
  }

  override set kid(_kid: string) {
    // Ours says what it is.
  }

  override get alg(): string {
    return this.#signer.algorithm;
  }

  override set alg(_alg: string) {
    // As above.
  }

  override keyObject(): KeyObject {
    return this.#signer.publicKey;
  }

  override sign(data: Uint8Array): Promise<Buffer> {
    return this.#signer.sign(data);
  }
}

/** The keys of the keyring; the library takes the first of an algorithm to sign, and all to verify. */
export function toSigningKeys(signers: Signer[]): ExternalSigningKey[] {
  return signers.map((signer) => new SigningKey(signer));
}
