import { sql } from 'drizzle-orm';
import { expect } from 'vitest';
import { verifyLedger } from '../../src/domains/credits/index.ts';
import type { Answer, TestService } from './index.ts';
import { addWalletHolder, type WalletHolder } from './wallets.ts';

/** A signed-in administrator, with a wallet like everybody. */
export async function addAdministrator(service: TestService): Promise<WalletHolder> {
  const holder = await addWalletHolder(service);
  await service.ctx.db.asService((tx) =>
    tx.execute(sql`update auth.users set role = 'admin' where id = ${holder.userId}`),
  );
  return holder;
}

/** Calls a route of the credits as this person. */
export function post(
  service: TestService,
  holder: WalletHolder,
  path: string,
  body: unknown,
): Promise<Answer> {
  return service.send('POST', `/api/v1/credits/${path}`, { token: holder.token, body });
}

/** Spends for the app `chat`, by default; the answer's transaction. */
export async function spend(
  service: TestService,
  holder: WalletHolder,
  amount: number,
  more: Record<string, unknown> = {},
): Promise<{ id: string }> {
  const { status, body } = await post(service, holder, 'use', {
    amount,
    appId: 'chat',
    description: 'Chat message',
    ...more,
  });
  expect(status).toBe(200);
  return body.transaction;
}

export async function readOwn(service: TestService, holder: WalletHolder, path: string): Promise<any> {
  const { status, body } = await service.send('GET', `/api/v1/credits/${path}`, { token: holder.token });
  expect(status).toBe(200);
  return body;
}

/** What amounts may not be, on any route; each is refused with a field error that names the amount. */
export const impossibleAmounts = [0, -1, 1.5, 1e30, '5', null, 2 ** 53, 'NaN', true, [5], {}];

/** The ledger as a whole is sound. */
export async function expectSound(service: TestService): Promise<void> {
  expect((await verifyLedger(service.ctx.db)).findings).toEqual([]);
}
