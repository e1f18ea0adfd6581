import { expect } from 'vitest';
import { codeOf, compareWallet } from './compare.ts';
import { MandateModel, type Terms } from './mandate.ts';
import { until } from './play-moving.ts';
import type { StepOf } from './steps.ts';
import { memberTerms, nowOf, pick, type World } from './world.ts';

const isOver = ({ status }: MandateModel): boolean => status === 'revoked';
/** Credits of any kind would repay the debt. */
const contradicts = ({ kinds, overrun }: Pick<Terms, 'kinds' | 'overrun'>): boolean =>
  overrun === 'debt' && kinds.length < 2;
const path = '/api/v1/credits/mandates';

export async function playMandate(world: World, { person, terms }: StepOf<'mandate'>): Promise<void> {
  const { mandates } = world.wallets[person];
  const { lifeHours, ...given } = terms;
  const { instant, body } = until(world, lifeHours);
  const answer = await world.send('POST', path, {
    token: world.people[person].token,
    body: { ...given, ...body, appId: world.app.clientId },
  });
  const isTaken = mandates.some((mandate) => !isOver(mandate));
  const isWrong = contradicts(given);
  expect(codeOf(answer)).toBe(isWrong ? 'request.invalid' : isTaken ? 'mandate.exists' : null);
  if (isWrong || isTaken) return;
  const mandate = new MandateModel({ ...given, expiresAt: instant });
  mandate.id = answer.body.id;
  mandates.push(mandate);
  expect(answer.body).toMatchObject(mandate.view(nowOf(world)));
}

export async function playChangeMandate(world: World, step: StepOf<'changeMandate'>): Promise<void> {
  const { person, place, changes } = step;
  const wallet = world.wallets[person];
  const mandate = pick(wallet.mandates, place);
  if (!mandate) return;
  const { lifeHours, status, ...terms } = changes;
  // Who changes terms has them read first, which ends the holds whose time is over.
  if (lifeHours !== undefined || Object.keys(terms).length > 0) wallet.refresh(nowOf(world));
  const { instant } = until(world, lifeHours ?? null);
  const end = lifeHours === undefined ? {} : { expiresAt: instant };
  const answer = await world.send('PATCH', `${path}/${mandate.id}`, {
    token: world.people[person].token,
    body: {
      ...terms,
      status,
      ...(end.expiresAt ? { expiresAt: new Date(end.expiresAt).toISOString() } : end),
    },
  });
  const isWrong = (terms.kinds ?? terms.overrun) !== undefined && contradicts({ ...mandate.terms, ...terms });
  expect(codeOf(answer)).toBe(isOver(mandate) ? 'mandate.revoked' : isWrong ? 'request.invalid' : null);
  if (isWrong || isOver(mandate)) return;
  mandate.status = status;
  mandate.terms = { ...mandate.terms, ...terms, ...end };
  expect(answer.body).toMatchObject(mandate.view(nowOf(world)));
}

export async function playRevokeMandate(world: World, step: StepOf<'revokeMandate'>): Promise<void> {
  const mandate = pick(world.wallets[step.person].mandates, step.place);
  if (!mandate) return;
  const { token } = world.people[step.person];
  const answer = await world.send('DELETE', `${path}/${mandate.id}`, { token });
  mandate.status = 'revoked';
  expect([answer.status, answer.body]).toEqual([200, expect.objectContaining(mandate.view(nowOf(world)))]);
}

export async function playReadMandates(world: World, { person }: StepOf<'readMandates'>): Promise<void> {
  const { token } = world.people[person];
  const wallet = world.wallets[person];
  wallet.refresh(nowOf(world));
  for (const mandate of wallet.mandates) {
    const { body } = await world.send('GET', `${path}/${mandate.id}`, { token });
    expect(body).toMatchObject(mandate.view(nowOf(world)));
  }
}

export async function playLimitMember(world: World, { person, limit }: StepOf<'limitMember'>): Promise<void> {
  const member = world.people[person];
  const mandate = world.wallets.team.members.get(member.userId);
  const { maxPerSpend = null, ...terms } = limit ?? {};
  const most = maxPerSpend === null ? {} : { maxPerSpend };
  const answer = await world.send('PUT', `/api/v1/credits/teams/${world.teamId}/members/${member.userId}`, {
    token: world.people.alice.token,
    body: { limit: limit && { ...terms, ...most } },
  });
  expect(codeOf(answer)).toBeNull();
  if (!mandate) return;
  const unlimited = { allowance: Number.MAX_SAFE_INTEGER, period: 'total' as const };
  mandate.terms = memberTerms(limit ?? unlimited);
}

/** There is no route for it yet, so the owner of the schema does it. */
export async function playFreeze(world: World, { wallet: name, status }: StepOf<'freeze'>): Promise<void> {
  const wallet = world.wallets[name];
  await world.owner.query('update credits.balances set status = $2 where wallet_id = $1', [
    wallet.id,
    status,
  ]);
  wallet.status = status;
  await compareWallet(world, wallet);
}
