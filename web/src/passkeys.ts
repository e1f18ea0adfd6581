import type { PasskeyCall, PasskeyCreation } from './security-pages.ts';

/** Whether this browser knows passkeys at all. */
export function hasPasskeys(): boolean {
  return 'PublicKeyCredential' in window && 'credentials' in navigator;
}

/** Has the authenticator make a passkey. Returns what the server takes, as JSON; rejects when stopped. */
export async function createPasskey({ options }: PasskeyCreation): Promise<string> {
  const { user, excludeCredentials = [] } = options;
  const publicKey = {
    ...options,
    challenge: toBytes(options.challenge),
    user: { ...user, id: toBytes(user.id) },
    excludeCredentials: excludeCredentials.map(toDescriptor),
  } as PublicKeyCredentialCreationOptions;
  const credential = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
  const response = credential.response as AuthenticatorAttestationResponse;
  return toJson(credential, {
    clientDataJSON: toText(response.clientDataJSON),
    attestationObject: toText(response.attestationObject),
    transports: response.getTransports(),
  });
}

/** Has a passkey answer a challenge. Returns what the server takes, as JSON; rejects when stopped. */
export async function askPasskey({ options }: PasskeyCall): Promise<string> {
  const { allowCredentials = [] } = options;
  const publicKey = {
    ...options,
    challenge: toBytes(options.challenge),
    allowCredentials: allowCredentials.map(toDescriptor),
  } as PublicKeyCredentialRequestOptions;
  const credential = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential;
  const response = credential.response as AuthenticatorAssertionResponse;
  return toJson(credential, {
    clientDataJSON: toText(response.clientDataJSON),
    authenticatorData: toText(response.authenticatorData),
    signature: toText(response.signature),
    userHandle: response.userHandle === null ? null : toText(response.userHandle),
  });
}

function toJson({ id, rawId }: PublicKeyCredential, response: Record<string, unknown>): string {
  return JSON.stringify({ id, rawId: toText(rawId), response });
}

const toDescriptor = ({ id }: { id: string }) => ({ type: 'public-key' as const, id: toBytes(id) });

function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const base64 = text.replaceAll('-', '+').replaceAll('_', '/');
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function toText(bytes: ArrayBuffer): string {
  const base64 = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
