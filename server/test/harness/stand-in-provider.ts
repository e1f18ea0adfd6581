import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { afterAll } from 'vitest';

type Claims = Record<string, unknown>;
type SigningKey = { kid: string; privateKey: CryptoKey; publicJwk: Record<string, unknown> };

/**
 * An identity provider that says whatever a test wants it to say, right or wrong: discovery, keys and token
 * endpoint of an OIDC issuer, and the same with the API of GitHub. People are not shown anything there: a
 * test brings the answer to the callback itself.
 */
export type StandIn = {
  issuer: string;
  /** Claims of the next ID tokens, over what would be right for `clientId`. */
  claims: Claims;
  /** The nonce of the ID token for a code, where several are on their way at once. */
  nonces: Map<string, string>;
  /** Signs the next ID tokens instead of the published one. */
  idTokenKey: SigningKey | undefined;
  /** What `/userinfo` says; nothing is 404. */
  profile: Claims | undefined;
  /** What GitHub says of the person. */
  github: { user: Claims; emails: Claims[] };
  /** What arrived at the token endpoint, the oldest first. */
  tokenRequests: { form: URLSearchParams; headers: IncomingMessage['headers'] }[];
  /** How often which path was asked. */
  asked: Map<string, number>;
  /** Whether it answers every request with 500. */
  isDown: boolean;
  /** Signs with its current key, or another one. */
  sign(claims: Claims, options?: { header?: Claims; key?: SigningKey }): Promise<string>;
  /** A key that is not published. */
  newKey(): Promise<SigningKey>;
  /** Publishes another key in place of the one before. */
  rotate(): Promise<void>;
};

export async function startStandIn(clientId = 'obol-client'): Promise<StandIn> {
  let current = await newKey();
  const standIn: StandIn = {
    issuer: '',
    claims: {},
    nonces: new Map(),
    idTokenKey: undefined,
    profile: undefined,
    github: { user: {}, emails: [] },
    tokenRequests: [],
    asked: new Map(),
    isDown: false,
    sign: (claims, { header = {}, key = current } = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: key.kid, ...header }).sign(key.privateKey),
    newKey,
    async rotate() {
      current = await newKey();
    },
  };
  const server = createServer((request, response) => {
    void answer(standIn, clientId, () => current, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  standIn.issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return standIn;
}

async function newKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const kid = crypto.randomUUID();
  return { kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } };
}

async function answer(
  standIn: StandIn,
  clientId: string,
  key: () => SigningKey,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { issuer } = standIn;
  const path = new URL(request.url ?? '/', issuer).pathname;
  standIn.asked.set(path, (standIn.asked.get(path) ?? 0) + 1);
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const send = (body: unknown, status = 200) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (standIn.isDown) return void send({}, 500);
  switch (path) {
    case '/.well-known/openid-configuration':
      return void send(metadataOf(issuer));
    case '/jwks':
      return void send({ keys: [key().publicJwk] });
    case '/token':
    case '/login/oauth/access_token': {
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      standIn.tokenRequests.push({ form, headers: request.headers });
      const now = Math.floor(Date.now() / 1000);
      const right = { iss: issuer, aud: clientId, iat: now, exp: now + 300 };
      const nonce = standIn.nonces.get(form.get('code') ?? '');
      const claims = { ...right, ...standIn.claims, ...(nonce === undefined ? {} : { nonce }) };
      const idToken = await standIn.sign(claims, standIn.idTokenKey ? { key: standIn.idTokenKey } : {});
      const tokens = { access_token: 'an upstream token', token_type: 'bearer', expires_in: 300 };
      return void send(path === '/token' ? { ...tokens, id_token: idToken } : tokens);
    }
    case '/userinfo':
      return void send(standIn.profile ?? {}, standIn.profile ? 200 : 404);
    case '/api/v3/user':
      return void send(standIn.github.user);
    case '/api/v3/user/emails':
      return void send(standIn.github.emails);
    default:
      return void send({}, 404);
  }
}

function metadataOf(issuer: string): Claims {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    userinfo_endpoint: `${issuer}/userinfo`,
    end_session_endpoint: `${issuer}/end-session`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    authorization_response_iss_parameter_supported: true,
  };
}
