import { createPublicKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** Somebody who has a certificate, and the key of it. */
export type Identity = { name: string; pem: string; key: KeyObject };

export type CertificateOrder = {
  name: string;
  /** Who issues it; without one it is issued by whom it is made out to. */
  issuer?: Identity;
  isAuthority?: boolean;
  validFrom?: string;
  validTo?: string;
  keyBits?: number;
  /** Where the certificate of the issuer lies, by what this one says. */
  issuerAddress?: string;
};

/** Issues a certificate (X.509 version 3) for a new RSA key. @see RFC 5280 §4.1 */
export function issueCertificate(order: CertificateOrder): Identity {
  const { name, issuer, isAuthority = false, validFrom = '2026-01-01', validTo = '2027-01-01' } = order;
  const key = generateKeyPairSync('rsa', { modulusLength: order.keyBits ?? 2048 }).privateKey;
  const signsWith = issuer?.key ?? key;
  const yes = der(0x01, Buffer.from([0xff]));
  const constraints = der(0x30, ...(isAuthority ? [yes] : []));
  const extensions = [
    der(0x30, Buffer.from('0603551d13', 'hex'), yes, der(0x04, constraints)),
    ...(order.issuerAddress === undefined ? [] : [issuerExtension(order.issuerAddress)]),
  ];
  const toBeSigned = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    sha256WithRsa,
    nameOf(issuer?.name ?? name),
    der(0x30, timeOf(validFrom), timeOf(validTo)),
    nameOf(name),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, ...extensions)),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', toBeSigned, signsWith)]);
  const lines = der(0x30, toBeSigned, sha256WithRsa, der(0x03, signature))
    .toString('base64')
    .match(/.{1,64}/g);
  const pem = ['-----BEGIN CERTIFICATE-----', ...(lines ?? []), '-----END CERTIFICATE-----', ''].join('\n');
  return { name, pem, key };
}

const sha256WithRsa = Buffer.from('300d06092a864886f70d01010b0500', 'hex');

function nameOf(commonName: string): Buffer {
  const type = Buffer.from('0603550403', 'hex');
  return der(0x30, der(0x31, der(0x30, type, der(0x0c, Buffer.from(commonName)))));
}

/** Authority Information Access: CA Issuers. @see RFC 5280 §4.2.2.1 */
function issuerExtension(address: string): Buffer {
  const method = Buffer.from('06082b06010505073002', 'hex');
  const access = der(0x30, der(0x30, method, der(0x86, Buffer.from(address))));
  return der(0x30, Buffer.from('06082b06010505070101', 'hex'), der(0x04, access));
}

/** A day, until 2049. */
function timeOf(day: string): Buffer {
  return der(0x17, Buffer.from(`${day.slice(2).replaceAll('-', '')}000000Z`));
}

/** Tag, length, content. @see ITU-T X.690 §8.1 */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
