import { SignJWT } from 'jose';
import type { Tx } from '../../db/index.ts';
import { readGivenKey } from './given-key.ts';
import {
  accessTokenType,
  generateSigningKey,
  insertSigningKey,
  lockSigningKeys,
  openSigningKey,
  readSigningKeys,
  signingAlgorithm,
  signingAlgorithms,
  type KeyContext,
  type PublishedKey,
  type SigningAlgorithm,
  type SigningKey,
  type StoredKey,
} from './signing-keys.ts';
import { toSigner, type Signer } from './signer.ts';
import {
  createIssuedTokenVerifier,
  createTokenVerifier,
  type AcceptedTokens,
  type AccessTokenClaims,
  type IssuedTokenClaims,
} from './token-verifier.ts';

/** The signing keys: signs with the current one, verifies with every published one. */
export type Keyring = {
  /** Signs claims as a JWT; `type` is its `typ`, RS256 unless said otherwise. Runs off the event loop. */
  sign(claims: Record<string, unknown>, type?: string, algorithm?: SigningAlgorithm): Promise<string>;
  /**
   * Verifies signature, type, issuer, audience and expiry, and that nobody impersonates somebody by it unless
   * that is `accepted`. Throws `auth.token_invalid`, `auth.impersonation_forbidden`.
   */
  verifyAccessToken(token: string, accepted?: AcceptedTokens): Promise<AccessTokenClaims>;
  /** Verifies the same of a token for whichever API, but not its audience. Throws `auth.token_invalid`. */
  verifyIssuedToken(token: string): Promise<IssuedTokenClaims>;
  /**
   * Every published key as one that signs for others; of each algorithm the one that signs now comes first.
   */
  signers(): Signer[];
  /** Every published key, the next one included. @see RFC 7517 §5 */
  jwks(): { keys: PublishedKey[] };
  /** Reads the keys again, after a rotation elsewhere. */
  reload(): Promise<void>;
  close(): void;
};

const reloadIntervalMs = 60_000;

/**
 * Opens the keyring: the key that the settings give, or those in the database, where the first process to
 * start makes one. It reloads every minute and when a token names a key it does not know, so that rotation
 * needs no restart.
 */
export async function createKeyring(context: KeyContext): Promise<Keyring> {
  const { clock, log } = context;
  const given = await readGivenKey(context.config);
  const own = signingAlgorithms.filter((algorithm) => given === undefined || algorithm !== signingAlgorithm);
  let stored = await loadKeys(context, [], own);
  const published = (): SigningKey[] => {
    const now = clock.now();
    const living = stored.filter((key) => key.retiresAt === null || key.retiresAt > now);
    return given ? [...living, given] : living;
  };
  const reload = async (): Promise<void> => {
    stored = await loadKeys(context, stored, []);
  };
  const signers = new WeakMap<SigningKey, Signer>();
  const signerOf = (key: SigningKey): Signer => {
    const signer = signers.get(key) ?? toSigner(key);
    signers.set(key, signer);
    return signer;
  };
  const source = { find: (kid: string) => published().find((key) => key.kid === kid), reload };
  const timer = setInterval(() => {
    reload().catch((error: unknown) => log.warn({ err: error }, 'the signing keys could not be reloaded'));
  }, reloadIntervalMs).unref();
  return {
    async sign(claims, type = accessTokenType, algorithm = signingAlgorithm) {
      const keys = published().filter(({ publicJwk }) => publicJwk.alg === algorithm);
      const { kid, privateKey } = currentSigner(given, keys, clock.now());
      return new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid, typ: type }).sign(privateKey);
    },
    verifyAccessToken: createTokenVerifier(context, source),
    verifyIssuedToken: createIssuedTokenVerifier(context, source),
    signers() {
      const now = clock.now();
      const current = signingAlgorithms.flatMap((algorithm) => {
        const ofIt = published().filter(({ publicJwk }) => publicJwk.alg === algorithm);
        return ofIt.length === 0 ? [] : [currentSigner(given, ofIt, now)];
      });
      return [...current, ...published().filter((key) => !current.includes(key))].map(signerOf);
    },
    jwks: () => ({ keys: published().map((key) => key.publicJwk) }),
    reload,
    close: () => clearInterval(timer),
  };
}

/** The youngest key whose time to sign has come; a process whose clock is behind takes the oldest instead. */
function currentSigner(given: SigningKey | undefined, keys: SigningKey[], now: Date): SigningKey {
  const usable = given && keys.includes(given) ? [given] : keys;
  const signer = usable.findLast((key) => key.signsFrom <= now) ?? usable[0];
  if (!signer) throw new Error('There is no signing key');
  return signer;
}

/**
 * The keys as the database has them now; of each algorithm in `needed` there is one then. Keys already open
 * stay as they are; only their dates are read again.
 */
async function loadKeys(
  context: KeyContext,
  known: SigningKey[],
  needed: SigningAlgorithm[],
): Promise<SigningKey[]> {
  const living = await context.db.asService((tx) => readLivingKeys(context, tx));
  const missing = missingOf(needed, living);
  const usable = missing.length > 0 ? await createFirstKeys(context, missing) : living;
  return Promise.all(
    usable.map(async (row) => {
      const open = known.find((key) => key.kid === row.kid) ?? (await openSigningKey(context, row));
      return { ...open, signsFrom: row.signsFrom, retiresAt: row.retiresAt };
    }),
  );
}

async function readLivingKeys({ clock }: KeyContext, tx: Tx): Promise<StoredKey[]> {
  const now = clock.now();
  return (await readSigningKeys(tx)).filter((row) => row.retiresAt === null || row.retiresAt > now);
}

function missingOf(needed: SigningAlgorithm[], living: StoredKey[]): SigningAlgorithm[] {
  return needed.filter((algorithm) => living.every((row) => row.algorithm !== algorithm));
}

/**
 * Several processes may start at once: each makes keys, the lock lets one store them, the others take those.
 */
async function createFirstKeys(context: KeyContext, needed: SigningAlgorithm[]): Promise<StoredKey[]> {
  const keys = await Promise.all(needed.map((algorithm) => generateSigningKey(algorithm)));
  return context.db.asService(async (tx) => {
    await lockSigningKeys(tx);
    const missing = missingOf(needed, await readLivingKeys(context, tx));
    for (const key of keys) {
      if (!missing.some((algorithm) => algorithm === key.publicJwk.alg)) continue;
      await insertSigningKey(context, tx, key, context.clock.now());
    }
    return readLivingKeys(context, tx);
  });
}
