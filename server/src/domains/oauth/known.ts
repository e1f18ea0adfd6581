import { readBytes, type RowDocument } from '../../db/documents.ts';
import type { Application, LiveSecret } from '../applications/index.ts';
import type { LiveSession } from '../auth/index.ts';
import type { User } from '../users/index.ts';
import type { browserStates } from './page-tables.ts';
import type { LiveAuthorization } from './stores/authorization.ts';

/**
 * What a request has read, so that it asks nothing twice. What can change under it is locked, looked at again
 * when the request ends (`finish-request.ts`), or counts as it was when the request came.
 */
export type Known = {
  client?: { application: Application; secrets: LiveSecret[] };
  user?: User;
  role?: { applicationId: string; userId: string; role: string | null };
  signIn?: {
    cookie: string;
    session: LiveSession | undefined;
    /** When the session was used before. */
    usedAt: Date | undefined;
    state: typeof browserStates.$inferSelect | undefined;
  };
  authorization?: LiveAuthorization;
  /** The authorization of the application that asks in the session that asks, which is not locked. */
  offered?: RowDocument;
  source?: { hash: Buffer; document: SourceDocument | null };
};

/** A code or a refresh token, with the authorization that it hangs on. */
export type SourceDocument = { authorization: RowDocument; row: RowDocument; isFollowed?: boolean };

/** What SQL says of a secret of an application. */
export type SecretDocument = { application_id: string; secret_id: string; secret_hash: string };

/** Secrets, to compare one with. */
export function readKnownSecrets(secrets: SecretDocument[]): LiveSecret[] {
  return secrets.map((one) => ({ ...one, secret_hash: readBytes(one.secret_hash) }));
}
