import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openCommandLine } from './harness/command.ts';
import { startTestService } from './harness/index.ts';
import { addAdministrator } from './harness/movements.ts';
import { startPaymentStandIn } from './harness/payment-stand-in.ts';
import { registerPerson } from './harness/people.ts';
import { ask, makePlan } from './harness/plans.ts';
import { addPerson, addTeam } from './harness/teams.ts';
import { addWalletHolder, connectAsOwner } from './harness/wallets.ts';

const standIn = await startPaymentStandIn();
const service = await startTestService({ clock: standIn.clock, env: standIn.settings });
standIn.deliverTo(service.url);
const { run, directory } = await openCommandLine(service, { ...standIn.settings });
const obol = (...args: string[]) => run(['users', ...args]);
const owner = await connectAsOwner(service);

const trailOf = async (id: string) =>
  (
    await owner.query(
      `select action, actor_type, actor_id, reason from audit.events where target_id = $1 order by created_at`,
      [id],
    )
  ).rows;

test('the operator exports what is held about somebody who cannot sign in', async () => {
  const ada = await registerPerson(service);
  await owner.query('update auth.users set is_active = false where id = $1', [ada.id]);
  const [printed, written, unknown, help] = await Promise.all([
    obol('export', ada.email.toUpperCase(), '--reason', 'A letter'),
    obol('export', ada.email, '--out', 'ada.json', '--json'),
    obol('export', 'nobody@example.com', '--out', 'nobody.json'),
    obol('export', '--help'),
  ]);
  expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('--out') });
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('Nobody has registered') });
  await expect(stat(join(directory, 'nobody.json'))).rejects.toThrow('ENOENT');
  expect(JSON.parse(printed.stdout).sections['auth.users']).toMatchObject([{ id: ada.id, email: ada.email }]);
  expect(JSON.parse(written.stdout)).toMatchObject({ id: ada.id, file: 'ada.json' });
  const file = join(directory, 'ada.json');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(file, 'utf8')).sections['auth.securityEvents']).not.toEqual([]);
  const exported = { action: 'user.exported', actor_type: 'operator', actor_id: null };
  const trail = await trailOf(ada.id);
  expect(trail).toHaveLength(2);
  for (const reason of ['A letter', null]) expect(trail).toContainEqual({ ...exported, reason });
}, 60_000);

test('and erases them, once it is meant and nothing is in the way', async () => {
  const [ben, boss] = [await registerPerson(service), await addWalletHolder(service)];
  await owner.query('update auth.users set is_active = false where id = $1', [ben.id]);
  const team = await addTeam(service, boss, 'Shared');
  await team.join(await addPerson(service, owner));
  const [unmeant, erased, blocked] = await Promise.all([
    obol('erase', boss.userId, '--json'),
    obol('erase', ben.email, '--yes', '--json'),
    obol('erase', `${boss.userId}@example.com`, '--yes'),
  ]);
  expect(unmeant).toMatchObject({ code: 1, stdout: expect.stringContaining('--yes') });
  expect(blocked).toMatchObject({ code: 1, stderr: expect.stringContaining(`teams: Shared (${team.id})`) });
  expect(JSON.parse(erased.stdout)).toEqual({ id: ben.id });
  const { rows } = await owner.query('select email, is_active, erased_at from auth.users where id = $1', [
    ben.id,
  ]);
  expect(rows).toMatchObject([{ email: `${ben.id}@erased.invalid`, is_active: false }]);
  expect(rows[0].erased_at).not.toBeNull();
  expect(await trailOf(ben.id)).toEqual([
    { action: 'user.erased', actor_type: 'operator', actor_id: null, reason: null },
  ]);
  const [mail] = await service.mails(ben.email);
  expect(mail?.subject).toBe('Your Obol account is erased');
}, 60_000);

const subscriptions = () => Object.values(standIn.world.state.stripe.subscriptions);

async function subscribed(planId: string) {
  await makePlan(service, await addAdministrator(service), planId);
  const holder = await addWalletHolder(service);
  const { body } = await ask(service, holder, 'POST', { planId, provider: 'stripe' });
  await standIn.choose(body.checkoutUrl, 'pay');
  await standIn.deliver();
  const erase = (...args: string[]) => obol('erase', `${holder.userId}@example.com`, '--yes', ...args);
  return { holder, subscriptionId: body.subscriptionId as string, erase };
}

describe('of somebody whom a provider bills again and again', () => {
  test('the subscriptions are named with what ends them, and ended when that is asked for', async () => {
    const { holder, subscriptionId, erase } = await subscribed('small');
    expect(await erase()).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(new RegExp(`subscriptions: ${subscriptionId}.*--end-subscriptions`, 's')),
    });
    const down = { STRIPE_API_BASE: 'http://127.0.0.1:9' };
    const failed = await run(
      ['users', 'erase', `${holder.userId}@example.com`, '--yes', '--end-subscriptions'],
      down,
    );
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining('payment provider') });
    expect(subscriptions()).toMatchObject([{ status: 'active' }]);
    expect(await erase('--end-subscriptions')).toMatchObject({ code: 0 });
    expect(subscriptions()).toMatchObject([{ status: 'canceled' }]);
    await standIn.deliver();
    const ended = { actor_type: 'operator', actor_id: null, reason: null };
    expect(await trailOf(holder.userId)).toEqual([
      { action: 'payments.subscription_end_asked', ...ended },
      { action: 'payments.subscription_end_asked', ...ended },
      { action: 'user.erased', ...ended },
    ]);
  }, 90_000);

  test('nothing is ended while something else is in the way', async () => {
    const { holder, subscriptionId, erase } = await subscribed('large');
    const team = await addTeam(service, holder, 'Kept');
    await team.join(await addPerson(service, owner));
    const answer = await erase('--end-subscriptions');
    expect(answer).toMatchObject({ code: 1, stderr: expect.stringContaining('teams: Kept') });
    expect(answer.stderr).toContain(`subscriptions: ${subscriptionId}`);
    expect((await ask(service, holder, 'GET')).body).toMatchObject({ cancelsAtPeriodEnd: false });
    expect(subscriptions().filter(({ status }) => status === 'active')).toHaveLength(1);
    expect(await trailOf(holder.userId)).toEqual([]);
  }, 60_000);
});
