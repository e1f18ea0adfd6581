import { sql, type SQL } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import { readDocument } from '../../db/documents.ts';
import type { LiveSecret } from '../applications/index.ts';
import { readSessionDocument } from '../auth/index.ts';
import { readBasicCredentials } from '../../lib/basic-credentials.ts';
import { readUserDocument } from '../users/index.ts';
import type { Exchange } from './exchange.ts';
import { readKnownSecrets, type Known, type SecretDocument } from './known.ts';
import { openRequest, readOpened, type Asked, type Opened, type OpenedDocument } from './open-requests.ts';
import { browserStates } from './page-tables.ts';
import { digestOf } from './stores/to-adapter.ts';

/** What a request asks before it begins, in one go. */
export type Opening = {
  clientId: string;
  /** Asks without locking anything, together with other requests. */
  open: (known: Known) => Promise<void>;
  /** The statement that asks the same in a transaction, having locked what may be spent. */
  statement: SQL;
  learn: (known: Known, document: unknown) => void;
};

/**
 * All that a token request asks for, in one go. Undefined for those that may have to wait for somebody's
 * server, which no transaction does, and for the rarer kinds.
 */
export function openingOfTokenRequest(
  ctx: Ctx,
  form: URLSearchParams,
  authorization: string | undefined,
): Opening | undefined {
  const kind = form.get('grant_type');
  const presented = kind === 'refresh_token' ? form.get('refresh_token') : form.get('code');
  const clientId = clientIdOf(form, authorization);
  const isCommon = kind === 'refresh_token' || kind === 'authorization_code';
  if (!isCommon || !presented || clientId === undefined || form.has('client_assertion')) return undefined;
  const hash = digestOf(presented);
  const asked: Asked = kind === 'refresh_token' ? { clientId, token: hash } : { clientId, code: hash };
  return toOpening(ctx, asked, (known, { source }) => {
    known.source = { hash, document: source ?? null };
  });
}

/** The same of an authorization request: its application, and who is signed in to the browser. */
export function openingOfAuthorizationRequest(
  ctx: Ctx,
  clientId: string,
  cookie: string | undefined,
): Opening {
  if (cookie === undefined) return toOpening(ctx, { clientId }, () => {});
  const asked = { clientId, cookie: digestOf(cookie) };
  return toOpening(ctx, asked, (known, { browser, authorization }, isLocked) => {
    const { session, user, state } = browser ?? {};
    if (user) known.user = readUserDocument(user);
    if (authorization) {
      const { applicationId, userId, role } = authorization as NonNullable<Known['role']>;
      known.role = { applicationId, userId, role };
    }
    if (authorization && !isLocked) known.offered = authorization;
    known.signIn = {
      cookie,
      session: session ? readSessionDocument(session) : undefined,
      usedAt: session ? new Date(String(session['last_used_at'])) : undefined,
      state: state ? readDocument(browserStates, state) : undefined,
    };
  });
}

function toOpening(
  ctx: Ctx,
  asked: Asked,
  learn: (known: Known, opened: Opened, isLocked: boolean) => void,
): Opening {
  const { clientId, cookie, code, token } = asked;
  const learnAll = (known: Known, opened: Opened, isLocked: boolean): void => {
    if (opened.client) known.client = opened.client;
    learn(known, opened, isLocked);
  };
  return {
    clientId,
    open: async (known) => learnAll(known, await openRequest(ctx, asked), false),
    statement: sql`select oauth.lock_source(${code ?? null}, ${token ?? null}); select oauth.open_requests(
      array[${clientId}]::text[], '{null}', ${listOf(cookie)}, array[${clientId}]::text[],
      ${listOf(code)}, ${listOf(token)}, ${ctx.clock.now()}) as document`,
    learn(known, document) {
      for (const opened of readOpened(document as OpenedDocument, [asked])) learnAll(known, opened, true);
    },
  };
}

function listOf(hash: Buffer | undefined): SQL {
  return hash ? sql`array[${hash}]::bytea[]` : sql`'{}'`;
}

/** The secrets that an application may show, in the transaction of the request at hand. */
export async function readSecretsOf(ctx: Ctx, exchange: Exchange, clientId: string): Promise<LiveSecret[]> {
  const { rows } = await exchange.run((tx) =>
    tx.execute<{ document: { secrets: SecretDocument[] } | null }>(
      sql`select oauth.read_client(${clientId}, ${ctx.clock.now()}) as document`,
    ),
  );
  const [row] = rows;
  return readKnownSecrets(row?.document?.secrets ?? []);
}

/** Who says that they ask. Whether they do is for the library to find out. @see RFC 6749 §2.3.1 */
function clientIdOf(form: URLSearchParams, authorization: string | undefined): string | undefined {
  if (!/^basic(\s|$)/i.test(authorization ?? '')) return form.get('client_id') ?? undefined;
  return readBasicCredentials(authorization)?.clientId;
}
