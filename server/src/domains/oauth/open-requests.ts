import type { Ctx } from '../../ctx.ts';
import { writeBytes, type RowDocument } from '../../db/documents.ts';
import { createGatherer, type Gatherer } from '../../db/index.ts';
import { createBoundedMap, type BoundedMap } from '../../lib/bounded-map.ts';
import { readApplicationDocument, type Application } from '../applications/index.ts';
import { readKnownSecrets, type Known, type SecretDocument, type SourceDocument } from './known.ts';

/** What one request asks: its application, and by what it comes. */
export type Asked = { clientId: string; cookie?: Buffer; code?: Buffer; token?: Buffer };

/** What it is told; absent is what there is not. */
export type Opened = {
  client: Known['client'];
  browser: BrowserDocument | undefined;
  /** The authorization of the application in the session of the browser, if it lives. */
  authorization: RowDocument | undefined;
  source: SourceDocument | undefined;
};

/** What SQL answers to several at once, see oauth.open_requests. */
export type OpenedDocument = {
  clients: ClientDocument[] | null;
  browsers: BrowserDocument[] | null;
  codes: RowDocument[] | null;
  tokens: { row: RowDocument; isFollowed: boolean }[] | null;
  authorizations: RowDocument[] | null;
  mandates: { authorizationId: string; view: Record<string, unknown> }[] | null;
};

/** An application and its secrets; of the version that was known, no more than that. */
type ClientDocument = {
  clientId: string;
  version: string;
  application: RowDocument | null;
  secrets: SecretDocument[];
};

type BrowserDocument = {
  cookieHash: string;
  clientId: string;
  authorizationId: string | null;
  session: RowDocument | null;
  user: RowDocument | null;
  state: RowDocument | null;
};

/** Applications by their client id, as they were read last. */
type Remembered = BoundedMap<{ version: string; application: Application }>;

/** Bounds the memory, whoever asks; the oldest is forgotten first. */
const rememberedMax = 1000;

/** So many requests go together at most. */
const batchMax = 100;
const gatherers = new WeakMap<Ctx, Gatherer<Asked, Opened>>();

/**
 * Asks for what a request needs, together with the others that ask at this moment. Applications that were
 * read before are asked for their version only, so a change counts with the next request.
 */
export function openRequest(ctx: Ctx, asked: Asked): Promise<Opened> {
  const known = gatherers.get(ctx);
  if (known) return known.ask(asked);
  const remembered: Remembered = createBoundedMap(rememberedMax);
  const gatherer = createGatherer((requests: Asked[]) => openTogether(ctx, remembered, requests), {
    batchMax,
  });
  gatherers.set(ctx, gatherer);
  return gatherer.ask(asked);
}

async function openTogether(ctx: Ctx, remembered: Remembered, requests: Asked[]): Promise<Opened[]> {
  const clientIds = [...new Set(requests.map(({ clientId }) => clientId))];
  const sent: Remembered = new Map();
  for (const clientId of clientIds) {
    const one = remembered.get(clientId);
    if (one) sent.set(clientId, one);
  }
  const browsing = requests.filter(({ cookie }) => cookie !== undefined);
  const [row] = await ctx.db.call<{ document: OpenedDocument }>(
    'select oauth.open_requests($1, $2, $3, $4, $5, $6, $7) as document',
    [
      clientIds,
      clientIds.map((clientId) => sent.get(clientId)?.version ?? null),
      browsing.map(({ cookie }) => cookie),
      browsing.map(({ clientId }) => clientId),
      requests.flatMap(({ code }) => code ?? []),
      requests.flatMap(({ token }) => token ?? []),
      ctx.clock.now(),
    ],
  );
  if (!row) throw new Error('oauth.open_requests answered nothing');
  return readOpened(row.document, requests, sent, remembered);
}

/** The answer to each of these requests; `sent` are the applications whose versions were sent along. */
export function readOpened(
  document: OpenedDocument,
  requests: Asked[],
  sent: Remembered = new Map(),
  remembered: Remembered = new Map(),
): Opened[] {
  const clients = new Map(document.clients?.map((one) => [one.clientId, readClient(one, sent, remembered)]));
  const browsers = new Map(document.browsers?.map((one) => [`${one.cookieHash} ${one.clientId}`, one]));
  const mandatesOf = (id: unknown) =>
    document.mandates?.filter((one) => one.authorizationId === id).map(({ view }) => view) ?? [];
  const authorizations = new Map(
    document.authorizations?.map((one) => [one['id'], { ...one, mandates: mandatesOf(one['id']) }]),
  );
  const sources = new Map<unknown, SourceDocument>();
  const addSource = (hash: unknown, row: RowDocument, isFollowed: boolean): void => {
    const authorization = authorizations.get(row['authorization_id']);
    if (authorization) sources.set(hash, { authorization, row, isFollowed });
  };
  for (const row of document.codes ?? []) addSource(row['code_hash'], row, false);
  for (const { row, isFollowed } of document.tokens ?? []) addSource(row['token_hash'], row, isFollowed);
  return requests.map(({ clientId, cookie, code, token }) => {
    const browser = cookie && browsers.get(`${writeBytes(cookie)} ${clientId}`);
    const hash = code ?? token;
    return {
      client: clients.get(clientId),
      browser,
      authorization: browser && authorizations.get(browser.authorizationId),
      source: hash && sources.get(writeBytes(hash)),
    };
  });
}

function readClient(
  { clientId, version, application: document, secrets }: ClientDocument,
  sent: Remembered,
  remembered: Remembered,
): Known['client'] {
  if (!document) {
    const known = sent.get(clientId);
    if (known?.version !== version) throw new Error('an application was answered that nobody knows');
    return { application: known.application, secrets: readKnownSecrets(secrets) };
  }
  const application = readApplicationDocument(document);
  remembered.set(clientId, { version, application });
  return { application, secrets: readKnownSecrets(secrets) };
}
