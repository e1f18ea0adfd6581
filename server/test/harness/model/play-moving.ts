import { expect } from 'vitest';
import { keep, keyed, personOf } from './play-spending.ts';
import * as moving from './moving.ts';
import type { StepOf } from './steps.ts';
import { nowOf, pick, type World } from './world.ts';

const hourMs = 3_600_000;
const amountOf = (amount: number | undefined) => (amount === undefined ? {} : { amount });

/** An instant that is so many hours away, as a member of a body. */
export function until(world: World, hours: number | null) {
  const instant = hours === null ? null : nowOf(world) + hours * hourMs;
  return { instant, body: instant === null ? {} : { expiresAt: new Date(instant).toISOString() } };
}

const asAdmin = ({ admin }: World) => ({ token: admin.token });

export async function playGrant(world: World, step: StepOf<'grant'>): Promise<void> {
  const { to, kind, source, amount, priority, lifeHours, key } = step;
  const wallet = world.wallets[to];
  const { instant: expiresAt, body } = until(world, lifeHours);
  await keep(world, {
    path: 'grants',
    body: { walletId: wallet.id, kind, source, amount, priority, description: 'x', ...body, ...keyed(key) },
    as: asAdmin(world),
    wallets: [wallet],
    decide: (now) =>
      moving.grant(world.arrivals, wallet, { kind, source, amount, priority, expiresAt, key }, now),
  });
}

export async function playTake(world: World, { from, amount, key }: StepOf<'take'>): Promise<void> {
  const wallet = world.wallets[from];
  await keep(world, {
    path: 'adjustments',
    body: { walletId: wallet.id, amount, description: 'x', ...keyed(key) },
    as: asAdmin(world),
    wallets: [wallet],
    decide: (now) => moving.takeAway(wallet, { amount, key }, now),
  });
}

export async function playRefund(world: World, step: StepOf<'refund'>): Promise<void> {
  const spend = pick(world.spends, step.place);
  if (!spend) return;
  const { amount, by, key } = step;
  const scope = by === 'app' ? world.app.clientId : '';
  await keep(world, {
    path: 'refunds',
    body: { transactionId: spend.row.id, reason: 'x', ...amountOf(amount), ...keyed(key) },
    as: by === 'app' ? { headers: world.app.headers } : asAdmin(world),
    wallets: [spend.wallet],
    decide: (now) => moving.refund(spend, { scope, amount, key }, now),
  });
}

export async function playClawBack(world: World, step: StepOf<'clawBack'>): Promise<void> {
  const arrival = pick(world.arrivals, step.place);
  if (!arrival) return;
  const { amount, key } = step;
  await keep(world, {
    path: 'clawbacks',
    body: { transactionId: arrival.row.id, reason: 'x', ...amountOf(amount), ...keyed(key) },
    as: asAdmin(world),
    wallets: [arrival.wallet],
    decide: (now) => moving.clawBack(arrival, { amount, key }, now),
  });
}

export async function playNewCode(world: World, step: StepOf<'newCode'>): Promise<void> {
  const { type: _type, lifeHours, lotLifetimeDays, ...terms } = step;
  const { instant, body } = until(world, lifeHours);
  const life = lotLifetimeDays === undefined ? {} : { lotLifetimeDays };
  const answer = await world.send('POST', '/api/v1/credits/codes', {
    ...asAdmin(world),
    body: { ...terms, ...life, ...body, description: 'x' },
  });
  expect(answer.status).toBe(201);
  const made = { expiresAt: instant ?? undefined, lotLifetimeDays, isRevoked: false, redeemed: [] };
  world.codes.push({ id: answer.body.id, code: { ...terms, ...made, text: answer.body.code } });
}

export async function playRevokeCode(world: World, { place }: StepOf<'revokeCode'>): Promise<void> {
  const found = pick(world.codes, place);
  if (!found) return;
  const answer = await world.send('DELETE', `/api/v1/credits/codes/${found.id}`, asAdmin(world));
  expect(answer.status).toBe(200);
  found.code.isRevoked = true;
}

export async function playRedeem(world: World, { person, place, key }: StepOf<'redeem'>): Promise<void> {
  const code = pick(world.codes, place)?.code;
  if (!code) return;
  const wallet = world.wallets[person];
  await keep(world, {
    path: 'codes/redeem',
    body: { code: code.text, ...keyed(key) },
    as: personOf(world, person).credentials,
    wallets: [wallet],
    decide: (now) => moving.redeem(world.arrivals, wallet, { code, key }, now),
  });
}

export async function playTransfer(world: World, step: StepOf<'transfer'>): Promise<void> {
  const { person, amount, key } = step;
  const [source, target] = [world.wallets[person], world.wallets.team];
  await keep(world, {
    path: `teams/${world.teamId}/transfers`,
    body: { amount, ...keyed(key) },
    as: personOf(world, person).credentials,
    wallets: [source, target],
    decide: (now) => moving.transfer(source, target, { amount, key }, now),
  });
}
