import { beforeEach, expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { createTestProvider } from '../../../test/harness/payments.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';

const provider = createTestProvider();
const service = await startTestService({
  env: { TRUST_PROXY: 'loopback' },
  paymentProviders: [provider],
});
const owner = await connectAsOwner(service);
const keptMax = 1000;

beforeEach(async () => {
  service.clock.advance({ minutes: 1 });
  await owner.query('delete from payments.refused_deliveries');
});

/** Sends something that no provider has signed, from an address. */
async function forge(address: string): Promise<void> {
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': address };
  const url = `${service.url}/api/v1/webhooks/stripe`;
  const answer = await fetch(url, { method: 'POST', body: '{"id":"evt_forged"}', headers });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: 'payments.signature_invalid' });
}

const noted = async (): Promise<number> =>
  (await owner.query('select count(*)::integer as count from payments.refused_deliveries')).rows[0].count;

async function counted(): Promise<number> {
  const text = await service.ctx.metrics.registry.metrics();
  const line = /^obol_payment_deliveries_refused_total\{(.*)\} (\d+)$/m.exec(text);
  expect(line?.[1] ?? '').toContain('provider="stripe"');
  expect(line?.[1] ?? '').toContain('code="payments.signature_invalid"');
  return Number(line?.[2]);
}

test('of a flood from one address a few are noted in a minute; all are refused, and counted', async () => {
  for (let time = 0; time < 30; time++) await forge('203.0.113.7');
  expect(await noted()).toBe(10);
  expect(await counted()).toBe(30);
  await forge('198.51.100.1');
  expect(await noted()).toBe(11);
  service.clock.advance({ minutes: 1 });
  await forge('203.0.113.7');
  expect(await noted()).toBe(12);
});

test('an address that is one of a network of its own counts with the others of it', async () => {
  for (let host = 1; host <= 15; host++) await forge(`2001:db8:0:1::${host}`);
  expect(await noted()).toBe(10);
});

test('of a flood from everywhere no more is noted than a process may write', async () => {
  for (let host = 1; host <= 70; host++) await forge(`192.0.2.${host}`);
  expect(await noted()).toBe(60);
});

test('however many were noted, the youngest thousand are kept', async () => {
  await owner.query(
    `insert into payments.refused_deliveries (id, provider, code, body, ip_address, received_at)
     select gen_random_uuid(), 'stripe', 'payments.signature_invalid', 'old', null, '2020-01-01'
       from generate_series(1, $1)`,
    [keptMax + 100],
  );
  await forge('203.0.113.7');
  expect(await noted()).toBe(keptMax);
});
