import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { signStripe, stripeSecret } from '../../../../test/harness/stripe-events.ts';
import { verifySignature } from './verify-signature.ts';

const at = new Date('2026-03-01T12:00:00.000Z');
const payload = '{\n  "id": "evt_1",\n  "amount": 1.0\n}';
const other = 'whsec_test_of_the_second_secret';

function verify(header: string | undefined, options: { text?: string; secrets?: string[]; now?: Date } = {}) {
  const { text = payload, secrets = [stripeSecret], now = at } = options;
  verifySignature({ body: Buffer.from(text), header }, secrets, now);
}

const later = (seconds: number) => new Date(at.getTime() + seconds * 1000);

test("takes what Stripe's own SDK signs", () => {
  verify(signStripe(payload, { at }));
});

test('takes either secret while one is rotated, whichever signed, and both signatures', () => {
  const [old, next] = [signStripe(payload, { at }), signStripe(payload, { at, secret: other })];
  const both = `${old},${next.split(',')[1]}`;
  for (const header of [old, next, both]) verify(header, { secrets: [stripeSecret, other] });
  for (const secrets of [[stripeSecret], [other]]) verify(both, { secrets });
  expect(() => verify(next)).toThrow('payments.signature_invalid');
});

test.each([
  ['another secret', signStripe(payload, { at, secret: other })],
  ['another scheme', signStripe(payload, { at, scheme: 'v0' })],
  ['no header', undefined],
  ['an empty header', ''],
  ['no signature', `t=${at.getTime() / 1000}`],
  ['no time', signStripe(payload, { at }).replace(/^t=\d+,/, '')],
  ['two times', `t=1,${signStripe(payload, { at })}`],
  ['a time that is none', signStripe(payload, { at }).replace(/^t=\d+/, 't=soon')],
  ['a signature cut short', signStripe(payload, { at }).slice(0, -1)],
  ['a header beyond all measure', `${signStripe(payload, { at })},${'v1=00,'.repeat(2000)}`],
])('refuses %s', (_, header) => {
  expect(() => verify(header)).toThrow('payments.signature_invalid');
});

test('refuses a body that was read and written again, or changed by a byte', () => {
  const header = signStripe(payload, { at });
  const rewritten = JSON.stringify(JSON.parse(payload));
  for (const text of [rewritten, `${payload}\n`, `\uFEFF${payload}`, payload.replace('1.0', '1.1')])
    expect(() => verify(header, { text })).toThrow('payments.signature_invalid');
});

test('takes five minutes of difference, either way, and no more', () => {
  const header = signStripe(payload, { at });
  for (const seconds of [-300, 300]) verify(header, { now: later(seconds) });
  for (const seconds of [-301, 301])
    expect(() => verify(header, { now: later(seconds) })).toThrow('payments.delivery_too_old');
});

test('says nothing of time to whom cannot sign', () => {
  const header = signStripe(payload, { at, secret: other });
  expect(() => verify(header, { now: later(9000) })).toThrow('payments.signature_invalid');
});

test('takes no signature when there is no secret', () => {
  const empty = createHmac('sha256', '')
    .update(`${at.getTime() / 1000}.${payload}`)
    .digest('hex');
  expect(() => verify(`t=${at.getTime() / 1000},v1=${empty}`, { secrets: [] })).toThrow(
    'payments.signature_invalid',
  );
});
