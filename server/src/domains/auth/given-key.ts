import { calculateJwkThumbprint, exportJWK, importJWK, importPKCS8, importSPKI, type CryptoKey } from 'jose';
import { ConfigError, type Config } from '../../config.ts';
import { signingAlgorithm, toPublished, type SigningKey } from './signing-keys.ts';

/**
 * The key that JWT_PRIVATE_KEY gives, or undefined. JWT_PUBLIC_KEY may stand beside it and must belong to it.
 * In environment variables the line ends of a PEM are often written `\n`; both forms are read.
 * Throws ConfigError when a key cannot be used.
 */
export async function readGivenKey(config: Config): Promise<SigningKey | undefined> {
  if (config.jwtPrivateKey === '') {
    if (config.jwtPublicKey === '') return undefined;
    throw new ConfigError(['JWT_PUBLIC_KEY: needs JWT_PRIVATE_KEY beside it.']);
  }
  const privateKey = await readPem('JWT_PRIVATE_KEY', () =>
    importPKCS8(unescape(config.jwtPrivateKey), signingAlgorithm, { extractable: true }),
  );
  const { n, e } = await exportJWK(privateKey);
  if (!n || !e || Buffer.from(n, 'base64url').length < 256) {
    throw new ConfigError(['JWT_PRIVATE_KEY: needs an RSA key of at least 2048 bits.']);
  }
  const kid = await calculateJwkThumbprint({ kty: 'RSA', n, e });
  const publicJwk = toPublished({ kty: 'RSA', n, e }, kid);
  await assertSameKey(config, kid);
  const publicKey = (await importJWK(publicJwk, signingAlgorithm)) as CryptoKey;
  return { kid, publicJwk, publicKey, privateKey, signsFrom: new Date(0), retiresAt: null };
}

async function assertSameKey(config: Config, kid: string): Promise<void> {
  if (config.jwtPublicKey === '') return;
  const publicKey = await readPem('JWT_PUBLIC_KEY', () =>
    importSPKI(unescape(config.jwtPublicKey), signingAlgorithm, { extractable: true }),
  );
  if ((await calculateJwkThumbprint(publicKey)) !== kid) {
    throw new ConfigError(['JWT_PUBLIC_KEY: does not belong to JWT_PRIVATE_KEY.']);
  }
}

async function readPem(name: string, read: () => Promise<CryptoKey>): Promise<CryptoKey> {
  try {
    return await read();
  } catch {
    throw new ConfigError([`${name}: is not an RSA key in PEM form (PKCS #8 private, SPKI public).`]);
  }
}

function unescape(pem: string): string {
  return pem.replaceAll('\\n', '\n').trim();
}
