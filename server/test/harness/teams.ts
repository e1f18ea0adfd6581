import { expect } from 'vitest';
import type pg from 'pg';
import type { Answer, TestService } from './index.ts';
import { post, readOwn } from './movements.ts';
import { addWalletHolder, type WalletHolder } from './wallets.ts';

/** A signed-in person who has confirmed their address, so that they may be invited. */
export async function addPerson(service: TestService, owner: pg.Client): Promise<WalletHolder> {
  const holder = await addWalletHolder(service);
  await owner.query('update auth.users set email_verified_at = created_at where id = $1', [holder.userId]);
  return holder;
}

export const emailOf = ({ userId }: WalletHolder): string => `${userId}@example.com`;
export const codeOf = ({ body }: Answer): string | null => body.code ?? null;
export const daily = (allowance: number) => ({ allowance, period: 'day' });

export type TestTeam = ReturnType<typeof teamOf>;

/** Makes a team. */
export async function addTeam(
  service: TestService,
  boss: WalletHolder,
  name = 'Research',
): Promise<TestTeam> {
  const { status, body } = await post(service, boss, 'teams', { name });
  expect(status).toBe(201);
  return teamOf(service, boss, body.id);
}

/** The calls of the API that are about a team, by whoever makes them. */
export function teamOf(service: TestService, boss: WalletHolder, id: string) {
  const path = `teams/${id}`;
  const send = (method: string, by: WalletHolder, rest: string, body?: unknown) =>
    service.send(method, `/api/v1/credits/${rest}`, { token: by.token, body });
  const team = {
    id,
    get: (by: WalletHolder, rest = path) => send('GET', by, rest),
    read: (by: WalletHolder, rest = path) => readOwn(service, by, rest),
    invite: (by: WalletHolder, email: string, more: Record<string, unknown> = {}) =>
      post(service, by, `${path}/invitations`, { email, ...more }),
    withdraw: (by: WalletHolder, invitation: string) =>
      send('DELETE', by, `${path}/invitations/${invitation}`),
    accept: (by: WalletHolder, invitation: string) =>
      post(service, by, `invitations/${invitation}/accept`, {}),
    decline: (by: WalletHolder, invitation: string) => send('DELETE', by, `invitations/${invitation}`),
    /** Invites by the first owner, and accepts. */
    async join(holder: WalletHolder, more: Record<string, unknown> = {}): Promise<WalletHolder> {
      const { status, body } = await team.invite(boss, emailOf(holder), more);
      expect(status).toBe(201);
      const accepted = await team.accept(holder, body.id);
      expect(accepted).toMatchObject({ status: 200, body: { success: true, teamId: id } });
      return holder;
    },
    transfer: (by: WalletHolder, amount: unknown, more: Record<string, unknown> = {}) =>
      post(service, by, `${path}/transfers`, { amount, ...more }),
    use: (by: WalletHolder, amount: number, more: Record<string, unknown> = {}) =>
      post(service, by, 'use', { amount, appId: 'chat', description: 'Chat', walletId: id, ...more }),
    hold: (by: WalletHolder, amount: number) =>
      post(service, by, 'holds', { amount, appId: 'chat', description: 'Answer', walletId: id }),
    change: (by: WalletHolder, member: WalletHolder, body: unknown) =>
      send('PUT', by, `${path}/members/${member.userId}`, body),
    remove: (by: WalletHolder, member: WalletHolder) =>
      send('DELETE', by, `${path}/members/${member.userId}`),
  };
  return team;
}
