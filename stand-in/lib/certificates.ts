import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto';

/** The certificates of an authority of our own, which nobody trusts who was not told to. All in PEM. */
export type Certificates = {
  /** The certificate of the authority. */
  authority: string;
  /** The certificate that webhooks are signed with, and the one between it and the authority. */
  chain: string;
  /** The key that webhooks are signed with. */
  key: string;
};

type Part = { name: string; key: KeyObject };
type Order = { subject: Part; issuer: Part; isAuthority: boolean };

const validFrom = '20200101000000Z';
const validTo = '20491231000000Z';

const commonName = oid(2, 5, 4, 3);
const basicConstraints = oid(2, 5, 29, 19);
const keyUsage = oid(2, 5, 29, 15);
const ecdsaWithSha256 = sequence(oid(1, 2, 840, 10045, 4, 3, 2));

/** Makes an authority, a certificate between, and one made out to `name` for an RSA key of 2048 bits. */
export function makeCertificates(name: string): Certificates {
  const authority = { name: 'Obol stand-in authority', key: newEllipticKey() };
  const between = { name: 'Obol stand-in intermediate', key: newEllipticKey() };
  const leaf = { name, key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey };
  return {
    authority: certificate({ subject: authority, issuer: authority, isAuthority: true }),
    chain:
      certificate({ subject: leaf, issuer: between, isAuthority: false }) +
      certificate({ subject: between, issuer: authority, isAuthority: true }),
    key: leaf.key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** The key of certificates, ready to sign with. */
export function keyOf({ key }: Certificates): KeyObject {
  return createPrivateKey(key);
}

function newEllipticKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** A certificate, version 3. @see RFC 5280 §4.1 */
function certificate({ subject, issuer, isAuthority }: Order): string {
  const toBeSigned = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    distinguishedName(issuer.name),
    sequence(time(validFrom), time(validTo)),
    distinguishedName(subject.name),
    createPublicKey(subject.key).export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions(isAuthority))),
  );
  const signature = sign('sha256', toBeSigned, issuer.key);
  const der = sequence(toBeSigned, ecdsaWithSha256, bits(signature));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** Whether it may issue others, and what its key is for. @see RFC 5280 §4.2.1.3, §4.2.1.9 */
function extensions(isAuthority: boolean): Buffer[] {
  const yes = tagged(0x01, Buffer.from([0xff]));
  const usage = isAuthority ? Buffer.from([0x01, 0x06]) : Buffer.from([0x07, 0x80]);
  return [
    sequence(basicConstraints, yes, tagged(0x04, isAuthority ? sequence(yes) : sequence())),
    sequence(keyUsage, yes, tagged(0x04, tagged(0x03, usage))),
  ];
}

function distinguishedName(name: string): Buffer {
  const attribute = sequence(commonName, tagged(0x0c, Buffer.from(name)));
  return sequence(tagged(0x31, attribute));
}

function time(text: string): Buffer {
  return Number(text.slice(0, 4)) < 2050
    ? tagged(0x17, Buffer.from(text.slice(2)))
    : tagged(0x18, Buffer.from(text));
}

function bits(content: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([0]), content]));
}

function integer(content: Buffer): Buffer {
  return tagged(0x02, content);
}

function sequence(...parts: Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

/** Tag, length, content. @see ITU-T X.690 §8.1 */
function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const hex = length.toString(16);
  const size = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 + size.length]), size, content]);
}

function oid(first: number, second: number, ...rest: number[]): Buffer {
  const bytes = rest.flatMap((part) => {
    const groups = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return tagged(0x06, Buffer.from([40 * first + second, ...bytes]));
}
