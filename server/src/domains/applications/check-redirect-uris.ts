import type { ApplicationObject } from './schemas.ts';
import { assertReturnAddress } from './settings/assert-return-address.ts';

type Given = { redirectUri?: string; redirectUris?: string[] };

/**
 * The redirect addresses of a request, each once, or undefined when it names none. Throws
 * `request.invalid`; see `assertReturnAddress`.
 */
export function checkRedirectUris(
  { redirectUri, redirectUris }: Given,
  type: ApplicationObject['type'],
): string[] | undefined {
  if (redirectUri === undefined && redirectUris === undefined) return undefined;
  if (redirectUri !== undefined) assertReturnAddress(redirectUri, type, '/body/redirectUri');
  redirectUris?.forEach((uri, index) => assertReturnAddress(uri, type, `/body/redirectUris/${index}`));
  return [...new Set([...(redirectUri === undefined ? [] : [redirectUri]), ...(redirectUris ?? [])])];
}
