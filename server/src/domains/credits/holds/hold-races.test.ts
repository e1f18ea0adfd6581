import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { holdBody, holdCalls } from '../../../../test/harness/holds.ts';
import { startTestService, type Answer, type TestService } from '../../../../test/harness/index.ts';
import { expectSound } from '../../../../test/harness/movements.ts';
import { addLot, addWalletHolder, type WalletHolder } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const second = await startTestService({ shareDatabaseWith: service });
let holder: WalletHolder;
const { post, place, placed, capture, extend, release, read, balance } = holdCalls(service, () => holder);

beforeEach(async () => {
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const newKey = () => ({ idempotencyKey: randomUUID() });

describe('one effect per key', () => {
  test('place, extend, capture and void answer as at first, whatever happened since', async () => {
    const [placing, extending, capturing, voiding] = [newKey(), newKey(), newKey(), newKey()];
    const first = await place(placing);
    const { id } = first.body;
    const calls: [() => Promise<Answer>, Answer][] = [[() => place(placing), first]];
    for (const call of [
      () => extend(id, { ...extending, amount: 10 }),
      () => capture(id, 5, { ...capturing, final: false }),
      () => release(id, voiding),
    ]) {
      calls.push([call, await call()]);
    }
    service.clock.advance({ days: 2 });
    for (const [call, answer] of calls) {
      expect(answer.headers.get('idempotency-replayed')).toBeNull();
      const again = await call();
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      expect([again.status, again.body]).toEqual([answer.status, answer.body]);
    }
    expect(await read('transactions?type=hold')).toHaveLength(2);
  });

  test('refusals are remembered, too', async () => {
    const hold = await placed();
    const keyed = { idempotencyKey: randomUUID() };
    const first = await capture(hold.id, 120, keyed);
    expect(first.body.code).toBe('hold.exceeded');
    await extend(hold.id, { amount: 40 });
    const again = await capture(hold.id, 120, keyed);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect({ ...again.body, requestId: '' }).toEqual({ ...first.body, requestId: '' });
    expect((await capture(hold.id, 120)).status).toBe(200);
    const late = { idempotencyKey: randomUUID() };
    for (const replayed of [null, 'true']) {
      const answer = await release(hold.id, late);
      expect(answer.body).toMatchObject({ code: 'hold.closed', holdStatus: 'captured' });
      expect(answer.headers.get('idempotency-replayed')).toBe(replayed);
    }
  });

  test('another request under the key is refused: another amount, hold or operation', async () => {
    const keyed = { idempotencyKey: randomUUID() };
    const hold = await placed(keyed);
    const other = await placed({ amount: 1 });
    for (const answer of [
      await place({ ...keyed, amount: 99 }),
      await place({ ...keyed, expiresInSeconds: 5 }),
      await capture(hold.id, 100, keyed),
      await release(other.id, keyed),
      await post('/../use', { ...holdBody, ...keyed }),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([422, 'idempotency.mismatch']);
    }
  });

  test.each([
    ['one service', () => [service]],
    ['two services on one database', () => [service, second]],
  ])('30 parallel copies of one hold and of one capture: %s', async (_, services) => {
    const parties = services();
    const same = { idempotencyKey: randomUUID() };
    const copies = (call: (at: TestService) => Promise<Answer>) =>
      Promise.all(Array.from({ length: 30 }, (_unused, index) => call(parties[index % parties.length]!)));
    const placing = await copies((at) => place(same, { at }));
    expect(new Set(placing.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
    const capturing = await copies((at) =>
      capture(placing[0]!.body.id, 40, { idempotencyKey: 'the capture' }, { at }),
    );
    expect(new Set(capturing.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
    expect(await balance()).toMatchObject({ available: 110, totalSpent: 40, held: 0 });
  });
});

describe('races', () => {
  test.each([
    ['one service', () => [service]],
    ['two services on one database', () => [service, second]],
  ])(
    '100 parallel captures, voids and extensions: one ends it, credits are conserved: %s',
    async (_, services) => {
      const parties = services();
      const hold = await placed({ amount: 100 });
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_unused, index) => {
          const options = { at: parties[index % parties.length]! };
          return index % 2 ? release(hold.id, {}, options) : capture(hold.id, 60, {}, options);
        }),
      );
      const won = answers.filter(({ status }) => status === 200);
      expect(won).toHaveLength(1);
      for (const answer of answers.filter(({ status }) => status !== 200)) {
        expect(answer.body).toMatchObject({ code: 'hold.closed', holdStatus: won[0]?.body.status });
      }
      const spent = won[0]?.body.status === 'captured' ? 60 : 0;
      expect(await balance()).toMatchObject({ available: 150 - spent, held: 0, totalSpent: spent });
    },
  );

  test('captures against the expiry: what is captured was captured in time, the rest came back once', async () => {
    const held = await Promise.all(
      Array.from({ length: 20 }, () => placed({ amount: 5, expiresInSeconds: 1 })),
    );
    const answers = held.map(({ id }, index) => {
      if (index === 10) service.clock.advance({ seconds: 1 });
      return capture(id, 5);
    });
    const captured = (await Promise.all(answers)).filter(({ status }) => status === 200).length;
    expect(await balance()).toMatchObject({
      held: 0,
      totalSpent: 5 * captured,
      available: 150 - 5 * captured,
    });
  });

  test('200 parallel holds on funds for 100: exactly 100 are placed', async () => {
    await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 550 });
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => place({ amount: 7 }, { at: index % 2 ? service : second })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(100);
    expect(answers.filter((answer) => answer.body.code === 'credits.insufficient')).toHaveLength(100);
    expect(await balance()).toMatchObject({ available: 0, held: 700 });
  });

  test('holds and spends at once never exceed the funds', async () => {
    await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        index % 2
          ? place({ amount: 5 })
          : service.send('POST', '/api/v1/credits/use', {
              token: holder.token,
              body: { ...holdBody, amount: 5 },
            }),
      ),
    );
    const { held, totalSpent, available } = await balance();
    expect([available, held + totalSpent]).toEqual([0, 150]);
  });
});
