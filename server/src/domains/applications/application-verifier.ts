import { createHash, timingSafeEqual } from 'node:crypto';
import type { Ctx } from '../../ctx.ts';
import type { ApplicationCaller } from '../../db/index.ts';
import { createBoundedMap } from '../../lib/bounded-map.ts';
import { hashOpaqueToken } from '../../lib/secrets.ts';

/** An application that asks with its own credentials; `clientId` is its `appId` in the ledger. */
export type AuthenticatedApplication = ApplicationCaller & { clientId: string };

export type ApplicationCredentials = { clientId: string; clientSecret: string };

export type ApplicationVerifier = {
  /** The application that these credentials have been verified for, without asking the database. */
  recall(credentials: ApplicationCredentials): AuthenticatedApplication | undefined;
  /**
   * The application that these credentials belong to, or undefined; one statement, the same work whether or
   * not the application exists.
   */
  verify(credentials: ApplicationCredentials): Promise<AuthenticatedApplication | undefined>;
};

/** Bounds the memory, whoever asks; the oldest is forgotten first. */
const rememberedMax = 10_000;
/** What is compared when there is no secret, so that unknown and known applications cost the same. */
const noHash = Buffer.alloc(32);

/** A secret that an application may show at this moment, as its digest. */
export type LiveSecret = { application_id: string; secret_id: string; secret_hash: Buffer };

/**
 * Verifies client credentials and remembers those that passed, a bounded number of them. Whether the secret
 * is still valid is not asked here but by the SQL that does the work (`apps.assert_application`), as it asks
 * whether a session lives: rotation and deletion count at once in every process.
 */
export function createApplicationVerifier({ db, clock }: Pick<Ctx, 'db' | 'clock'>): ApplicationVerifier {
  const remembered = createBoundedMap<AuthenticatedApplication>(rememberedMax);
  return {
    recall: (credentials) => remembered.get(digestOf(credentials)),
    async verify(credentials) {
      const { clientId, clientSecret } = credentials;
      const rows = await db.call<LiveSecret>('select * from apps.find_secrets($1, $2)', [
        clientId,
        clock.now(),
      ]);
      const found = findSecret(rows, clientSecret);
      if (!found) return undefined;
      const application = { applicationId: found.application_id, secretId: found.secret_id, clientId };
      remembered.set(digestOf(credentials), application);
      return application;
    },
  };
}

/** The one of `secrets` that was presented, if it is any; costs the same whether or not there are some. */
export function findSecret(secrets: LiveSecret[], presented: string): LiveSecret | undefined {
  const given = hashOpaqueToken(presented);
  let found: LiveSecret | undefined;
  if (secrets.length === 0) timingSafeEqual(noHash, given);
  for (const secret of secrets) if (timingSafeEqual(secret.secret_hash, given)) found = secret;
  return found;
}

/** No secret is kept in memory, only what it hashes to. */
function digestOf({ clientId, clientSecret }: ApplicationCredentials): string {
  return createHash('sha256').update(`${clientId}\0${clientSecret}`).digest('base64');
}
