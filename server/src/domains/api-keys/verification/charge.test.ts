import { randomUUID } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { makeKey, verifyKey } from '../../../../test/harness/api-keys.ts';
import { startTestService, type Answer } from '../../../../test/harness/index.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';
import { expectSound } from '../../../../test/harness/movements.ts';
import { digestApiKey } from '../../../lib/api-key.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const spend = (more: Record<string, unknown> = {}) => ({
  amount: 1,
  appId: 'chat',
  description: 'Answer',
  ...more,
});
const availableTo = async ({ token }: WalletHolder) =>
  (await service.send('GET', '/api/v1/credits/balance', { token })).body.available;
const use = (headers: Record<string, string>, more: Record<string, unknown> = {}) =>
  service.send('POST', '/api/v1/credits/use', { headers, body: spend(more) });
const codesOf = (answers: Answer[]) => answers.map(({ body }): string => body.code).toSorted();

test('64 parallel verify-and-charge calls on a key with a budget for 40: exactly 40 are charged', async () => {
  const holder = await addWalletHolder(service);
  const { key } = await makeKey(service, holder.token, { budget: { allowance: 80, period: 'day' } });
  const answers = await Promise.all(
    Array.from({ length: 64 }, () => verifyKey(service, key, { charge: spend({ amount: 2 }) })),
  );
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect(codesOf(answers)).toEqual([
    ...Array.from({ length: 24 }, () => 'mandate.exceeded'),
    ...Array.from({ length: 40 }, () => 'valid'),
  ]);
  for (const { body } of answers) expect(body.valid).toBe(body.charge !== null);
  expect(await availableTo(holder)).toBe(150 - 80);
  expect((await verifyKey(service, key)).body).toMatchObject({
    valid: true,
    budget: { used: 80, remaining: 0 },
  });
  await expectSound(service);
});

test('64 parallel copies of one idempotency key charge once, with one answer; another body is refused', async () => {
  const holder = await addWalletHolder(service);
  const { key } = await makeKey(service, holder.token, { budget: { allowance: 40 } });
  const charge = spend({ amount: 3, idempotencyKey: randomUUID() });
  const answers = await Promise.all(Array.from({ length: 64 }, () => verifyKey(service, key, { charge })));
  const outcomes = answers.map(
    ({
      body: {
        valid,
        charge: { transactionId, amount, available },
      },
    }) => JSON.stringify({ valid, transactionId, amount, available }),
  );
  expect(new Set(outcomes).size).toBe(1);
  expect(answers.filter(({ body }) => !body.charge.replayed)).toHaveLength(1);
  expect(await availableTo(holder)).toBe(147);
  const other = await verifyKey(service, key, { charge: { ...charge, amount: 4 } });
  expect(other.body).toMatchObject({ valid: false, code: 'idempotency.mismatch', charge: null });
  // The same request through the wallet's own route is the same spend.
  const again = await use(bearer(key), charge);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(again.body.transaction.id).toBe(answers[0]?.body.charge.transactionId);
  expect(await availableTo(holder)).toBe(147);
});

test('verification and charge are one round trip; without a charge nothing is written', async () => {
  const { token } = await addWalletHolder(service);
  const { key } = await makeKey(service, token, { budget: { allowance: 40 } });
  await verifyKey(service, key);
  const { db } = service.ctx;
  const calls = vi.spyOn(db, 'call');
  const others = (['asService', 'asCaller', 'asServiceFor', 'asUnit', 'runAsService'] as const).map((name) =>
    vi.spyOn(db, name),
  );
  await verifyKey(service, key);
  await verifyKey(service, key, { charge: spend() });
  const [verified = '', charged = '', ...more] = calls.mock.calls.map(([text]) => text);
  expect(verified).toBe('select auth.verify_api_keys($1, $2, $3) as verdicts');
  expect(charged).toContain('auth.charge_api_key');
  expect(more).toEqual([]);
  for (const spy of others) expect(spy).not.toHaveBeenCalled();
  vi.restoreAllMocks();
  // PostgreSQL itself refuses any write in such a transaction.
  await owner.query('begin transaction read only');
  const { rows } = await owner.query(verified, [[digestApiKey(key)], [null], service.clock.now()]);
  await owner.query('commit');
  expect(JSON.parse(rows[0].verdicts)).toMatchObject([
    { code: null, callerLives: true, budget: { used: 1 } },
  ]);
});

test('a key without credits:spend charges nothing; funds, too, limit a key', async () => {
  const holder = await addWalletHolder(service);
  const narrow = await makeKey(service, holder.token, { scopes: ['credits:read'] });
  expect((await verifyKey(service, narrow.key, { charge: spend() })).body).toMatchObject({
    valid: false,
    code: 'insufficient_scope',
    charge: null,
  });
  const { key } = await makeKey(service, holder.token, { budget: { allowance: 1000 } });
  expect((await verifyKey(service, key, { charge: spend({ amount: 151 }) })).body).toMatchObject({
    valid: false,
    code: 'credits.insufficient',
    refusal: { required: 151, available: 150 },
    charge: null,
  });
  expect(await availableTo(holder)).toBe(150);
  expect((await verifyKey(service, key)).body.budget).toMatchObject({ used: 0 });
});
