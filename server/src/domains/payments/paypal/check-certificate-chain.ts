import { X509Certificate, type KeyObject } from 'node:crypto';

const linksMax = 4;
const certificatesMax = 8;
const keyBitsMin = 2048;

/**
 * The key of a good certificate, and when every certificate up to the root is valid (milliseconds since
 * 1970).
 */
export type CheckedKey = { key: KeyObject; validFrom: number; validUntil: number };

export type ChainRules = {
  /** Certificates that are trusted by themselves: those of public authorities. */
  roots: readonly X509Certificate[];
  now: Date;
  /** Finds the certificate of an issuer that is missing between; null when there is none. */
  findIssuer?: (certificate: X509Certificate) => Promise<X509Certificate | null>;
  /** The common name that the certificate must be made out to. */
  commonName: string;
};

/**
 * The certificates of a PEM text, 8 at most. Throws when one of them cannot be read, or when there is none.
 */
export function readCertificates(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]{1,20000}?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0 || blocks.length > certificatesMax)
    throw new Error('the answer holds no certificates');
  return blocks.map((block) => new X509Certificate(block));
}

/**
 * Checks that the first certificate was issued, by way of the others, by an authority that is trusted, that
 * each of them is valid now, and that it is made out to the name that PayPal signs with, for an RSA key of
 * 2048 bits or more. Rejects otherwise, so that a certificate that somebody issued to themselves is worth
 * nothing. Revocation lists are not asked.
 * @see RFC 5280 §6.1
 */
export async function checkCertificateChain(
  certificates: X509Certificate[],
  rules: ChainRules,
): Promise<CheckedKey> {
  const leaf = certificates.find((certificate) => !certificate.ca);
  if (!leaf) throw new Error('no certificate to sign with');
  if (!leaf.subject.split('\n').includes(`CN=${rules.commonName}`))
    throw new Error('the certificate is made out to somebody else');
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = leaf.publicKey;
  if (type !== 'rsa' || (details?.modulusLength ?? 0) < keyBitsMin) throw new Error('the key is too weak');
  const chain = await buildChain([leaf], certificates, rules);
  return {
    key: leaf.publicKey,
    validFrom: Math.max(...chain.map(({ validFrom }) => Date.parse(validFrom))),
    validUntil: Math.min(...chain.map(({ validTo }) => Date.parse(validTo))),
  };
}

/** Goes up from the last certificate until one is trusted. */
async function buildChain(
  chain: X509Certificate[],
  others: X509Certificate[],
  rules: ChainRules,
): Promise<X509Certificate[]> {
  const last = chain.at(-1) as X509Certificate;
  if (!isValid(last, rules.now)) throw new Error('a certificate of the chain is not valid now');
  const root = rules.roots.find((candidate) => isIssuerOf(candidate, last) && isValid(candidate, rules.now));
  if (root) return [...chain, root];
  if (chain.length >= linksMax) throw new Error('the chain is too long');
  const issuer = others.find((other) => !chain.includes(other) && isIssuerOf(other, last));
  const found = issuer ?? (await rules.findIssuer?.(last));
  if (!found || !isIssuerOf(found, last)) throw new Error('no trusted authority has issued the certificate');
  return buildChain([...chain, found], others, rules);
}

/** Whether one has issued the other: it may, its name fits, and its key has signed it. */
function isIssuerOf(issuer: X509Certificate, issued: X509Certificate): boolean {
  if (!issuer.ca || issuer.fingerprint256 === issued.fingerprint256) return false;
  return issued.checkIssued(issuer) && issued.verify(issuer.publicKey);
}

function isValid(certificate: X509Certificate, now: Date): boolean {
  return (
    Date.parse(certificate.validFrom) <= now.getTime() && now.getTime() < Date.parse(certificate.validTo)
  );
}
