import type { Config } from '../../../config.ts';

/**
 * Whether an identifier names the API of this service: the issuer, with or without its slash, or an address
 * at or below `/api`. A client may have begun at any of them. @see RFC 8707 §2, RFC 9728 §3.1
 */
export function isOwnResource({ baseUrl }: Config, resource: string): boolean {
  if (resource === baseUrl || resource === `${baseUrl}/`) return true;
  return resource.startsWith(`${baseUrl}/`) && isApiPath(resource.slice(baseUrl.length));
}

/** Whether a path is one of the API, written plainly. */
export function isApiPath(path: string): boolean {
  return /^\/api(\/[\w.~-]+)*\/?$/.test(path) && !path.split('/').some((part) => /^\.+$/.test(part));
}
