import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { registerApplication } from './harness/applications.ts';
import { runCurl } from './harness/curl.ts';
import { startTestService } from './harness/index.ts';
import { addWalletHolder } from './harness/wallets.ts';

// The commands of the guide, run in the order in which they stand there.

const guide = await readFile(join(import.meta.dirname, '../../docs/guides/spending.md'), 'utf8');
const commands = [...guide.matchAll(/```bash\n([\s\S]*?)\n```/g)].flatMap(([, block = '']) =>
  block.split('\n'),
);

test('an application spends, holds, asks and gives back the way the guide says', async () => {
  const service = await startTestService();
  const ada = await addWalletHolder(service);
  const app = await registerApplication(service, ada.token);
  const values: Record<string, string> = {
    ACCESS_TOKEN: ada.token,
    USER_ID: ada.userId,
    CLIENT_ID: app.clientId,
    CLIENT_SECRET: app.clientSecret,
  };
  const run = (command = '') =>
    runCurl(
      service.url,
      command.replaceAll(/\$([A-Z_]+)/g, (_, name: string) => values[name] ?? ''),
    );
  const [allow, spend, hold, extend, capture, quote, refund, look, ...others] = commands;
  expect(others).toEqual([]);

  expect(await run(allow)).toMatchObject({ status: 201, body: { allowance: 100, maxPerSpend: 60 } });
  const spent = await run(spend);
  expect(spent).toMatchObject({ status: 200, body: { newBalance: { available: 140 } } });
  values.TRANSACTION_ID = spent.body.transaction.id;
  const held = await run(hold);
  expect(held).toMatchObject({ status: 201, body: { amount: 30 } });
  values.HOLD_ID = held.body.id;
  expect(await run(extend)).toMatchObject({ status: 200, body: { amount: 50 } });
  expect(await run(capture)).toMatchObject({
    status: 200,
    body: { newBalance: { available: 103, held: 0 } },
  });
  // 47 of the month's 100 are spent.
  expect(await run(quote)).toMatchObject({ status: 200, body: { passes: false } });
  expect(await run(refund)).toMatchObject({ status: 200, body: { newBalance: { available: 107 } } });
  const { body } = await run(look);
  expect(body).toMatchObject([{ appId: app.clientId, allowance: 100, used: 43 }]);
});
