import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRemoteJWKSet, jwtVerify, type JWTPayload } from 'jose';

export type GateOptions = {
  /** The address of Obol. */
  issuer: string;
  /** The identifier of the API, as it is registered under `resources` of an application. */
  resource: string;
  /** What clients may ask for. */
  scopes: string[];
};

/** Who asks, once their token has been found right. */
export type Caller = {
  userId: string;
  clientId: string;
  scopes: string[];
  token: string;
  claims: JWTPayload;
};

/** A request that is not let through: what to answer with. */
export class NotLetThrough extends Error {
  readonly status: number;
  readonly challenge: string;

  constructor(status: number, challenge: string) {
    super(challenge);
    this.status = status;
    this.challenge = challenge;
  }
}

export type Gate = {
  /** Answers the request when it is for the metadata of the API. @see RFC 9728 §3 */
  answersMetadata(request: IncomingMessage, response: ServerResponse): boolean;
  /** Whose token the request brings. Throws `NotLetThrough`. @see RFC 9068 §4 */
  admit(request: IncomingMessage, scope: string): Promise<Caller>;
};

/**
 * Lets those through who bring an access token of Obol for this API. The keys are read from Obol once, kept,
 * and read again when a token names a new one, so a rotation goes unnoticed.
 */
export function createGate({ issuer, resource, scopes }: GateOptions): Gate {
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', issuer));
  const { origin, pathname } = new URL(resource);
  const metadataPath = `/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}`;
  const metadata = {
    resource,
    authorization_servers: [issuer],
    scopes_supported: scopes,
    bearer_methods_supported: ['header'],
  };
  const challenge = (parts: Record<string, string>) =>
    `Bearer ${Object.entries({ ...parts, resource_metadata: `${origin}${metadataPath}` })
      .map(([name, value]) => `${name}="${value}"`)
      .join(', ')}`;
  const options = { issuer, audience: resource, typ: 'at+jwt', algorithms: ['RS256'] };
  return {
    answersMetadata(request, response) {
      if (request.url !== metadataPath) return false;
      response.writeHead(200, { 'content-type': 'application/json', 'access-control-allow-origin': '*' });
      response.end(JSON.stringify(metadata));
      return true;
    },
    async admit(request, scope) {
      const token = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
      if (token === undefined) throw new NotLetThrough(401, challenge({ scope }));
      const claims = await jwtVerify(token, keys, options).then(
        ({ payload }) => payload,
        () => undefined,
      );
      // A token that is bound to a key needs a proof, which this small gate does not check.
      if (!claims || 'cnf' in claims) throw new NotLetThrough(401, challenge({ error: 'invalid_token' }));
      const granted = typeof claims['scope'] === 'string' ? claims['scope'].split(' ') : [];
      if (!granted.includes(scope))
        throw new NotLetThrough(403, challenge({ error: 'insufficient_scope', scope }));
      const { sub: userId = '', client_id: clientId } = claims;
      return { userId, clientId: String(clientId), scopes: granted, token, claims };
    },
  };
}
