import type { Config } from '../../../config.ts';
import { identityScopes, serviceScopes } from '../../../lib/scopes.ts';
import type { GivenSettings, ProtectedApi } from './schemas.ts';
import { isLoopbackHost } from './assert-web-address.ts';
import { invalidField } from './invalid-field.ts';

const scopesOfObol = new Set<string>([...identityScopes, ...serviceScopes]);

/**
 * The APIs that a request names, each whole: one that is no more than its identifier has no scopes and no
 * clients. Throws `request.invalid` unless each is an absolute URI without fragment that can stand for an
 * API, none stands for this service itself, and no scope is one of this service. @see RFC 8707 §2
 */
export function resolveResources(
  config: Config,
  given: NonNullable<GivenSettings['resources']>,
): ProtectedApi[] {
  const own = [config.baseUrl, config.jwtAudience, config.jwtIssuer];
  const named = new Set<string>();
  return given.map((one, index) => {
    const { identifier, scopes = [], clients = [] } = typeof one === 'string' ? { identifier: one } : one;
    const path = `/body/resources/${index}`;
    if (!isIdentifier(identifier)) {
      throw invalidField(
        path,
        'must be an absolute URI with https or urn, without a fragment; http on localhost only',
      );
    }
    if (own.some((address) => isWithin(identifier, address)))
      throw invalidField(path, 'stands for this service itself');
    if (named.has(identifier)) throw invalidField(path, 'is named twice');
    named.add(identifier);
    const taken = scopes.findIndex((scope) => scopesOfObol.has(scope));
    if (taken >= 0) throw invalidField(`${path}/scopes/${taken}`, 'means something at this service itself');
    return { identifier, scopes: [...new Set(scopes)], clients: [...new Set(clients)] };
  });
}

function isIdentifier(text: string): boolean {
  if (!/^[\x21-\x7e]+$/.test(text) || /[#\\*]/.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (protocol === 'urn:') return /^urn:[a-z0-9-]{2,32}:[^:]/i.test(text);
  if (username !== '' || password !== '' || !/^https?:\/\/[^/]/i.test(text)) return false;
  return protocol === 'https:' || isLoopbackHost(hostname);
}

/** Whether an identifier is `own`, or lies on its origin. */
function isWithin(identifier: string, own: string): boolean {
  if (identifier === own) return true;
  const { origin } = new URL(identifier);
  return origin !== 'null' && URL.canParse(own) && new URL(own).origin === origin;
}
