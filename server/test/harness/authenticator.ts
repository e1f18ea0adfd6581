import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

export type Assertion = {
  id: string;
  rawId: string;
  response: {
    clientDataJSON: string;
    authenticatorData: string;
    signature: string;
    userHandle?: string;
  };
};

/** What an answer is to differ in from what a well-behaved browser and authenticator give. */
export type Deviations = {
  origin?: string;
  rpId?: string;
  isUserVerified?: boolean;
  /** Stays at what it was when given. */
  signCount?: number;
  challenge?: string;
  type?: string;
  userHandle?: string;
};

const flags = { userPresent: 0x01, userVerified: 0x04, attested: 0x40 };

/** An authenticator with one passkey, and the browser before it. @see WebAuthn Level 3 §6 */
export class TestAuthenticator {
  readonly origin: string;
  readonly credentialId = randomBytes(16);
  signCount = 0;
  private userHandle = '';
  private readonly keys: { publicKey: KeyObject; privateKey: KeyObject };

  constructor(origin: string) {
    this.origin = origin;
    this.keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  }

  /** What `navigator.credentials.create` answers to these options. */
  create(options: { challenge: string; user: { id: string } }, deviations: Deviations = {}) {
    this.userHandle = options.user.id;
    const data = this.authenticatorData(deviations, flags.attested);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(this.credentialId.length);
    const attested = Buffer.concat([data, Buffer.alloc(16), length, this.credentialId, this.coseKey()]);
    const attestationObject = Buffer.concat([
      Buffer.from([0xa3]),
      text('fmt'),
      text('none'),
      text('attStmt'),
      Buffer.from([0xa0]),
      text('authData'),
      bytes(attested),
    ]);
    const id = this.credentialId.toString('base64url');
    const clientDataJSON = this.clientData('webauthn.create', options.challenge, deviations);
    return {
      id,
      rawId: id,
      response: {
        clientDataJSON: clientDataJSON.toString('base64url'),
        attestationObject: attestationObject.toString('base64url'),
        transports: ['internal'],
      },
    };
  }

  /** What `navigator.credentials.get` answers to these options. */
  get(options: { challenge: string }, deviations: Deviations = {}): Assertion {
    this.signCount = deviations.signCount ?? this.signCount + 1;
    const data = this.authenticatorData(deviations, 0);
    const clientData = this.clientData('webauthn.get', options.challenge, deviations);
    const digest = createHash('sha256').update(clientData).digest();
    const signature = sign('sha256', Buffer.concat([data, digest]), this.keys.privateKey);
    const id = this.credentialId.toString('base64url');
    return {
      id,
      rawId: id,
      response: {
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: data.toString('base64url'),
        signature: signature.toString('base64url'),
        userHandle: deviations.userHandle ?? this.userHandle,
      },
    };
  }

  private authenticatorData({ rpId, isUserVerified = true }: Deviations, more: number): Buffer {
    const hash = createHash('sha256')
      .update(rpId ?? new URL(this.origin).hostname)
      .digest();
    const count = Buffer.alloc(4);
    count.writeUInt32BE(this.signCount);
    const flag = flags.userPresent | (isUserVerified ? flags.userVerified : 0) | more;
    return Buffer.concat([hash, Buffer.from([flag]), count]);
  }

  private clientData(type: string, challenge: string, deviations: Deviations): Buffer {
    const origin = deviations.origin ?? this.origin;
    const given = { type: deviations.type ?? type, challenge: deviations.challenge ?? challenge };
    return Buffer.from(JSON.stringify({ ...given, origin, crossOrigin: false }));
  }

  /** ES256 on P-256. @see RFC 9053 §7.1 */
  private coseKey(): Buffer {
    const { x = '', y = '' } = this.keys.publicKey.export({ format: 'jwk' });
    return Buffer.concat([
      Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21]),
      bytes(Buffer.from(x, 'base64url')),
      Buffer.from([0x22]),
      bytes(Buffer.from(y, 'base64url')),
    ]);
  }
}

/** CBOR of a text of up to 23 letters. @see RFC 8949 §3.1 */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([0x60 | value.length]), Buffer.from(value)]);
}

/** The same of up to 255 bytes. */
function bytes(value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x58, value.length]), value]);
}
