import { and, eq, gt } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { interactions } from '../page-tables.ts';
import { withoutNulls } from './source.ts';
import {
  digestOf,
  fromSeconds,
  hashOf,
  toHandle,
  toSeconds,
  type Payload,
  type Store,
} from './to-adapter.ts';

type Row = typeof interactions.$inferSelect;
type JsonObject = Record<string, unknown>;

/** The library's view of an interaction, as far as it is ours to store. */
type Interaction = {
  prompt: { name: string; reasons: string[]; details: JsonObject };
  params: JsonObject;
  trusted?: string[];
  result?: JsonObject;
  lastSubmission?: JsonObject;
  session?: { uid: string; accountId: string };
  cid: string;
  deviceCode?: string;
  parJti?: string;
  exp: number;
};

/**
 * People's ways through the pages. Only who holds the uid, which is in an address and in a cookie, can go
 * on.
 */
export function createInteractionStore(ctx: Ctx): Store {
  const issuer = ctx.config.baseUrl;
  return {
    async save(tx, uid, payload) {
      const given = payload as unknown as Interaction;
      const values = {
        prompt: given.prompt.name,
        reasons: given.prompt.reasons,
        details: given.prompt.details,
        parameters: given.params,
        trustedParameters: given.trusted ?? [],
        result: given.result ?? null,
        lastSubmission: given.lastSubmission ?? null,
        sessionUid: given.session?.uid ?? null,
        userId: given.session?.accountId ?? null,
        correlationId: given.cid,
        deviceCodeHash: given.deviceCode === undefined ? null : hashOf(given.deviceCode, true),
        pushedRequestHash: given.parJti === undefined ? null : hashOf(given.parJti, true),
        expiresAt: fromSeconds(given.exp),
      };
      await tx
        .insert(interactions)
        .values({ uidHash: digestOf(uid), ...values })
        .onConflictDoUpdate({ target: interactions.uidHash, set: values });
    },
    async find(tx, uid) {
      const [row] = await tx
        .select()
        .from(interactions)
        .where(and(eq(interactions.uidHash, digestOf(uid)), gt(interactions.expiresAt, ctx.clock.now())));
      return row && toPayload(issuer, uid, row);
    },
    async destroy(tx, uid) {
      await tx.delete(interactions).where(eq(interactions.uidHash, digestOf(uid)));
    },
  };
}

function toPayload(issuer: string, uid: string, row: Row): Payload {
  return withoutNulls({
    jti: uid,
    kind: 'Interaction',
    exp: toSeconds(row.expiresAt),
    returnTo: `${issuer}/${row.deviceCodeHash ? 'device' : 'authorize'}/${uid}`,
    prompt: { name: row.prompt, reasons: row.reasons, details: row.details },
    params: row.parameters,
    trusted: row.trustedParameters,
    result: row.result,
    lastSubmission: row.lastSubmission,
    session: row.sessionUid && row.userId && { uid: row.sessionUid, accountId: row.userId },
    cid: row.correlationId,
    deviceCode: row.deviceCodeHash && toHandle(row.deviceCodeHash),
    parJti: row.pushedRequestHash && toHandle(row.pushedRequestHash),
  });
}
