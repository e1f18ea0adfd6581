import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll } from 'vitest';
import { sql } from 'drizzle-orm';
import { openWallet } from '../../src/domains/credits/index.ts';
import type { TestService } from './index.ts';

export type WalletHolder = { userId: string; sessionId: string; token: string };

const yearSeconds = 366 * 86_400;

/**
 * A signed-in person with a wallet, made without passwords and mail, so that tests of the ledger stay about
 * the ledger. Session and token live for a year, so that the clock may jump.
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

export type TestLot = {
  source: string;
  kind: 'free' | 'paid';
  amount: number;
  priority?: number;
  expiresAt?: string | null;
};

/**
 * Puts a lot into a wallet at the present time, the way purchases and gifts will; as the owner of the schema.
 */
export async function addLot(service: TestService, holder: WalletHolder, lot: TestLot): Promise<void> {
  const { source, kind, amount, priority = 100, expiresAt = null } = lot;
  const client = new pg.Client({ connectionString: service.ownerUrl });
  await client.connect();
  await client.query(
    `select credits.save_wallet(credits.add_lot(locked.wallets[1],
       jsonb_populate_record(null::credits.lots, $2), 'purchase', 'A lot', 'sales:test'))
       from (select credits.lock_wallets(array[$1::uuid], $3, $4, $5) as wallets) locked`,
    [
      holder.userId,
      { source, kind, amount, priority, expires_at: expiresAt, created_at: service.clock.now() },
      service.clock.now(),
      service.ctx.config.creditsDailyFree,
      service.ctx.config.creditsDailyCap,
    ],
  );
  await client.end();
}

export type TestSpend = { holder: WalletHolder; amount: number; appId?: string; idempotencyKey?: string };

/**
 * Spends in one call of the database, past the queue. Returns the code of each refusal, null for each
 * success.
 */
export async function spendInOneBatch(service: TestService, spends: TestSpend[]): Promise<(string | null)[]> {
  const batch = spends.map(({ holder, amount, appId = 'chat', idempotencyKey = null }) => ({
    wallet_id: holder.userId,
    user_id: holder.userId,
    session_id: holder.sessionId,
    app_id: appId,
    amount,
    description: 'A spend',
    metadata: null,
    idempotency_key: idempotencyKey,
    request_hash: `\\x${Buffer.from(`${amount}`).toString('hex')}`,
    transaction_id: randomUUID(),
  }));
  const { creditsDailyFree, creditsDailyCap } = service.ctx.config;
  const rows = await service.ctx.db.call<{ code: string | null }>(
    'select * from credits.spend($1, $2, $3, $4) order by ordinal',
    [JSON.stringify(batch), service.clock.now(), creditsDailyFree, creditsDailyCap],
  );
  return rows.map(({ code }) => code);
}

/** A connection as the owner of the schema, closed after the last test of the file. */
export async function connectAsOwner(service: TestService): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: service.ownerUrl });
  await client.connect();
  afterAll(() => client.end());
  return client;
}
