import type { Application } from '../to-application-object.ts';
import { invalidField } from './invalid-field.ts';
import { isLoopbackHost } from './assert-web-address.ts';

/** What a scheme of an app's own looks like: a domain name turned round. @see RFC 8252 §7.1 */
const privateScheme = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/;

/**
 * Throws `request.invalid` unless people may be sent to this address: absolute, without fragment, wildcard or
 * credentials; https, or http on the person's own machine, or for installed apps a scheme of their own.
 * @see RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1
 */
export function assertReturnAddress(uri: string, type: Application['type'], path: string): void {
  if (isAllowed(uri, type)) return;
  const schemes = type === 'native' ? 'https or a scheme like com.example.app' : 'https';
  throw invalidField(
    path,
    `must be an absolute address with ${schemes}, without fragment, wildcard or credentials; http on localhost only`,
  );
}

/** Compared as text when people return, so it must be plain text that a browser does not rewrite. */
function isAllowed(uri: string, type: Application['type']): boolean {
  if (!/^[\x21-\x7e]+$/.test(uri) || /[#\\*]/.test(uri) || !URL.canParse(uri)) return false;
  const { protocol, hostname, username, password } = new URL(uri);
  if (username !== '' || password !== '') return false;
  if (protocol === 'https:') return /^https:\/\/[^/]/i.test(uri);
  if (protocol === 'http:') return /^http:\/\/[^/]/i.test(uri) && isLoopbackHost(hostname);
  return type === 'native' && privateScheme.test(protocol);
}
