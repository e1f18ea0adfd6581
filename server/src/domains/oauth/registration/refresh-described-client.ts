import type { Ctx } from '../../../ctx.ts';
import type { Resolve } from '../../../lib/find-addresses.ts';
import { createBoundedMap } from '../../../lib/bounded-map.ts';
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
 * most once an hour, and after a failure not for a minute; meanwhile what was read before holds. Whoever
 * comes while it is being read waits for that. One that nobody has asked for before counts as a registration.
 * No transaction waits for it. Throws `request.rate_limited`.
 * @see OAuth Client ID Metadata Document §3, §4, §6
 */
export function createRefreshDescribedClient(
  ctx: Ctx,
  { resolve, countRegistration }: RefreshOptions,
): RefreshDescribedClient {
  const failures = createFailures(ctx);
  const underWay = new Map<string, Promise<void>>();
  const read = async (clientId: string, origin: RequestOrigin) => {
    // Another one may have ended since this was found to be due.
    if (failures.isRecent(clientId) || isFresh(ctx, await findKnown(ctx, clientId))) return;
    try {
      await readDocument(ctx, clientId, origin, resolve);
      failures.forget(clientId);
    } catch (error) {
      ctx.log.info({ err: error, clientId }, 'the document of an application could not be read');
      failures.note(clientId);
    }
  };
  return async (clientId, from) => {
    if (!ctx.config.oauthClientDocuments || !isDocumentAddress(clientId, allowsLoopback(ctx))) return;
    if (failures.isRecent(clientId)) return;
    if (!underWay.has(clientId)) {
      const known = await findKnown(ctx, clientId);
      if (isFresh(ctx, known)) return;
      const origin = from ?? currentExchange()?.origin ?? { ipAddress: '', userAgent: null };
      if (!known) await countRegistration(origin.ipAddress);
      if (!underWay.has(clientId)) {
        const reading = read(clientId, origin).finally(() => underWay.delete(clientId));
        underWay.set(clientId, reading);
      }
    }
    await underWay.get(clientId);
  };
}

type Known = Awaited<ReturnType<typeof findClient>>;

function findKnown(ctx: Ctx, clientId: string): Promise<Known> {
  return ctx.db.asService((tx) => findClient(tx, clientId));
}

function isFresh({ clock }: Ctx, known: Known): boolean {
  return known !== undefined && clock.now().getTime() - known.updatedAt.getTime() < freshMs;
}

/** Which documents could not be read lately; of so many, the oldest is forgotten. */
function createFailures({ clock }: Ctx) {
  const failedAt = createBoundedMap<number>(rememberedMax);
  return {
    isRecent: (clientId: string): boolean =>
      clock.now().getTime() - (failedAt.get(clientId) ?? -failedMs) < failedMs,
    forget: (clientId: string): boolean => failedAt.delete(clientId),
    note: (clientId: string): void => failedAt.set(clientId, clock.now().getTime()),
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
