import type { Ctx } from '../../ctx.ts';
import { writeDocument } from '../../db/documents.ts';
import { createGatherer, type Gatherer } from '../../db/index.ts';
import { firstKeptDay } from '../applications/index.ts';
import { accessTokens, authorizationCodes, refreshTokens } from './tables.ts';

/** What a request has come to, written when it ends, if it may still happen then. */
export type Deeds = {
  /** The authorization that all of it hangs on; absent for an application's own tokens. */
  authorizationId?: string;
  /** Until when that lives from now on. */
  livesUntil?: Date;
  isSignIn?: boolean;
  usedGrantId?: string;
  usedSessionId?: string;
  spentCode?: Buffer;
  spentToken?: { hash: Buffer; sealedAnswer: Buffer | null };
  codes: (typeof authorizationCodes.$inferInsert)[];
  refreshTokens: (typeof refreshTokens.$inferInsert)[];
  accessTokens: (typeof accessTokens.$inferInsert)[];
};

/** Nothing, to begin with. */
export function newDeeds(): Deeds {
  return { codes: [], refreshTokens: [], accessTokens: [] };
}

/** Whether there is anything to write. */
export function hasDeeds(deeds: Deeds): boolean {
  const { codes, refreshTokens: refresh, accessTokens: access, ...notes } = deeds;
  return Object.keys(notes).length > 0 || codes.length + refresh.length + access.length > 0;
}

/** So many requests go together at most. */
const batchMax = 100;
const gatherers = new WeakMap<Ctx, Gatherer<Deeds, boolean>>();

/**
 * Writes what a request has come to, together with the others that end at this moment. Returns whether it
 * has happened: all of it, or nothing, because something of it has ended or been spent meanwhile.
 */
export function finishRequest(ctx: Ctx, deeds: Deeds): Promise<boolean> {
  const known = gatherers.get(ctx);
  if (known) return known.ask(deeds);
  const finishTogether = async (requests: Deeds[]): Promise<boolean[]> => {
    const { text, values } = finishCall(ctx, requests);
    const [row] = await ctx.db.call<{ living: string[] }>(text, values);
    return requests.map((one) => hasHappened(one, row?.living));
  };
  const gatherer = createGatherer(finishTogether, {
    batchMax,
    keyOf: ({ authorizationId }) => authorizationId,
  });
  gatherers.set(ctx, gatherer);
  return gatherer.ask(deeds);
}

/** Whether what a request has come to is among what was written. */
export function hasHappened({ authorizationId }: Deeds, living: string[] | undefined): boolean {
  return authorizationId === undefined || (living?.includes(authorizationId) ?? false);
}

/** The statement that writes what these requests have come to, each of another authorization. */
export function finishCall(ctx: Ctx, requests: Deeds[]): { text: string; values: unknown[] } {
  const now = ctx.clock.now();
  const spenders = requests.filter(({ spentCode, spentToken }) => spentCode ?? spentToken);
  const tokens = requests.flatMap(({ spentToken }) => spentToken ?? []);
  const extended = requests.filter(({ livesUntil }) => livesUntil);
  return {
    text: `select oauth.finish_requests(
      $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) as living`,
    values: [
      idsOf(requests) ?? [],
      idsOf(spenders),
      listOf(requests.flatMap(({ spentCode }) => spentCode ?? [])),
      listOf(tokens.map(({ hash }) => hash)),
      listOf(tokens.map(({ sealedAnswer }) => sealedAnswer)),
      idsOf(extended),
      listOf(extended.map(({ livesUntil }) => livesUntil)),
      documentsOf(
        requests.flatMap(({ codes }) => codes.map((row) => writeDocument(authorizationCodes, row))),
      ),
      documentsOf(
        requests.flatMap((one) => one.refreshTokens.map((row) => writeDocument(refreshTokens, row))),
      ),
      documentsOf(requests.flatMap((one) => one.accessTokens.map((row) => writeDocument(accessTokens, row)))),
      idsOf(requests.filter(({ isSignIn }) => isSignIn)),
      listOf(requests.flatMap(({ usedGrantId }) => usedGrantId ?? [])),
      listOf(requests.flatMap(({ usedSessionId }) => usedSessionId ?? [])),
      firstKeptDay(ctx),
      now,
    ],
  };
}

function idsOf(requests: Deeds[]): string[] | null {
  return listOf(requests.flatMap(({ authorizationId }) => authorizationId ?? []));
}

/** What there is none of is left out of the work. */
function listOf<T>(values: T[]): T[] | null {
  return values.length > 0 ? values : null;
}

function documentsOf(documents: string[]): string | null {
  return documents.length > 0 ? `[${documents.join(',')}]` : null;
}
