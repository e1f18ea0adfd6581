import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { idOf } from '../../stand-in/stripe/wire.ts';
import { registerRealPerson } from './crash/people.ts';
import { makeScratchDir, startRealService } from './crash/real-service.ts';
import { openCommandLine } from './harness/command.ts';
import { cloneDatabase, sendJson, startTestService } from './harness/index.ts';
import { readOwn } from './harness/movements.ts';
import { startPaymentStandIn } from './harness/payment-stand-in.ts';
import { beginPurchase, pressOn } from './harness/stripe-purchases.ts';
import { addWalletHolder, connectAsOwner } from './harness/wallets.ts';

vi.setConfig({ testTimeout: 400_000 });

const standIn = await startPaymentStandIn();
const service = await startTestService({
  clock: standIn.clock,
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0', ...standIn.settings },
});
standIn.deliverTo(service.url);
const owner = await connectAsOwner(service);
const holder = await addWalletHolder(service);
const { directory, run: obol } = await openCommandLine(service, { ...standIn.settings });
const reconcile = (args: string[], env: Record<string, string> = {}) =>
  obol(['payments', 'reconcile', ...args], env);

const since = ['--since', '2026-02-20'];
const ofStripe = [...since, '--provider', 'stripe'];
const stripe = () => standIn.world.state.stripe;

/** Pays for a pack at Stripe; with `isLost`, none of its webhooks arrives. */
async function buy({ isLost = false } = {}) {
  const opened = await beginPurchase(service, holder);
  await pressOn(opened, 'pay');
  if (isLost) standIn.world.state.webhooks.deliveries = [];
  await standIn.deliver();
  const session = stripe().sessions[opened.checkoutId]!;
  return { ...opened, session, intentId: idOf(session.payment_intent) ?? '' };
}

/** A payment that Stripe has, for a purchase that is in no database. */
function copyForNobody({ session, intentId }: Awaited<ReturnType<typeof buy>>): void {
  const purchase = randomUUID();
  const metadata = { obol_purchase_id: purchase };
  const { sessions, paymentIntents } = stripe();
  const copy = { id: 'cs_theirs', payment_intent: 'pi_theirs', client_reference_id: purchase, metadata };
  sessions.cs_theirs = { ...structuredClone(session), ...copy };
  paymentIntents.pi_theirs = { ...structuredClone(paymentIntents[intentId]!), id: 'pi_theirs', metadata };
}

const balance = async () => (await readOwn(service, holder, 'balance')).balance as number;

const finding = (list: string, id: string, reason: string) => {
  return { list, id, reason, isSafe: false, isRepaired: false };
};

const briefOf = ({ stdout }: { stdout: string }) => {
  const [report] = JSON.parse(stdout);
  return report.findings
    .map(({ list, id, reason, isSafe, isRepaired }: any) => ({ list, id, reason, isSafe, isRepaired }))
    .toSorted((one: any, other: any) => one.list.localeCompare(other.list) || one.id.localeCompare(other.id));
};

describe('obol payments reconcile', () => {
  test('explains itself, and refuses what cannot be meant', async () => {
    const help = await reconcile(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const option of ['--since', '--provider', '--repair', '--from', '--json'])
      expect(help.stdout).toContain(option);
    expect(help.stdout).toMatch(/Exits\s+with\s+0\s+when\s+they\s+agree,\s+with\s+1\s/);
    const refusals: [string[], RegExp][] = [
      [[], /required option '--since <date>'/],
      [['--since', 'yesterday'], /a date such as 2026-03-01/],
      [[...since, '--provider', 'bank'], /Allowed choices are stripe, paypal/],
      [[...since, '--from', 'export.jsonl'], /Say with --provider whose export it is/],
      [[...ofStripe, '--from', 'nothing.jsonl'], /nothing\.jsonl cannot be read/],
    ];
    for (const [args, words] of refusals) {
      const { code, stdout, stderr } = await reconcile(args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(words);
    }
  });

  test('agrees where nothing is off, and says so for each provider', async () => {
    await buy();
    const { code, stdout } = await reconcile(since);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^stripe \(test\) since 2026-02-20T00:00:00\.000Z: it agrees with the ledger\.$/m);
    expect(stdout).toMatch(/^paypal \(test\) .*: it agrees with the ledger\.$/m);
    expect(JSON.parse((await reconcile([...since, '--json'])).stdout)).toMatchObject([
      { provider: 'stripe', source: 'provider', matched: 1, open: 0, findings: [] },
      { provider: 'paypal', source: 'provider', matched: 0, open: 0, findings: [] },
    ]);
  });

  test('finds all four differences, repairs what is safe, and agrees once a person has done the rest', async () => {
    const lost = await buy({ isLost: true });
    const onlyOurs = await buy();
    const differing = await buy();
    copyForNobody(onlyOurs);
    delete stripe().sessions[onlyOurs.checkoutId];
    Object.assign(differing.session, { amount_total: 999, amount_subtotal: 999 });
    const left = [
      finding('differing', differing.checkoutId, 'wrong_amount'),
      finding('onlyOurs', onlyOurs.checkoutId, 'not_listed'),
      finding('onlyTheirs', 'cs_theirs', 'no_purchase'),
    ];
    const safe = { ...finding('differing', lost.checkoutId, 'behind'), isSafe: true };
    const inOrder = [...left, safe].toSorted(
      (one, other) => one.list.localeCompare(other.list) || one.id.localeCompare(other.id),
    );

    const before = await balance();
    const dry = await reconcile([...ofStripe, '--json']);
    expect(dry.code).toBe(1);
    expect(briefOf(dry)).toEqual(inOrder);
    expect(await balance()).toBe(before);
    const inWords = await reconcile(ofStripe);
    expect(inWords).toMatchObject({ code: 1, stdout: expect.stringContaining('4 to look at.') });
    expect(inWords.stdout).toContain(
      `${lost.checkoutId}, purchase ${lost.purchaseId}: behind (--repair puts it right)`,
    );

    const repairing = await reconcile([...ofStripe, '--repair', '--json']);
    expect(repairing.code).toBe(1);
    expect(briefOf(repairing)).toEqual(
      inOrder.map((one) => (one.isSafe ? { ...one, isRepaired: true } : one)),
    );
    expect(await balance()).toBe(before + 1000);
    const again = await reconcile([...ofStripe, '--repair', '--json']);
    expect(again.code).toBe(1);
    expect(briefOf(again)).toEqual(left);
    expect(await balance()).toBe(before + 1000);

    delete stripe().sessions.cs_theirs;
    stripe().sessions[onlyOurs.checkoutId] = onlyOurs.session;
    Object.assign(differing.session, { amount_total: 1000, amount_subtotal: 1000 });
    expect(await reconcile(ofStripe)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('it agrees with the ledger'),
    });
    const { rows } = await owner.query('select count(*)::int as runs from payments.reconciliations');
    expect(rows[0].runs).toBeGreaterThanOrEqual(6);
  });

  test('reads an export and asks nobody', async () => {
    const nobody = { STRIPE_API_BASE: 'http://127.0.0.1:1' };
    const file = join(directory, 'export.jsonl');
    const { sessions, refunds } = stripe();
    const write = (objects: unknown[]) =>
      writeFile(file, objects.map((one) => `${JSON.stringify(one)}\n`).join(''));
    const paid = Object.values(sessions).filter(({ payment_status: status }) => status === 'paid');
    await write([...paid, { object: 'list', data: Object.values(refunds) }]);
    const args = [...ofStripe, '--from', file];
    const clean = await reconcile([...args, '--json'], nobody);
    expect(clean.code).toBe(0);
    expect(JSON.parse(clean.stdout)).toMatchObject([{ source: 'export', matched: paid.length, open: 0 }]);

    await write(paid.slice(1));
    const incomplete = await reconcile([...args, '--json'], nobody);
    expect(incomplete.code).toBe(1);
    expect(briefOf(incomplete)).toEqual([
      { list: 'onlyOurs', id: paid[0]!.id, reason: 'not_listed', isSafe: false, isRepaired: false },
    ]);

    await writeFile(file, `${JSON.stringify(paid[0])}\nno JSON\n`);
    const broken = await reconcile([...args, '--json'], nobody);
    expect(broken.code).toBe(1);
    expect(JSON.parse(broken.stdout).error).toContain('Line 2 is not an object of this provider.');

    const asked = await reconcile([...ofStripe, '--json'], nobody);
    expect(asked.code).toBe(1);
    expect(JSON.parse(asked.stdout)).toEqual({ error: expect.stringMatching(/provider/i) });
  });
});

test('without keys it asks the stand-in of the service that runs on the same data, and says where none does', async () => {
  const { ownerUrl } = await cloneDatabase();
  const env = {
    DATA_DIR: await makeScratchDir(),
    OBOL_SECRET: 'test secret, thirty-two characters long',
    DATABASE_URL: ownerUrl,
  };
  const none = Object.fromEntries(Object.keys(standIn.settings).map((name) => [name, '']));
  const beside = (args: string[], more = {}) => reconcile(args, { ...none, ...env, ...more });
  const real = await startRealService({ env });
  const { token } = await registerRealPerson(real.url);
  const order = { token, body: { packageId: 'standard', provider: 'paypal' } };
  const { body } = await sendJson(`${real.url}/api/v1/credits/purchase`, 'POST', order);
  await fetch(body.checkoutUrl, {
    method: 'POST',
    body: new URLSearchParams({ choice: 'pay' }),
    redirect: 'manual',
  });
  await sendJson(`${real.url}/api/v1/credits/purchase/${body.purchaseId}`, 'GET', { token });
  const agreed = await beside(['--since', '2026-01-01', '--json']);
  expect(agreed).toMatchObject({ code: 0 });
  expect(JSON.parse(agreed.stdout)).toMatchObject([
    { provider: 'stripe', open: 0 },
    { provider: 'paypal', matched: 1, open: 0 },
  ]);
  const words = /Without keys, payments go to the stand-in of the service that `npm start` runs/;
  const elsewhere = await beside(since, { DATA_DIR: await makeScratchDir() });
  expect([elsewhere.code, elsewhere.stderr]).toEqual([1, expect.stringMatching(words)]);

  // Killed, it leaves behind where its stand-in was.
  real.kill('SIGKILL');
  await real.exited;
  const after = await beside(ofStripe);
  expect([after.code, after.stderr]).toEqual([1, expect.stringMatching(words)]);
});
