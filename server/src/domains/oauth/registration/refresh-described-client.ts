import type { Ctx } from '../../../ctx.ts';
import type { Resolve } from '../../../lib/find-addresses.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { findClient, registerClient } from '../../applications/index.ts';
import { currentExchange } from '../exchange.ts';
import { fetchSafely } from '../fetch-safely.ts';
import { readClientMetadata, type ClientMetadata } from './read-client-metadata.ts';

const freshMs = 3_600_000;
const failedMs = 60_000;
const rememberedMax = 1_000;
const methods = new Set(['none', 'private_key_jwt']);

/**
 * Brings what we know of an application up to date, if its client id is the address of a document. `from`:
 * who asks, where that is not known from the request at hand.
 */
export type RefreshDescribedClient = (clientId: string, from?: RequestOrigin) => Promise<void>;

export type RefreshOptions = {
  resolve?: Resolve | undefined;
  /** Counts that an address brings an application along. Throws `request.rate_limited`. */
  countRegistration: (ipAddress: string) => Promise<void>;
};

/**
 * For applications whose client id is the address of the document that describes them. It is asked for at
 * most once an hour, and after a failure not for a minute; meanwhile what was read before holds. One that
 * nobody has asked for before counts as a registration. No transaction waits for it. Throws
 * `request.rate_limited`.
 * @see OAuth Client ID Metadata Document §3, §4, §6
 */
export function createRefreshDescribedClient(
  ctx: Ctx,
  { resolve, countRegistration }: RefreshOptions,
): RefreshDescribedClient {
  const failedAt = new Map<string, number>();
  return async (clientId, from) => {
    if (!ctx.config.oauthClientDocuments || !isDocumentAddress(clientId, allowsLoopback(ctx))) return;
    const now = ctx.clock.now().getTime();
    if (now - (failedAt.get(clientId) ?? -failedMs) < failedMs) return;
    const known = await ctx.db.asService((tx) => findClient(tx, clientId));
    if (known && now - known.updatedAt.getTime() < freshMs) return;
    const origin = from ?? currentExchange()?.origin ?? { ipAddress: '', userAgent: null };
    if (!known) await countRegistration(origin.ipAddress);
    try {
      await readDocument(ctx, clientId, origin, resolve);
      failedAt.delete(clientId);
    } catch (error) {
      ctx.log.info({ err: error, clientId }, 'the document of an application could not be read');
      if (failedAt.size >= rememberedMax) failedAt.clear();
      failedAt.set(clientId, now);
    }
  };
}

/** Where one develops, and never in production. */
function allowsLoopback({ config }: Ctx): boolean {
  return config.webhookAllowLoopback && !config.isProduction;
}

/** With a path, and nothing in it that could be read in two ways. */
function isDocumentAddress(clientId: string, mayBeLoopback: boolean): boolean {
  const url = URL.parse(clientId);
  return (
    url !== null &&
    (url.protocol === 'https:' || (mayBeLoopback && url.protocol === 'http:')) &&
    url.href === clientId &&
    url.pathname !== '/' &&
    [url.username, url.password, url.hash, url.search].every((part) => part === '')
  );
}

async function readDocument(
  ctx: Ctx,
  clientId: string,
  origin: RequestOrigin,
  resolve: Resolve | undefined,
): Promise<void> {
  const headers = { accept: 'application/json' };
  const response = await fetchSafely(clientId, { headers }, { mayBeLoopback: allowsLoopback(ctx), resolve });
  if (response.status !== 200) throw new Error(`it answered ${response.status}`);
  if (!/^application\/([\w.+-]+\+)?json\b/.test(response.headers.get('content-type') ?? ''))
    throw new Error('it is not JSON');
  const metadata = (await response.json()) as ClientMetadata;
  assertDocument(clientId, metadata);
  const described = { ...readClientMetadata(metadata), clientId };
  await ctx.db.asService((tx) => registerClient(ctx, tx, described, origin));
}

/** It speaks for this very address, and holds no secret that anybody could read there. */
function assertDocument(clientId: string, metadata: ClientMetadata): void {
  if (metadata['client_id'] !== clientId) throw new Error('its client_id is another one');
  if (metadata['client_secret'] !== undefined || metadata['client_secret_expires_at'] !== undefined)
    throw new Error('it holds a secret');
  const method = metadata['token_endpoint_auth_method'] ?? 'none';
  if (typeof method !== 'string' || !methods.has(method)) throw new Error('it needs a shared secret');
  metadata['token_endpoint_auth_method'] = method;
}
