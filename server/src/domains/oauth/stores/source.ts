import { fromSeconds, toSeconds, type Payload } from './to-adapter.ts';

/** What codes, device codes and refresh tokens carry on, as the tables keep it. */
export type Source = {
  scope: string | null;
  resources: string[];
  claims: Record<string, unknown> | null;
  authorizationDetails: Record<string, unknown>[] | null;
  nonce: string | null;
  acr: string | null;
  amr: string[] | null;
  authenticatedAt: Date | null;
};

/** From the library's names to ours. */
export function toSource(payload: Payload): Source {
  const { resource, authTime } = payload as { resource?: string | string[]; authTime?: number };
  return {
    scope: payload.scope ?? null,
    resources: resource === undefined ? [] : [resource].flat(),
    claims: (payload.claims as Record<string, unknown> | undefined) ?? null,
    authorizationDetails: (payload.rar as Record<string, unknown>[] | undefined) ?? null,
    nonce: payload.nonce ?? null,
    acr: payload.acr ?? null,
    amr: payload.amr ?? null,
    authenticatedAt: authTime === undefined ? null : fromSeconds(authTime),
  };
}

/** From our names to the library's; what is not there is left out. */
export function fromSource(source: Source): Payload {
  const { resources, authenticatedAt } = source;
  return withoutNulls({
    scope: source.scope,
    resource: resources.length > 1 ? resources : resources[0],
    claims: source.claims,
    rar: source.authorizationDetails,
    nonce: source.nonce,
    acr: source.acr,
    amr: source.amr,
    authTime: authenticatedAt === null ? null : toSeconds(authenticatedAt),
  });
}

/** The library takes absence for absence, and null for a value. */
export function withoutNulls(values: Record<string, unknown>): Payload {
  const present: Payload = {};
  for (const [name, value] of Object.entries(values))
    if (value !== null && value !== undefined) present[name] = value;
  return present;
}
