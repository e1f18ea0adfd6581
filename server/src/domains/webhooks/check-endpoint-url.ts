import { isIP } from 'node:net';
import type { Config } from '../../config.ts';
import { AppError } from '../../errors.ts';
import { allowsLoopback } from './delivery/allows-loopback.ts';
import { isDeliverable } from '../../lib/is-deliverable.ts';

/**
 * Throws `request.invalid` unless the address is one that events can be sent to: https without credentials or
 * fragment, and no address of a private network. What a name leads to is checked at every delivery.
 */
export function checkEndpointUrl(config: Config, url: string): void {
  const problem = problemOf(url, allowsLoopback(config));
  if (problem) throw new AppError('request.invalid', { errors: [{ path: '/body/url', message: problem }] });
}

function problemOf(text: string, mayBeLoopback: boolean): string | undefined {
  if (!URL.canParse(text)) return 'must be an absolute address';
  const { protocol, hostname, username, password, hash } = new URL(text);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (username + password !== '') return 'must not hold credentials; events are signed';
  if (hash !== '') return 'must not have a fragment';
  if (isIP(host) !== 0 && !isDeliverable(host, mayBeLoopback)) return 'must be on the public internet';
  if (protocol === 'https:') return undefined;
  const isLoopback = host === 'localhost' || host === '::1' || isLoopbackV4(host);
  return protocol === 'http:' && mayBeLoopback && isLoopback ? undefined : 'must begin with https://';
}

function isLoopbackV4(host: string): boolean {
  return isIP(host) === 4 && host.startsWith('127.');
}
