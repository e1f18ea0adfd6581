import { invalidField } from './invalid-field.ts';

const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether a host, as `URL` gives it, is the machine itself. */
export function isLoopbackHost(hostname: string): boolean {
  return loopbackHosts.has(hostname);
}

/**
 * Throws `request.invalid` unless there is no address, or it is an absolute one with https, without
 * fragment and credentials; where one develops, http on the machine itself will do too.
 */
export function assertWebAddress(
  address: string | null,
  path: string,
  { mayBeLocal }: { mayBeLocal: boolean },
): void {
  if (address === null || isWebAddress(address, mayBeLocal)) return;
  const where = mayBeLocal ? '; http on localhost only' : '';
  throw invalidField(path, `must be an absolute address with https, without fragment or credentials${where}`);
}

function isWebAddress(address: string, mayBeLocal: boolean): boolean {
  if (!/^https?:\/\/[\x21-\x7e]+$/i.test(address) || /[#\\]/.test(address) || !URL.canParse(address))
    return false;
  const { protocol, hostname, username, password } = new URL(address);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (mayBeLocal && isLoopbackHost(hostname));
}
