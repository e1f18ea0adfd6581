import type { Ctx } from '../../ctx.ts';
import { createGatherer } from '../../db/index.ts';
import { createBoundedMap } from '../../lib/bounded-map.ts';
import { createKeyUses } from './key-uses.ts';
import type { Budget } from './schemas.ts';

/** What a key stands for, all of it fixed when the key is made. */
export type KeyHolder = {
  keyId: string;
  /** The secret of the key that was presented; asked about where sessions and client secrets are. */
  secretId: string;
  scopes: string[];
  /** Uses in a minute; null for no limit of its own. */
  rateLimit: number | null;
  /** Whether a mandate limits what it may spend. */
  isBudgeted: boolean;
} & (
  | { userId: string; applicationId: null; clientId: null }
  | { userId: null; applicationId: string; clientId: string }
);

/** What the database says of a presented key; where `code` is null, the key counts. */
export type KeyVerdict = { callerLives: boolean; code: string | null } & Partial<KnownKey>;

type KnownKey = {
  keyId: string;
  secretId: string;
  userId: string | null;
  applicationId: string | null;
  clientId: string | null;
  name: string;
  scopes: string[];
  rateLimit: number | null;
  expiresAt: string | null;
  budget: Budget | null;
};

/**
 * A key by its digest; `callerId` is the secret of the application that asks about it, null for its holder.
 */
export type KeyQuestion = { digest: Buffer; callerId: string | null };

export type ApiKeyVerifier = {
  /** What a key that has been seen stands for, without asking the database whether it still counts. */
  recall(digest: Buffer): KeyHolder | undefined;
  /** Asks the database what a key is; keys asked about at once are one call. Writes nothing. */
  verify(question: KeyQuestion): Promise<KeyVerdict>;
  /** Remembers what a key stands for that the database has said counts. */
  remember(digest: Buffer, verdict: KeyVerdict): KeyHolder;
  /** Notes that a key was used; written down now and then, for many keys together. */
  noteUse(keyId: string): void;
  /** Answers what has been asked, and writes down what is left to be. */
  close(): Promise<void>;
};

/** Bounds the memory, whoever asks; the oldest is forgotten first. */
const rememberedMax = 10_000;

/**
 * Finds out what API keys stand for. That never changes, so it is remembered by the digest; whether a key
 * still counts is asked by the SQL that does the work, as it asks whether a session lives: revocation, expiry
 * and deactivation of the owner count at once in every process.
 */
export function createApiKeyVerifier({ db, clock, log }: Pick<Ctx, 'db' | 'clock' | 'log'>): ApiKeyVerifier {
  const remembered = createBoundedMap<KeyHolder>(rememberedMax);
  const uses = createKeyUses({ db, clock, log });
  const verdicts = createGatherer<KeyQuestion, KeyVerdict>(async (questions) => {
    const [row] = await db.call<{ verdicts: string }>('select auth.verify_api_keys($1, $2, $3) as verdicts', [
      questions.map(({ digest }) => digest),
      questions.map(({ callerId }) => callerId),
      clock.now(),
    ]);
    return JSON.parse(row?.verdicts ?? '[]') as KeyVerdict[];
  });
  return {
    recall: (digest) => remembered.get(digest.toString('base64')),
    verify: (question) => verdicts.ask(question),
    remember(digest, verdict) {
      const holder = toHolder(verdict);
      remembered.set(digest.toString('base64'), holder);
      return holder;
    },
    noteUse: (keyId) => uses.note(keyId),
    async close() {
      await verdicts.drain();
      await uses.close();
    },
  };
}

function toHolder(verdict: KeyVerdict): KeyHolder {
  const { keyId, secretId, scopes, rateLimit = null, budget } = verdict;
  const { userId = null, applicationId = null, clientId = null } = verdict;
  if (!keyId || !secretId || !scopes) throw new Error('a key that counts has no row');
  const common = { keyId, secretId, scopes, rateLimit, isBudgeted: Boolean(budget) };
  if (userId !== null) return { ...common, userId, applicationId: null, clientId: null };
  if (applicationId === null || clientId === null) throw new Error(`the key ${keyId} has no owner`);
  return { ...common, userId: null, applicationId, clientId };
}
