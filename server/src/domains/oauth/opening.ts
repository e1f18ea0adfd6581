import { sql, type SQL } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import { readDocument, type RowDocument } from '../../db/documents.ts';
import { readApplicationDocument, type LiveSecret } from '../applications/index.ts';
import { readSessionDocument } from '../auth/index.ts';
import { readBasicCredentials } from '../../lib/basic-credentials.ts';
import { readUserDocument } from '../users/index.ts';
import type { Exchange } from './exchange.ts';
import { readKnownSecrets, type ClientDocument, type Known, type SourceDocument } from './known.ts';
import { browserStates } from './page-tables.ts';
import { digestOf } from './stores/to-adapter.ts';

/** The statement that a request begins with, whose one column is `document`, and what it tells. */
export type Opening = {
  clientId: string;
  statement: SQL;
  learn: (known: Known, document: unknown) => void;
};

type TokenDocument = { client: ClientDocument | null; source: SourceDocument | null };
type AuthorizationDocument = {
  client: ClientDocument | null;
  session: RowDocument | null;
  user: RowDocument | null;
  state: RowDocument | null;
  role: string | null;
};

/**
 * All that a token request asks for, in one statement, locked. Undefined for those that may have to wait for
 * somebody's server, which no transaction does, and for the rarer kinds.
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
  const [code, token] = kind === 'refresh_token' ? [null, hash] : [hash, null];
  return {
    clientId,
    statement: sql`select oauth.open_token_request(${clientId}, ${code}, ${token}, ${ctx.clock.now()}) as document`,
    learn(known, document) {
      const { client, source } = document as TokenDocument;
      learnClient(known, client);
      known.source = { hash, document: source };
    },
  };
}

/** The same of an authorization request: its application, and who is signed in to the browser. */
export function openingOfAuthorizationRequest(
  ctx: Ctx,
  clientId: string,
  cookie: string | undefined,
): Opening {
  const hash = cookie === undefined ? null : digestOf(cookie);
  return {
    clientId,
    statement: sql`select oauth.open_authorization_request(${clientId}, ${hash}, ${ctx.clock.now()}) as document`,
    learn(known, document) {
      const { client, session, user, state, role } = document as AuthorizationDocument;
      learnClient(known, client);
      if (user) known.user = readUserDocument(user);
      const applicationId = known.client?.application.id;
      if (known.user && applicationId !== undefined)
        known.role = { applicationId, userId: known.user.id, role };
      if (cookie === undefined) return;
      known.signIn = {
        cookie,
        session: session ? readSessionDocument(session) : undefined,
        state: state ? readDocument(browserStates, state) : undefined,
      };
    },
  };
}

/** The secrets that an application may show, in the transaction of the request at hand. */
export async function readSecretsOf(ctx: Ctx, exchange: Exchange, clientId: string): Promise<LiveSecret[]> {
  const { known } = exchange;
  if (known.client?.application.clientId === clientId) return known.client.secrets;
  const { rows } = await exchange.run((tx) =>
    tx.execute<{ document: ClientDocument | null }>(
      sql`select oauth.read_client(${clientId}, ${ctx.clock.now()}) as document`,
    ),
  );
  const [row] = rows;
  return row?.document ? readKnownSecrets(row.document) : [];
}

function learnClient(known: Known, document: ClientDocument | null): void {
  if (!document) return;
  const application = readApplicationDocument(document.application);
  known.client = { application, secrets: readKnownSecrets(document) };
}

/** Who says that they ask. Whether they do is for the library to find out. @see RFC 6749 §2.3.1 */
function clientIdOf(form: URLSearchParams, authorization: string | undefined): string | undefined {
  if (!/^basic(\s|$)/i.test(authorization ?? '')) return form.get('client_id') ?? undefined;
  return readBasicCredentials(authorization)?.clientId;
}
