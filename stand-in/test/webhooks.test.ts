import { verify, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { approvalUrlOf, packOrder, paypalOrder, startBench, type Bench } from './harness.ts';

async function buyBoth(bench: Bench): Promise<void> {
  const session = await bench.stripe.checkout.sessions.create(packOrder);
  await bench.choose(session.url ?? '', 'pay');
  const order = await bench.paypal('POST', '/v2/checkout/orders', paypalOrder);
  await bench.choose(approvalUrlOf(order.body), 'pay');
  await bench.paypal('POST', `/v2/checkout/orders/${order.body.id}/capture`, {});
}

const idsOf = (bench: Bench) => bench.received.splice(0).map(({ event }) => event.id as string);

describe('a webhook', () => {
  test('of Stripe is signed so that the SDK takes it, as of the time of each attempt', async () => {
    const bench = await startBench();
    const { stripe, settings, received } = bench;
    await buyBoth(bench);
    bench.answer(500);
    await bench.deliver();
    bench.wait(10);
    bench.answer(200);
    await bench.deliver();
    const ofStripe = received.filter(({ provider }) => provider === 'stripe');
    const times = ofStripe.map(({ body, headers }) => {
      const header = String(headers['stripe-signature']);
      const now = Number(/t=(\d+)/.exec(header)?.[1]);
      stripe.webhooks.constructEvent(
        body,
        header,
        settings.STRIPE_WEBHOOK_SECRET,
        300,
        undefined,
        now * 1000,
      );
      return now;
    });
    expect(new Set(times).size).toBe(2);
  });

  test('of PayPal is signed with a certificate that the authority in the settings has issued', async () => {
    const bench = await startBench();
    await buyBoth(bench);
    await bench.deliver();
    const authority = new X509Certificate(bench.settings.PAYPAL_CERTIFICATE_AUTHORITY);
    const deliveries = bench.received.filter(({ provider }) => provider === 'paypal');
    expect(deliveries.map(({ event }) => event.event_type)).toEqual([
      'CHECKOUT.ORDER.APPROVED',
      'PAYMENT.CAPTURE.COMPLETED',
    ]);
    for (const { headers, body } of deliveries) {
      const address = String(headers['paypal-cert-url']);
      expect(address.startsWith(bench.settings.PAYPAL_CERTIFICATE_ORIGIN)).toBe(true);
      const pem = await (await fetch(address)).text();
      const [leaf, between] = (pem.match(/-----BEGIN[\s\S]+?END CERTIFICATE-----/g) ?? []).map(
        (text) => new X509Certificate(text),
      );
      if (!leaf || !between) throw new Error('the chain is not complete');
      expect(leaf.verify(between.publicKey) && between.verify(authority.publicKey)).toBe(true);
      expect([leaf.checkIssued(between), between.checkIssued(authority), leaf.ca]).toEqual([
        true,
        true,
        false,
      ]);
      const named = ['paypal-transmission-id', 'paypal-transmission-time'].map((name) =>
        String(headers[name]),
      );
      const signed = [...named, bench.settings.PAYPAL_WEBHOOK_ID, crc32(body)].join('|');
      const signature = Buffer.from(String(headers['paypal-transmission-sig']), 'base64');
      expect(verify('sha256', Buffer.from(signed), leaf.publicKey, signature)).toBe(true);
    }
  });

  test('is sent again until it is taken, and then no more', async () => {
    const bench = await startBench();
    await bench.stripe.customers.create({});
    bench.answer(503);
    expect(await bench.deliver()).toBe(1);
    expect(await bench.deliver()).toBe(0);
    bench.wait(5);
    bench.answer(200);
    expect(await bench.deliver()).toBe(1);
    bench.wait(86_400);
    expect(await bench.deliver()).toBe(0);
    expect(new Set(idsOf(bench)).size).toBe(1);
  });
});

describe('the chaos switch', () => {
  test('delivers twice, and again under an id of its own', async () => {
    const bench = await startBench();
    bench.act('chaos', { duplicatePercent: 100, resendUnderNewIdPercent: 100 });
    await bench.stripe.customers.create({});
    await bench.deliver();
    const ids = idsOf(bench);
    expect([ids.length, new Set(ids).size]).toEqual([3, 2]);
  });

  test('loses events, which the list of events knows all the same', async () => {
    const bench = await startBench();
    bench.act('chaos', { dropPercent: 100 });
    await bench.stripe.customers.create({});
    expect(await bench.deliver()).toBe(0);
    expect((await bench.stripe.events.list()).data).toHaveLength(1);
  });

  test('delivers late', async () => {
    const bench = await startBench();
    bench.act('chaos', { delaySecondsMax: 600 });
    for (let number = 0; number < 20; number += 1) await bench.stripe.customers.create({});
    const atOnce = await bench.deliver();
    bench.wait(600);
    const late = await bench.deliver();
    expect(late).toBeGreaterThan(0);
    expect(atOnce + late).toBe(20);
  });

  test('delivers in any order', async () => {
    const bench = await startBench();
    const made: string[] = [];
    bench.act('chaos', { shuffle: 'yes' });
    for (let number = 0; number < 12; number += 1) made.push((await bench.stripe.customers.create({})).id);
    await bench.deliver();
    const arrived = bench.received.map(({ event }) => event.data.object.id as string);
    expect(arrived.toSorted()).toEqual(made.toSorted());
    expect(arrived).not.toEqual(made);
  });
});

test('a restart loses nothing: checkouts, keys of calls, tokens, certificates, waiting deliveries', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'stand-in-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const before = await startBench({ dataDir });
  const options = { idempotencyKey: 'one' };
  const session = await before.stripe.checkout.sessions.create(packOrder, options);
  await before.choose(session.url ?? '', 'pay');
  before.act('advance', { days: 3 });
  await before.stop();
  const after = await startBench({ dataDir });
  const found = await after.stripe.checkout.sessions.retrieve(session.id);
  expect(found.payment_status).toBe('paid');
  expect((await after.stripe.checkout.sessions.create(packOrder, options)).id).toBe(session.id);
  expect(after.settings.PAYPAL_CERTIFICATE_AUTHORITY).toBe(before.settings.PAYPAL_CERTIFICATE_AUTHORITY);
  expect(await after.deliver()).toBe(4);
  const { created } = await after.stripe.customers.create({});
  expect(created).toBe(Date.parse('2026-03-04T12:00:00Z') / 1000);
});

describe('the control page', () => {
  test('shows payments with what can happen to them, and does it for forms and for JSON', async () => {
    const bench = await startBench();
    await buyBoth(bench);
    const page = await (await fetch(`${bench.url}/control`)).text();
    expect(page).toContain('no money moves here');
    expect(page).toContain('EUR 5.00');
    const [intent] = (await bench.stripe.paymentIntents.list()).data;
    const send = (action: string, body: string, type: string) =>
      fetch(`${bench.url}/control/${action}`, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'content-type': type },
        body,
      });
    const json = await send('dispute', JSON.stringify({ payment: intent?.id }), 'application/json');
    expect([json.status, await json.json()]).toEqual([200, expect.objectContaining({ object: 'dispute' })]);
    const wrong = await send('dispute', '{}', 'application/json');
    expect([wrong.status, await wrong.json()]).toEqual([400, { message: '`payment` is missing.' }]);
    const form = await send('advance', 'days=1', 'application/x-www-form-urlencoded');
    expect([form.status, form.headers.get('location')]).toEqual([303, '/control?said=Done.']);
    expect((await send('nothing', '', 'application/json')).status).toBe(404);
  });

  test('lets no other site press its buttons, and shows no markup of others', async () => {
    const bench = await startBench();
    const headers = { 'sec-fetch-site': 'cross-site' };
    const pressed = await fetch(`${bench.url}/control/advance`, { method: 'POST', headers, body: 'days=1' });
    expect(pressed.status).toBe(403);
    const page = await (await fetch(`${bench.url}/control?said=<script>`)).text();
    expect(page).not.toContain('<script>');
  });
});
