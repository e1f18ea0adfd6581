import { readBytes, type RowDocument } from '../../db/documents.ts';
import type { Application, LiveSecret } from '../applications/index.ts';
import type { LiveSession } from '../auth/index.ts';
import type { User } from '../users/index.ts';
import type { browserStates } from './page-tables.ts';
import type { LiveAuthorization } from './stores/authorization.ts';

/**
 * What a request has read, so that it asks nothing twice. What can change under it is locked, or counts as it
 * was when the request came.
 */
export type Known = {
  client?: { application: Application; secrets: LiveSecret[] };
  user?: User;
  role?: { applicationId: string; userId: string; role: string | null };
  signIn?: {
    cookie: string;
    session: LiveSession | undefined;
    state: typeof browserStates.$inferSelect | undefined;
  };
  authorization?: LiveAuthorization;
  source?: { hash: Buffer; document: SourceDocument | null };
};

/** A code or a refresh token, with the authorization that it hangs on. */
export type SourceDocument = { authorization: RowDocument; row: RowDocument; isFollowed?: boolean };

/** What SQL says of an application and its secrets. */
export type ClientDocument = {
  application: RowDocument;
  secrets: { application_id: string; secret_id: string; secret_hash: string }[];
};

/** The secrets of a document, to compare one with. */
export function readKnownSecrets(document: ClientDocument): LiveSecret[] {
  return document.secrets.map((one) => ({ ...one, secret_hash: readBytes(one.secret_hash) }));
}
