import { createHash } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { startTestService, type Answer } from '../../../../test/harness/index.ts';
import { addLot, addWalletHolder, type WalletHolder } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const jwks = createLocalJWKSet((await service.send('GET', '/.well-known/jwks.json')).body);
const typ = 'obol-receipt+jwt';

const read = (holder: WalletHolder, path: string): Promise<Answer> =>
  service.send('GET', `/api/v1/credits/${path}`, { token: holder.token });

async function addHistory(): Promise<WalletHolder> {
  const holder = await addWalletHolder(service);
  await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 100 });
  const metadata = {
    model: 'größe "1"',
    ratio: 0.1,
    big: 1e21,
    tiny: 1.5e-7,
    nested: [null, true, { b: 1, a: [] }],
  };
  const body = {
    amount: 200,
    appId: 'chat',
    description: 'Übersetzung 翻訳',
    metadata,
    idempotencyKey: 'k-1',
  };
  const answer = await service.send('POST', '/api/v1/credits/use', { token: holder.token, body });
  expect(answer.status).toBe(200);
  return holder;
}

async function receiptOf(holder: WalletHolder, id: string): Promise<string> {
  const { status, body } = await read(holder, `transactions/${id}/receipt`);
  expect(status).toBe(200);
  return body.receipt;
}

test('a receipt says what the history says, and verifies with jose and the JWKS alone', async () => {
  const holder = await addHistory();
  const listed = (await read(holder, 'transactions')).body;
  expect(listed).toHaveLength(3);
  for (const { hash, ...transaction } of listed) {
    const receipt = await receiptOf(holder, transaction.id);
    const { payload } = await jwtVerify(receipt, jwks, { typ, issuer: service.ctx.config.jwtIssuer });
    expect(payload).toMatchObject({ sub: holder.userId, transaction, hash });
    expect(payload.iat).toBe(Math.floor(service.clock.now().getTime() / 1000));
  }
});

test('the hash is recomputed from the receipt as the guide says, and chains to the one before', async () => {
  const holder = await addHistory();
  let before = '0'.repeat(64);
  for (const { id } of (await read(holder, 'transactions')).body.toReversed()) {
    const payload: any = decodeJwt(await receiptOf(holder, id));
    const sealed = Buffer.concat([
      Buffer.from(payload.previousHash, 'hex'),
      Buffer.from(payload.sealed, 'utf8'),
    ]);
    expect(createHash('sha256').update(sealed).digest('hex')).toBe(payload.hash);
    expect(payload.previousHash).toBe(before);
    const { createdAt, entries, ...plain } = payload.transaction;
    expect(JSON.parse(payload.sealed)).toEqual([
      ...Object.values(plain),
      Date.parse(createdAt),
      entries.map(({ account, amount, lotId }: any) => [account, amount, lotId]),
    ]);
    before = payload.hash;
  }
});

test('a receipt that was altered anywhere fails', async () => {
  const holder = await addHistory();
  const [{ id }] = (await read(holder, 'transactions')).body;
  const receipt = await receiptOf(holder, id);
  const parts = receipt.split('.');
  for (const [part, text] of parts.entries()) {
    for (let at = 0; at < text.length; at += Math.ceil(text.length / 25)) {
      const letter = text[at] === 'A' ? 'B' : 'A';
      const altered = parts.with(part, text.slice(0, at) + letter + text.slice(at + 1)).join('.');
      await expect(jwtVerify(altered, jwks, { typ })).rejects.toThrow();
    }
  }
});

test('a receipt opens nothing: it is no access token', async () => {
  const holder = await addHistory();
  const [{ id }] = (await read(holder, 'transactions')).body;
  const token = await receiptOf(holder, id);
  expect((await service.send('GET', '/api/v1/credits/balance', { token })).body.code).toBe(
    'auth.token_invalid',
  );
  const validated = await service.send('POST', '/api/v1/auth/validate', { body: { token } });
  expect(validated.body.valid).toBe(false);
});

test('a transaction of somebody else answers like one that does not exist', async () => {
  const [holder, other] = [await addHistory(), await addHistory()];
  const [{ id }] = (await read(holder, 'transactions')).body;
  const foreign = await read(other, `transactions/${id}/receipt`);
  const absent = await read(other, 'transactions/00000000-0000-4000-8000-000000000000/receipt');
  expect(foreign.status).toBe(404);
  const { requestId: _id, instance: _path, ...constant } = absent.body;
  expect(foreign.body).toMatchObject(constant);
});

test('the head of the chain comes with the statement, and is that of its last transaction', async () => {
  const holder = await addHistory();
  const listed = (await read(holder, 'transactions')).body;
  const { openingHead, closingHead, movements } = (await read(holder, 'statement?month=2026-03')).body;
  expect(openingHead).toEqual({ sequence: 0, hash: '0'.repeat(64) });
  expect(closingHead).toEqual({ sequence: 3, hash: listed[0].hash });
  expect(movements.map(({ hash }: any) => hash)).toEqual(listed.toReversed().map(({ hash }: any) => hash));
});
