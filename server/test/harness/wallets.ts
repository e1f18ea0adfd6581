import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll } from 'vitest';
import { sql } from 'drizzle-orm';
import { openWallet } from '../../src/domains/credits/index.ts';
import type { TestService } from './index.ts';

export type WalletHolder = { userId: string; sessionId: string; token: string };

const yearSeconds = 366 * 86_400;

/**
 * A signed-in person with a wallet, made without passwords and mail, so that tests of the ledger stay about the ledger.
 * Session and token live for a year, so that the clock may jump.
 */
export async function addWalletHolder(service: TestService): Promise<WalletHolder> {
  const { ctx, clock } = service;
  const now = clock.now();
  const [userId, sessionId] = [randomUUID(), randomUUID()];
  const email = `${userId}@example.com`;
  await ctx.db.asService(async (tx) => {
    const at = now.toISOString();
    const until = new Date(now.getTime() + yearSeconds * 1000).toISOString();
    await tx.execute(
      sql`insert into auth.users (id, email, created_at, updated_at) values (${userId}, ${email}, ${at}, ${at})`,
    );
    await tx.execute(sql`insert into auth.sessions (id, user_id, created_at, last_used_at, expires_at)
      values (${sessionId}, ${userId}, ${at}, ${at}, ${until})`);
    await openWallet(ctx, tx, userId);
  });
  const iat = Math.floor(now.getTime() / 1000);
  const token = await ctx.keys.sign({
    iss: ctx.config.jwtIssuer,
    aud: ctx.config.jwtAudience,
    sub: userId,
    sid: sessionId,
    jti: randomUUID(),
    iat,
    exp: iat + yearSeconds,
    email,
    role: 'user',
    client_id: 'obol',
    scope: 'openid',
  });
  return { userId, sessionId, token };
}

/** A connection as the owner of the schema, closed after the last test of the file. */
export async function connectAsOwner(service: TestService): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: service.ownerUrl });
  await client.connect();
  afterAll(() => client.end());
  return client;
}
