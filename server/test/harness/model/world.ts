import { registerApplication, type TestApplication } from '../applications.ts';
import { addAdministrator } from '../movements.ts';
import { addPerson, addTeam, daily } from '../teams.ts';
import type { Answer, TestService } from '../index.ts';
import type { WalletHolder } from '../wallets.ts';
import type pg from 'pg';
import type { HoldModel } from './hold.ts';
import { MandateModel } from './mandate.ts';
import type { Arrival, Code } from './moving.ts';
import type { Spend } from './spending.ts';
import { WalletModel, type Outcome, type Rules } from './wallet.ts';

const rules: Rules = { signupBonus: 20, dailyFree: 5, dailyCap: 12, debtMax: 30 };
export const rulesEnv = {
  CREDITS_SIGNUP_BONUS: '20',
  CREDITS_DAILY_FREE: '5',
  CREDITS_DAILY_CAP: '12',
  CREDITS_DEBT_MAX: '30',
};

export type Send = TestService['send'];

/** What all histories have in common. */
export type Stage = {
  service: TestService;
  send: Send;
  owner: pg.Client;
  admin: WalletHolder;
  app: TestApplication;
};

/** How a request says who asks. */
export type Credentials = { token: string } | { headers: Record<string, string> };

/** A request, and what the model makes of it. */
export type Call = {
  method: 'POST';
  path: string;
  body: unknown;
  as: Credentials;
  wallets: WalletModel[];
  decide: (now: number) => Outcome;
  /** Takes from the answer what the model cannot know: ids. */
  learn?: (answer: Answer) => void;
};

/** Two people with a wallet each, who share a third one, an app, and the models of all this. */
export type World = Stage & {
  people: Record<'alice' | 'bob', WalletHolder>;
  teamId: string;
  wallets: Record<'alice' | 'bob' | 'team', WalletModel>;
  spends: Spend[];
  arrivals: Arrival[];
  holds: { hold: HoldModel; placedBy: Actor }[];
  codes: { id: string; code: Code }[];
  calls: Call[];
  startedAt: number;
  codesMade: number;
};

export type Actor = { credentials: Credentials; id: string; isApp: boolean };

/** A few days before a leap day, a month's end and, later on, summer time. */
const startAt = '2028-02-24T10:30:00.000Z';

export async function setStage(service: TestService, owner: pg.Client, send: Send): Promise<Stage> {
  service.clock.set(startAt);
  const admin = await addAdministrator(service);
  return { service, owner, send, admin, app: await registerApplication(service, admin.token) };
}

export async function beginHistory(stage: Stage): Promise<World> {
  const { service, owner } = stage;
  service.clock.set(startAt);
  const startedAt = service.clock.now().getTime();
  const people = { alice: await addPerson(service, owner), bob: await addPerson(service, owner) };
  const team = await addTeam(service, people.alice);
  await team.join(people.bob, { limit: daily(30) });
  const personal = ({ userId }: WalletHolder) => new WalletModel(userId, 'personal', rules, startedAt);
  const wallets = {
    alice: personal(people.alice),
    bob: personal(people.bob),
    team: new WalletModel(team.id, 'team', rules, startedAt),
  };
  addMember(wallets.team, people.alice.userId, { allowance: Number.MAX_SAFE_INTEGER, period: 'total' });
  addMember(wallets.team, people.bob.userId, { allowance: 30, period: 'day' });
  const arrivals = [wallets.alice, wallets.bob].flatMap((wallet) => {
    const [[row], [lot]] = [wallet.journal, wallet.lots];
    return row && lot ? [{ wallet, row, lot, from: 'issued:bonus' }] : [];
  });
  const empty = { spends: [], holds: [], codes: [], calls: [], codesMade: 0 };
  return { ...stage, ...empty, people, teamId: team.id, wallets, arrivals, startedAt };
}

export type MemberLimit = Pick<MandateModel['terms'], 'allowance' | 'period'> &
  Partial<Pick<MandateModel['terms'], 'kinds' | 'maxPerSpend'>>;

/** The terms of a member: never above a hold. */
export function memberTerms(limit: MemberLimit): MandateModel['terms'] {
  return {
    kinds: ['free', 'paid'],
    maxPerSpend: null,
    ...limit,
    overrun: 'refuse',
    overrunMax: 0,
    expiresAt: null,
  };
}

function addMember(team: WalletModel, userId: string, limit: MemberLimit): void {
  team.members.set(userId, new MandateModel(memberTerms(limit), userId));
}

export const nowOf = ({ service }: Stage): number => service.clock.now().getTime();

/** The one that a place means, counted from the newest and round again. */
export function pick<T>(list: T[], place: number): T | undefined {
  return list.at(-1 - (place % Math.max(1, list.length)));
}
