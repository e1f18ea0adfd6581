import type { Config } from '../../../config.ts';

/** Which domain passkeys belong to, and from which pages they may be used. @see WebAuthn Level 3 §13.4.9 */
export type RelyingParty = { id: string; name: string; origins: string[] };

/** Ours: the pages of this service, and those of CORS_ORIGINS that are within the domain. */
export function relyingPartyOf(config: Config): RelyingParty {
  const id = config.passkeyDomain || new URL(config.baseUrl).hostname;
  const ours = [config.baseUrl, config.appUrl, ...(config.frontendUrl ? [config.frontendUrl] : [])];
  const origins = new Set([...ours.map((url) => new URL(url).origin), ...config.corsOrigins]);
  return { id, name: 'Obol', origins: [...origins].filter((origin) => isWithin(id, origin)) };
}

function isWithin(id: string, origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { hostname } = new URL(origin);
  return hostname === id || hostname.endsWith(`.${id}`);
}
