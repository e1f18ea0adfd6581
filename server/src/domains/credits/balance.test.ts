import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { addWalletHolder } from '../../../test/harness/wallets.ts';
import { readBalance } from './index.ts';

const service = await startTestService();

test('a new wallet holds the signup bonus', async () => {
  const holder = await addWalletHolder(service);
  expect(await readBalance(service.ctx, holder)).toMatchObject({
    balance: 0,
    freeCreditsRemaining: 150,
    available: 150,
    totalEarned: 150,
    totalSpent: 0,
    held: 0,
  });
});
