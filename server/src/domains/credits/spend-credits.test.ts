import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { startTestService, type Answer } from '../../../test/harness/index.ts';
import { addWalletHolder, type WalletHolder } from '../../../test/harness/wallets.ts';

const service = await startTestService();

const use = (holder: WalletHolder, body: Record<string, unknown>, headers = {}): Promise<Answer> =>
  service.send('POST', '/api/v1/credits/use', {
    token: holder.token,
    headers,
    body: { amount: 10, appId: 'chat', description: 'Chat message', ...body },
  });

test('a spend answers with the transaction and the new balance', async () => {
  const holder = await addWalletHolder(service);
  const answer = await use(holder, { metadata: { model: 'small', tokens: 812 } });
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    success: true,
    transaction: {
      id: expect.any(String),
      type: 'usage',
      status: 'completed',
      amount: -10,
      balanceBefore: 150,
      balanceAfter: 140,
      appId: 'chat',
      description: 'Chat message',
      metadata: { model: 'small', tokens: 812 },
      idempotencyKey: null,
      createdAt: service.clock.now().toISOString(),
    },
    newBalance: { balance: 0, freeCreditsRemaining: 140, totalSpent: 10, available: 140 },
  });
});

test('fifty parallel copies of one key have one effect and one answer', async () => {
  const holder = await addWalletHolder(service);
  const idempotencyKey = randomUUID();
  const answers = await Promise.all(Array.from({ length: 50 }, () => use(holder, { idempotencyKey })));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(49);
});
