import { AppError } from '../../errors.ts';
import type { ApplicationObject } from './schemas.ts';

const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]']);
/** What a scheme of an app's own looks like: a domain name turned round. @see RFC 8252 §7.1 */
const privateScheme = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/;

type Given = { redirectUri?: string; redirectUris?: string[] };

/**
 * The redirect addresses of a request, each once, or undefined when it names none. They are absolute and have
 * no fragment; https, or http on the person's own machine, or for installed apps a scheme of their own.
 * Throws `request.invalid`.
 * @see RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1
 */
export function checkRedirectUris(
  { redirectUri, redirectUris }: Given,
  type: ApplicationObject['type'],
): string[] | undefined {
  if (redirectUri === undefined && redirectUris === undefined) return undefined;
  if (redirectUri !== undefined) assertAllowed(redirectUri, type, '/body/redirectUri');
  redirectUris?.forEach((uri, index) => assertAllowed(uri, type, `/body/redirectUris/${index}`));
  return [...new Set([...(redirectUri === undefined ? [] : [redirectUri]), ...(redirectUris ?? [])])];
}

function assertAllowed(uri: string, type: ApplicationObject['type'], path: string): void {
  if (isAllowed(uri, type)) return;
  const message = 'must be an absolute address with https, without a fragment; http on localhost only';
  throw new AppError('request.invalid', { errors: [{ path, message }] });
}

/** Compared as text when people return, so it must be plain text that a browser does not rewrite. */
function isAllowed(uri: string, type: ApplicationObject['type']): boolean {
  if (!/^[\x21-\x7e]+$/.test(uri) || uri.includes('#') || uri.includes('\\') || !URL.canParse(uri))
    return false;
  const { protocol, hostname, username, password } = new URL(uri);
  if (username !== '' || password !== '') return false;
  if (protocol === 'https:') return true;
  if (protocol === 'http:') return loopbackHosts.has(hostname);
  return type === 'native' && privateScheme.test(protocol);
}
